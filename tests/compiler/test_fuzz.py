"""Broken programs get diagnostics, never a traceback; what is left of them runs."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.pipeline import compile_folder
from dsl import Source
from runtime.linking import link
from tests.compiler.environment import ENVIRONMENT, SETTINGS

CORPUS = Path(__file__).parent / "corpus"
TEXTS = [re.sub(r"  # expect:.*", "", file.read_text(encoding="utf-8")) for file in sorted(CORPUS.rglob("*.seta"))]
WORD = re.compile(r'```python\n.*?```|"(?:[^"\\\n]|\\.)*"|\w+|->|=>|\?\?|\s+|.', re.DOTALL)
TOKENS = sorted({token for text in TEXTS for token in WORD.findall(text) if token.strip()})


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A program of the corpus after a few slips: words left out, doubled, swapped, replaced."""
    words = WORD.findall(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "replace", "insert"])):
            case "drop":
                del words[at]
            case "double":
                words.insert(at, words[at])
            case "swap":
                other = draw(st.integers(0, len(words) - 1))
                words[at], words[other] = words[other], words[at]
            case "replace":
                words[at] = draw(st.sampled_from(TOKENS))
            case _:
                words.insert(at, f" {draw(st.sampled_from(TOKENS))} ")
        if not words:
            return ""
    return "".join(words)


@settings(max_examples=400)
@given(mutated())
def test_only_diagnostics_come_out_of_a_broken_program(text: str) -> None:
    folder = compile_folder([Source("fuzz.seta", text)], ENVIRONMENT)
    for flow in folder.flows:
        link(flow, ENVIRONMENT.catalog, SETTINGS)
