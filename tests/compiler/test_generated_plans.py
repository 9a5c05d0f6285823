"""The hash of a plan follows what a flow means: not how it is written, and everything that it does."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.check import Environment
from compiler.pipeline import compile_folder
from dsl import Source
from tests.compiler.environment import ENVIRONMENT
from tests.compiler.generate.programs import programs
from tests.compiler.test_generated import CORPUS, FLOWS

_FILES = {f"{file.parent.name}/{file.name}": file for file in sorted(CORPUS.rglob("*.seta"))}
_TOKEN = re.compile(r'```python\n.*?```|"(?:[^"\\\n]|\\.)*"|#[^\n]*|->|=>|\?\?|\.\.|[=!<>]=|\w+|\s+|.', re.DOTALL)
_BLANKS = [" ", "\n", "\t", "\n\n"]
_SPACES = st.sampled_from([*_BLANKS, '  # nota: -> } "\n', "\n## documenta\n"])
PLAIN = "flow f\non webhook {n: int, t: text, a: text?, xs: [int], fone: phone}\n"


def hashes(text: str, environment: Environment = ENVIRONMENT) -> dict[str, str]:
    """The hashes of the flows of a text, by name."""
    return {flow.name: flow.hash for flow in compile_folder([Source("f.seta", text)], environment).flows}


def one(text: str) -> str:
    """The hash of the only flow of a text."""
    (found,) = hashes(text).values()
    return found


def spaced(text: str, data: st.DataObject) -> str:
    """A text with other space, and with comments, between its words."""
    parts: list[str] = []
    tokens = [token for token in _TOKEN.findall(text) if not token.startswith("#")]
    spaces = data.draw(st.lists(_SPACES, min_size=1, max_size=9))
    for number, token in enumerate(tokens):
        parts.append(spaces[number % len(spaces)] if token.isspace() else token)
    return "".join(parts)


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=5)
@given(data=st.data())
def test_space_and_comments_of_a_file_do_not_change_the_hashes(name: str, data: st.DataObject) -> None:
    text = _FILES[name].read_text(encoding="utf-8")
    assert hashes(spaced(text, data)) == hashes(text)


@settings(max_examples=40)
@given(text=programs(), data=st.data())
def test_space_and_comments_of_any_program_do_not_change_its_hash(text: str, data: st.DataObject) -> None:
    assert hashes(spaced(text, data)) == hashes(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("-> log n", "-> log (n)"),
        ("-> log 1 + n * 2", "-> log 1 + (n * 2)"),
        ("-> log {n}", "-> log {n: n,}"),
        ('-> log "a" + "b"', '-> log "ab"'),
        ('-> log "\\u{e9}"', '-> log "é"'),
        ("-> log 2d", "-> log 48h"),
        ("-> wait 90m", "-> wait 5400s"),
        ("-> if n > 1 { -> log 1 }", "-> if n > 1 { -> log 1 } else { }"),
        ("-> for x in xs { -> log x }", "-> for x in xs max 1000 parallel 1 { -> log x }"),
        ("-> upsert person", "-> upsert person by fone as person"),
        ("-> format_phone(fone)", '-> fone = format_phone(fone, region: "BR")'),
        ("-> format_phone(t) as x", "-> x = format_phone(t)"),
        ("-> log lower(t)\n\ndef g(n: int): int = n", "-> log lower(t)"),
    ],
)
def test_two_ways_to_write_the_same_have_one_hash(first: str, second: str) -> None:
    assert one(PLAIN + first) == one(PLAIN + second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("-> log 1", "-> log 2"),
        ("-> log 1", "-> log 1.0"),
        ("-> log 1", '-> log "1"'),
        ("-> log 1.0", "-> log 1.00"),
        ("-> log true", "-> log 1"),
        ("-> log none", '-> log "none"'),
        ("-> log 1s", "-> log 1000"),
        ('-> log "{t}"', '-> log "{{t}}"'),
        ("-> log n + 1", "-> log 1 + n"),
        ("-> log n - 1 - 2", "-> log n - (1 - 2)"),
        ("-> log n < 1", "-> log n <= 1"),
        ("-> log {a: n, b: t}", "-> log {b: t, a: n}"),
        ("-> log xs[0]", "-> log xs[1]"),
        ("-> log [x for x in xs]", "-> log [x for x in xs if x > 0]"),
        ("-> log a ?? t", "-> log a ?? run.id"),
        ("-> log 1 -> log 2", "-> log 2 -> log 1"),
        ("-> log 1", "-> log 1 -> log 1"),
        ("-> log 1", "-> log 1 -> stop"),
        ("-> x = n -> log x", "-> y = n -> log y"),
        ('-> get "https://a.example/x"', '-> get "https://a.example/y"'),
        ('-> get "https://a.example/{t}"', '-> get "https://a.example/{n}"'),
        ('-> get "https://a.example/x"', '-> put "https://a.example/x"'),
        ('-> get "{config.erp}/x"', '-> get "{config.crm}/x"'),
        ('-> post "https://a.example/x"', '-> post "https://a.example/x" with {}'),
        ('-> post "https://a.example/x"', '-> post "https://a.example/x" retry 3'),
        ('-> post "https://a.example/x" retry 3', '-> post "https://a.example/x" retry 4'),
        ('-> post "https://a.example/x" every 1s', '-> post "https://a.example/x" every 2s'),
        ('-> post "https://a.example/x" every 1s', '-> post "https://a.example/x" every 1s..5s'),
        ('-> post "https://a.example/x" as r -> log r', '-> post "https://a.example/x" as r: int -> log r'),
        ('-> get "https://a.example/x"', '-> get "https://a.example/x" else { -> log 1 }'),
        ('-> get "https://a.example/x" else { -> log 1 }', '-> get "https://a.example/x" -> log 1'),
        ('-> send hsm "a" to fone', '-> send hsm "b" to fone'),
        ('-> send hsm "a" to fone', '-> send hsm "a" to fone unknown retry'),
        ("-> upsert person by fone", "-> upsert person by fone with {nome: t}"),
        ("-> upsert person by fone with {nome: t}", "-> upsert person by fone with {nome: a}"),
        ("-> code(n): int ```python\nreturn n\n``` as x", "-> code(n): int ```python\nreturn  n\n``` as x"),
        ("-> code(n): int ```python\nreturn 1\n``` as x", "-> code(n): text ```python\nreturn 1\n``` as x"),
        ("-> code(n): int ```python\nreturn 1\n``` as x", "-> code(t): int ```python\nreturn 1\n``` as x"),
        ("-> code(n): int ```python\nreturn 1\n``` as x", "-> code(n): int ```python\nreturn 1\n``` as x within 2s"),
        ("-> if n > 1 { -> log 1 }", "-> if n > 1 { } else { -> log 1 }"),
        ("-> match n { 1 => { -> log 1 } else => { } }", "-> match n { 2 => { -> log 1 } else => { } }"),
        ("-> match n { 1 => { -> log 1 } else => { } }", "-> if n == 1 { -> log 1 }"),
        ("-> parallel { a { -> log 1 } b { } }", "-> parallel { b { -> log 1 } a { } }"),
        ("-> for x in xs { -> log x }", "-> for x in xs max 3 { -> log x }"),
        ("-> for x in xs { -> log x }", "-> for x in xs parallel 3 { -> log x }"),
        ("-> wait 2h", "-> wait 3h"),
        ("-> wait until run.at", "-> wait until run.at + 1s"),
        ("-> wait for e by t within 2h", "-> wait for e by t within 3h"),
        ("-> wait for e by t within 2h", "-> wait for f by t within 2h"),
        ("-> wait for e by t within 2h as x -> log x", "-> wait for e by t within 2h as x: int -> log x"),
        ("-> emit e by t", "-> emit e by t with {n}"),
        ("-> respond 200 {n}", "-> respond 201 {n}"),
        ("-> respond 200 {n}", "-> respond 200"),
        ("-> fail t", "-> log t"),
        ("-> log 1", "-> log 1 on error -> log 1"),
        ("-> log 1 on error -> log 1", "-> log 1 on error -> log 1 -> stop"),
        ("-> log g(n)\ndef g(n: int): int = n", "-> log g(n)\ndef g(n: int): int = n + 1"),
        ("-> format_phone(t) as x -> log x", '-> format_phone(t, "US") as x -> log x'),
    ],
)
def test_what_means_something_else_has_another_hash(first: str, second: str) -> None:
    assert one(PLAIN + first) != one(PLAIN + second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{n: int}", "{n: decimal}"),
        ("{n: int}", "{n: int?}"),
        ("{n: int}", "{n: int = 1}"),
        ("{n: int = 1}", "{n: int = 2}"),
        ("{n: int}", "{n: int(0..)}"),
        ("{n: int(0..)}", "{n: int(1..)}"),
        ("{n: int}", '{"k" as n: int}'),
        ("{n: int}", "{n: int, m: int}"),
        ("{n: [int]}", "{n: int}"),
        ("{n: [int]}", "n: [int]"),
        ("accept json, form {n: int}", "{n: int}"),
        ('cors "https://a.example" {n: int}', "{n: int}"),
        ('{n: "a" | "b"}', '{n: "a" | "c"}'),
        ('"/x" open {n: int}', '"/y" open {n: int}'),
        ('"/x" open {n: int}', "{n: int}"),
        ("limit 1mb {n: int}", "limit 2mb {n: int}"),
        ("dedupe by n for 1h {n: int}", "{n: int}"),
        ("dedupe by n for 1h {n: int}", "dedupe by n for 2h {n: int}"),
        ("answer 200 with {a: 1} {n: int}", "answer 202 with {a: 1} {n: int}"),
        ("answer 200 with {a: 1} {n: int}", "answer 200 with {a: 2} {n: int}"),
    ],
)
def test_another_trigger_has_another_hash(first: str, second: str) -> None:
    assert one(f"flow f\non webhook {first} -> log n") != one(f"flow f\non webhook {second} -> log n")


def test_settings_of_the_folder_are_part_of_the_plans_that_use_them() -> None:
    other = Environment(ENVIRONMENT.catalog, ENVIRONMENT.config, region="PT", zone="Europe/Lisbon")
    for text in ("-> format_phone(t) as x -> log x", "-> wait until date_of(run.at)", "-> log date_of(run.at)"):
        assert hashes(PLAIN + text, other) != hashes(PLAIN + text)
    assert hashes("flow f on webhook {n: int} -> log n", other) == hashes("flow f on webhook {n: int} -> log n")


def test_other_flows_and_defs_of_a_folder_do_not_change_a_hash() -> None:
    alone = [Source("a.seta", PLAIN + "-> log 1")]
    more = [Source("b.seta", "type T = {a: int}\ndef g(n: int): int = n\nflow other\non webhook -> log 2"), *alone]
    found = {flow.name: flow.hash for flow in compile_folder(more, ENVIRONMENT).flows}
    assert found["f"] == compile_folder(alone, ENVIRONMENT).flows[0].hash


def test_all_hashes_are_32_digits_and_none_is_given_twice() -> None:
    found = [each.flow.hash for each in FLOWS.values()]
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in found)
    assert len(set(found)) == len(found)
