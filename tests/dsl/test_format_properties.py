"""Laying out keeps words, comments and meaning, and has nothing to do the second time."""

from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.check import Environment
from compiler.pipeline import compile_folder
from dsl import Source, Span, format_file, has_errors, parse
from dsl.nodes import File
from runtime.steps import catalog
from tests.docs.test_docs import BLOCKS
from tests.strategies import programs, spread_out, words

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file
    for folder in ("flows", "tests/compiler/corpus", "tests/dsl/corpus/programs")
    for file in (ROOT / folder).rglob("*.seta")
)
TEXTS = {
    **{file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in FILES},
    **{str(block): block.text for block in BLOCKS if block.kind == "seta"},
}
ENVIRONMENT = Environment(catalog(), frozenset({"crm", "erp"}))
GOOD = {name: text for name, text in TEXTS.items() if not has_errors(parse(Source("a.seta", text)).diagnostics)}

generated = settings(max_examples=100, deadline=None, derandomize=True)


def read(text: str) -> File:
    parsed = parse(Source("a.seta", text))
    assert parsed.diagnostics == ()
    assert parsed.file is not None
    return parsed.file


def shape(node: object) -> object:
    """A tree without places."""
    if isinstance(node, tuple):
        return tuple(map(shape, node))
    if is_dataclass(node):
        values = [getattr(node, field.name) for field in fields(node)]
        return (type(node).__name__, *(shape(value) for value in values if not isinstance(value, Span)))
    return repr(node)


def comments(file: File) -> list[str]:
    return [comment.text.rstrip() for comment in file.comments]


def compiled(text: str) -> tuple[dict[str, str], Counter[str]]:
    """The hash of each flow that compiles, and the codes of all that is said."""
    folder = compile_folder([Source("a.seta", text)], ENVIRONMENT)
    return {flow.name: flow.hash for flow in folder.flows}, Counter(d.code for d in folder.diagnostics)


def laid_out(text: str) -> str:
    """The layout of a text, which has its words and comments and is its own layout."""
    before = read(text)
    once = format_file(before)
    after = read(once)
    assert shape((after.edition, after.items)) == shape((before.edition, before.items))
    assert comments(after) == comments(before)
    assert format_file(after) == once
    assert once == once.strip("\n") + "\n"
    return once


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_flow_of_the_repository_keeps_tree_comments_plan_and_what_is_said_of_it(text: str) -> None:
    assert compiled(laid_out(text)) == compiled(text)


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("flows/")])
def test_example_flow_is_laid_out(name: str) -> None:
    assert laid_out(TEXTS[name]) == TEXTS[name]


@generated
@given(programs())
def test_any_program_keeps_tree_and_comments(text: str) -> None:
    laid_out(text)


@settings(generated, max_examples=30)
@given(st.data(), st.sampled_from(list(GOOD.values())))
def test_program_with_other_blanks_and_comments_keeps_its_plan(data: st.DataObject, good: str) -> None:
    text = data.draw(spread_out(words(good)))
    assert compiled(laid_out(text)) == compiled(text) == compiled(good)
