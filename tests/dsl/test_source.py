"""Files as text, and what is refused before the grammar is asked."""

import pytest

from dsl import Diagnostic, Position, Source, parse, read_source, render_text


def refused(data: bytes) -> Diagnostic:
    found = read_source("flows/a.seta", data)
    assert isinstance(found, Diagnostic)
    return found


def text_of(data: bytes) -> str:
    found = read_source("flows/a.seta", data)
    assert isinstance(found, Source)
    return found.text


def test_byte_order_mark_is_dropped() -> None:
    assert text_of(b"\xef\xbb\xbfon webhook -> stop") == "on webhook -> stop"


def test_line_ends_of_windows_become_plain() -> None:
    assert text_of(b"on webhook\r\n  -> stop\r\n") == "on webhook\n  -> stop\n"


def test_columns_count_code_points_after_normalising() -> None:
    source = Source("a.seta", "\ufeffé\r\n\tação -> x")
    assert source.position(source.text.index("->")) == Position(2, 7)


def test_broken_utf8_is_shown_where_it_breaks() -> None:
    assert render_text(refused(b'on webhook\r\n  -> log "caf\xe9"\n')) == (
        "error[E104]: this file is not UTF-8\n"
        " --> flows/a.seta:2:14\n"
        "  |\n"
        '2 |   -> log "caf\ufffd"\n'
        "  |              ^ byte 0xE9\n"
        "  |\n"
        "  = save the file as UTF-8\n"
        "  = seta help E104\n"
    )


def test_utf16_is_recognised() -> None:
    assert refused("on webhook".encode("utf-16")).notes == ("it looks like UTF-16",)


@pytest.mark.parametrize(
    ("char", "message"),
    [
        ("\0", "the character U+0000 cannot stand in a file"),
        ("\x1b", "the character U+001B cannot stand in a file"),
        ("\r", "the character U+000D cannot stand in a file"),
        ("\u202e", "the character U+202E cannot stand in a file"),
        ("\u2066", "the character U+2066 cannot stand in a file"),
        ("\u2028", "the character U+2028 cannot stand in a file"),
    ],
)
def test_character_that_reads_otherwise_than_it_is_is_refused(char: str, message: str) -> None:
    found = refused(f'on webhook -> log "a{char}b"'.encode())
    assert (found.code, found.message) == ("E104", message)


def test_character_that_turns_the_text_is_shown_tamed() -> None:
    assert render_text(refused('on webhook -> log "\u202eadmin"'.encode())) == (
        "error[E104]: the character U+202E cannot stand in a file\n"
        " --> flows/a.seta:1:20\n"
        "  |\n"
        '1 | on webhook -> log "\ufffdadmin"\n'
        "  |                    ^ right to left override\n"
        "  |\n"
        "  = inside text, `\\u{202E}` names it openly\n"
        "  = fix (choose): remove it\n"
        "  = seta help E104\n"
    )


def test_source_made_of_text_is_held_to_the_same_rules() -> None:
    assert [d.code for d in parse(Source("a.seta", "on webhook\0")).diagnostics] == ["E104"]
    assert [d.code for d in parse(Source("a.seta", "on \ud800")).diagnostics] == ["E104"]


def test_emoji_joined_by_zero_width_joiners_may_stand() -> None:
    assert parse(Source("a.seta", 'on webhook -> log "👩‍🔧"')).diagnostics == ()


def test_file_of_more_than_a_megabyte_is_refused() -> None:
    assert refused(b"#" * (1024**2 + 1)).code == "E105"
    assert text_of(b"#" * 1024**2)
