"""Safe fixes made in texts and in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl import Diagnostic, Edit, Fix, Label, Source, Span, parse, read_source
from dsl.fixes import apply, compatible, edits_by_path, rewrite
from tests.dsl.cases import Case, cases

ONE = Source("flows/one.seta", "abcdef\n")
TWO = Source("flows/two.seta", "ação 😀 fim\n")


def fix(*edits: tuple[int, int, str], source: Source = ONE, kind: str = "safe") -> Fix:
    made = tuple(Edit(source, Span(start, end), text) for start, end, text in edits)
    return Fix("mend it", "safe" if kind == "safe" else "choose", made)


def problem(*fixes: Fix, source: Source = ONE) -> Diagnostic:
    return Diagnostic("E101", "odd", Label(source, Span(0, 1)), fixes=fixes)


def test_safe_fixes_of_all_files_are_made() -> None:
    found = [problem(fix((0, 1, "A"))), problem(fix((4, 6, ""))), problem(fix((5, 6, "☺"), source=TWO), source=TWO)]
    assert apply(found) == {"flows/one.seta": "Abcd\n", "flows/two.seta": "ação ☺ fim\n"}


def test_fixes_that_need_a_person_and_those_without_edits_are_not_made() -> None:
    assert apply([problem(fix((0, 1, "A"), kind="choose")), problem(Fix("write it", "safe", snippet="x"))]) == {}


def test_a_safe_fix_is_made_where_another_one_stands_before_it() -> None:
    assert apply([problem(fix((0, 1, "x"), kind="choose"), fix((0, 1, "A")))]) == {"flows/one.seta": "Abcdef\n"}


def test_fix_that_changes_nothing_is_none() -> None:
    assert apply([problem(fix((0, 1, "a")))]) == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0, 3, "x"), (2, 4, "y")),
        ((0, 6, "x"), (2, 3, "y")),
        ((2, 2, "x"), (2, 2, "y")),
        ((0, 2, "x"), (2, 2, "y")),
        ((2, 2, "x"), (2, 4, "y")),
        ((1, 4, "x"), (2, 2, "y")),
    ],
)
def test_of_two_fixes_that_collide_the_first_is_made(first: tuple[int, int, str], second: tuple[int, int, str]) -> None:
    for one, other in ((first, second), (second, first)):
        assert apply([problem(fix(one)), problem(fix(other))]) == apply([problem(fix(one))])


def test_fixes_that_stand_side_by_side_are_made_together() -> None:
    assert apply([problem(fix((2, 4, "X"))), problem(fix((0, 2, "Y")))]) == {"flows/one.seta": "YXef\n"}


def test_fix_of_several_edits_is_made_whole_or_not_at_all() -> None:
    both = fix((0, 1, "A"), (3, 4, "D"))
    assert apply([problem(both)]) == {"flows/one.seta": "AbcDef\n"}
    assert apply([problem(fix((3, 5, "x"))), problem(both)]) == {"flows/one.seta": "abcxf\n"}


def test_edit_that_two_fixes_want_is_made_once_and_mends_both() -> None:
    found = [problem(fix((0, 0, "-> "))), problem(fix((0, 0, "-> ")))]
    assert apply(found) == {"flows/one.seta": "-> abcdef\n"}
    assert [one.diagnostic for one in compatible(found)] == found


def test_fix_that_would_change_another_file_too_is_left_out() -> None:
    across = Fix("mend it", "safe", (*fix((0, 1, "A")).edits, *fix((0, 1, "A"), source=TWO).edits))
    assert compatible([problem(across)], may_change=lambda path: path == "flows/one.seta") == ()
    assert len(compatible([problem(across)])) == 1


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_fixes_of_every_known_mistake_can_be_made_until_none_is_left(case: Case) -> None:
    text = case.text
    for _ in range(10):
        mended = apply(parse(Source("a.seta", text)).diagnostics)
        if not mended:
            break
        text = mended["a.seta"]
    assert not apply(parse(Source("a.seta", text)).diagnostics)


@pytest.mark.parametrize(
    ("data", "mended"),
    [
        (b"a\r\nb\r\nc\r\n", b"a\r\nX\r\nY\r\nc\r\n"),
        (b"\xef\xbb\xbfa\r\nb\r\nc", b"\xef\xbb\xbfa\r\nX\r\nY\r\nc"),
        (b"a\nb\nc\n", b"a\nX\nY\nc\n"),
        (b"a\nb\r\nc\n", b"a\nX\nY\r\nc\n"),
    ],
)
def test_line_ends_and_byte_order_mark_of_a_file_stay(data: bytes, mended: bytes) -> None:
    source = read_source("a.seta", data)
    assert isinstance(source, Source)
    at = source.text.index("b")
    assert rewrite(data, [Edit(source, Span(at, at + 1), "X\nY")]) == mended


def test_edit_over_a_line_end_takes_all_of_it() -> None:
    data = b"a\r\nb\r\n"
    source = read_source("a.seta", data)
    assert isinstance(source, Source)
    assert rewrite(data, [Edit(source, Span(1, 2), " ")]) == b"a b\r\n"
    assert rewrite(data, [Edit(source, Span(1, 1), "!"), Edit(source, Span(2, 2), "?")]) == b"a!\r\n?b\r\n"


places = st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from(["", "x", "é\n"]))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@given(text=st.text("ab\né😀", min_size=12, max_size=20), wanted=st.lists(places, max_size=6))
def test_text_and_bytes_are_mended_alike(
    text: str, wanted: list[tuple[int, int, str]], line_end: str, mark: str
) -> None:
    source = Source("a.seta", text)
    found = [problem(fix((start, min(start + n, len(text)), new), source=source)) for start, n, new in wanted]
    edits = edits_by_path(compatible(found)).get("a.seta", ())
    data = (mark + text.replace("\n", line_end)).encode()
    written = read_source("a.seta", rewrite(data, edits))
    assert isinstance(written, Source)
    assert written.text == apply(found).get("a.seta", text)
