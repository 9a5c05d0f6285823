"""Each rule of the language has a program that keeps it and one that breaks it."""

import re
from functools import cache

import pytest

from dsl import Source, Span, nodes, parse
from tests.compiler.rules import MEANINGS, RULES, Meaning, Rule
from tests.compiler.test_corpus import CORPUS, expected

ROOT = CORPUS.parents[1]


@cache
def programs(file: str) -> dict[str, list[str]]:
    """The codes that each flow, type, def and test of a file of the corpus gets; the corpus test holds them to it."""
    source = Source(file, (CORPUS / f"{file}.seta").read_text(encoding="utf-8"))
    parsed = parse(source).file
    assert parsed is not None
    said = expected(source.text)
    spans = [(name(item), lines(source, item.span)) for item in parsed.items]
    return {
        title: [code for (line, code), times in said.items() if line in where for _ in range(times)]
        for title, where in spans
    }


def name(item: nodes.Item) -> str:
    match item:
        case nodes.Test(title=title):
            return title.static or ""
        case nodes.Flow(name=nodes.Name(text=text)) | nodes.TypeDef(name=nodes.Name(text=text)):
            return text
        case nodes.Def(name=nodes.Name(text=text)):
            return text
        case _:
            return "flow"


def lines(source: Source, span: Span) -> range:
    return range(source.position(span.start).line, source.position(span.end).line + 1)


def codes(program: str) -> list[str]:
    """The codes that a program of the corpus gets; KeyError where there is no such program."""
    file, _, title = program.partition(":")
    return programs(file)[title]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_has_a_program_that_keeps_it_and_one_that_breaks_it(rule: Rule) -> None:
    assert not [code for code in codes(rule.keeps) if code.startswith("E")]
    assert rule.code in codes(rule.breaks)


@pytest.mark.parametrize("meaning", MEANINGS, ids=[meaning.name for meaning in MEANINGS])
def test_meaning_is_held_by_a_test(meaning: Meaning) -> None:
    assert re.search(rf"^(async )?def {meaning.test}\(", written(), re.MULTILINE)


@cache
def written() -> str:
    """The text of all tests."""
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.rglob("test_*.py")))


def test_rules_have_names_of_their_own() -> None:
    names = [*(rule.name for rule in RULES), *(meaning.name for meaning in MEANINGS)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z0-9]+(-[a-z0-9]+)*", one) for one in names)
