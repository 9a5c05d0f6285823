"""Reading on after a problem."""

import re

import pytest

from dsl import Source, has_errors, parse
from dsl.nodes import Flow, TypeDef
from dsl.parser.recovery import MAX_PROBLEMS
from tests.dsl.reading import program, said

SEVEN_MISTAKES = """\
flow leads
on webhook "/leads" open {
  telefone phone
  nome: text?
}
  -> telefone = format_phone(telefone
  -> upsert person by telefone wiht {nome}
  -> if nome == none {
       -> send hsm 'sem_nome' to person
     } else {
       -> send hsm "retomada" to person {nome: nome ?? "tudo bem"}
     }
  -> match nome {
       "Ana" -> { -> stop }
       else => { -> log "outra" }
     }
  upsert company

flow boa
on webhook {telefone: phone}
  -> upsert person
"""


def test_seven_mistakes_give_seven_reports() -> None:
    assert said(SEVEN_MISTAKES) == [
        ("E101", "3:3", "telefone"),
        ("E103", "6:29", "("),
        ("E101", "7:32", "wiht"),
        ("E102", "9:20", "'sem_nome'"),
        ("E101", "11:41", "{"),
        ("E101", "14:14", "->"),
        ("E101", "17:3", "upsert"),
    ]


def test_mistakes_with_known_repairs_lose_no_step() -> None:
    file = parse(Source("a.seta", SEVEN_MISTAKES)).file
    assert file is not None
    first, second = file.items
    assert isinstance(first, Flow)
    assert isinstance(second, Flow)
    assert [type(step).__name__ for step in first.chain.steps] == ["BindStep", "Command", "If", "Match", "Command"]
    assert file.unread == frozenset()


def test_broken_step_is_reported_once() -> None:
    assert said("on webhook -> x = = 1 && 'a' ?? -> log y") == [("E101", "1:19", "=")]


def test_broken_step_is_dropped_and_its_names_are_kept_as_unread() -> None:
    file = parse(Source("a.seta", 'on webhook -> telefone = = f("{nome}") # not_this\n -> upsert person -> stop')).file
    assert file is not None
    (flow,) = file.items
    assert isinstance(flow, Flow)
    assert [type(step).__name__ for step in flow.chain.steps] == ["Command", "Stop"]
    assert file.unread == {"telefone", "f", "nome"}


def test_blocks_of_a_broken_step_are_skipped_whole() -> None:
    text = "on webhook -> if a ! { -> x = 1 -> if y { -> = } } -> log w -> = "
    assert said(text) == [("E101", "1:20", "!"), ("E101", "1:64", "=")]


def test_broken_step_inside_a_block_leaves_the_block_standing() -> None:
    file = parse(Source("a.seta", "on webhook -> if a { -> x = = -> log b } else { -> stop } -> log c")).file
    assert file is not None
    (flow,) = file.items
    assert isinstance(flow, Flow)
    assert len(flow.chain.steps) == 2


def test_broken_payload_leaves_the_steps_standing() -> None:
    text = "on webhook {a: , b: text} -> upsert person -> = 1"
    assert said(text) == [("E101", "1:16", ","), ("E101", "1:47", "=")]


def test_broken_item_ends_at_the_next_one() -> None:
    parsed = parse(Source("a.seta", "type A = = text\ntype B = text\nflow c on webhook -> stop\n"))
    assert parsed.file is not None
    assert [type(item) for item in parsed.file.items] == [TypeDef, Flow]
    assert len(parsed.diagnostics) == 1


def test_field_called_like_a_top_level_word_ends_nothing() -> None:
    assert said("on webhook {\nflow: text\non: text\n, type text\n}\n-> stop") == [("E101", "4:3", "type")]


def test_handler_of_a_flow_that_is_lost_is_lost_with_it() -> None:
    assert said("flow ! on webhook\n  -> stop\non error -> stop\nflow b on webhook -> stop") == [("E101", "1:6", "!")]


def test_broken_step_of_a_test_leaves_the_others_standing() -> None:
    text = 'test "a" {\n  given {a: = }\n  mock find person = {}\n  expect = stop\n  expect stop\n}\n'
    assert said(text) == [("E101", "2:13", "="), ("E101", "4:10", "=")]


def test_python_in_a_fence_that_is_never_closed_is_not_read_as_steps() -> None:
    text = "on webhook -> code(): text ```python\ndef f() -> int:\n  return {\ntype = 1\n\nflow b on webhook -> stop\n"
    assert said(text) == [("E103", "1:28", "```python")]


def test_reading_ends_after_so_many_problems() -> None:
    parsed = parse(Source("a.seta", "on webhook" + " -> x = = 1" * (2 * MAX_PROBLEMS)))
    assert len(parsed.diagnostics) == MAX_PROBLEMS + 1
    assert parsed.diagnostics[-1].code == "E110"


def test_file_with_problems_still_has_what_could_be_read() -> None:
    parsed = parse(Source("a.seta", "lang 1\n= = =\ndef f(a: text): text = a\n"))
    assert has_errors(parsed.diagnostics)
    assert parsed.file is not None
    assert parsed.file.edition == 1
    assert len(parsed.file.items) == 1


def test_item_that_ends_in_a_bracket_is_given_up_in_the_end() -> None:
    found = said("def f(a: text): { text = a\ndef g(): { a: text }\n")
    assert [code for code, _, _ in found] == ["E103", "E101", "E101"]


TOKEN = re.compile(r'->|\w+|"[^"\n]*"|[^\s\w"]')


@pytest.mark.parametrize("name", ["triggers", "types", "steps", "tests"])
def test_one_lost_token_rarely_gives_more_than_one_report(name: str) -> None:
    text = program(name)
    counts = []
    for token in list(TOKEN.finditer(text))[::3]:
        broken = text[: token.start()] + text[token.end() :]
        counts.append(len(parse(Source("a.seta", broken)).diagnostics))
    assert max(counts) <= 4
    assert sum(count > 1 for count in counts) <= len(counts) * 0.06
