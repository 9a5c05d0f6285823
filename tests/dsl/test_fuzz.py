"""Mutated programs: whatever comes in, only trees and diagnostics come out."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import CODES, Source, parse, render_json, render_text
from dsl.nodes import children, walk
from tests.dsl.reading import PROGRAMS

TEXTS = [path.read_text(encoding="utf-8") for path in PROGRAMS]
FOREIGN = ("=>", ";", "!", "&&", "'", "`", "```", '"', "#", "\u00a0", "→", "//", "null", "12abc", "{a", "é", "\t")
PIECES = sorted({piece for text in TEXTS for piece in re.findall(r"->|\w+|[^\w\s]|\n", text)} | set(FOREIGN))

cuts = st.tuples(st.integers(0, 4_000), st.integers(0, 12), st.sampled_from(["", *PIECES]))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A program in which some places are cut out, and some have something put in."""
    text = draw(st.sampled_from(TEXTS))
    for place, length, piece in draw(st.lists(cuts, min_size=1, max_size=6)):
        at = place % (len(text) + 1)
        text = f"{text[:at]} {piece} {text[at + length :]}"
    return text


def survives(text: str) -> None:
    source = Source("a.seta", text)
    parsed = parse(source)
    for diagnostic in parsed.diagnostics:
        assert diagnostic.code in CODES
        for label in (diagnostic.primary, *diagnostic.related):
            assert 0 <= label.span.start <= label.span.end <= len(source.text)
    assert render_text(parsed.diagnostics).count("seta help") == len(parsed.diagnostics)
    assert render_json(parsed.diagnostics)
    for node in walk(parsed.file) if parsed.file else ():
        for child in children(node):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end


@settings(max_examples=300)
@given(mutated())
def test_mutated_program_gives_only_trees_and_diagnostics(text: str) -> None:
    survives(text)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join))
def test_heap_of_words_gives_only_trees_and_diagnostics(text: str) -> None:
    survives(text)


@settings(max_examples=150)
@given(st.text(max_size=80))
def test_any_text_gives_only_trees_and_diagnostics(text: str) -> None:
    survives(text)


@settings(max_examples=100)
@given(st.text(alphabet='{}\\"nu.a[0] é', max_size=40))
def test_any_literal_gives_only_trees_and_diagnostics(inside: str) -> None:
    survives(f'on webhook -> log "{inside}" -> stop')
