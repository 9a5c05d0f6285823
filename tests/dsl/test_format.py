"""The layouts of the corpus, whole texts. `python -m tests.dsl.test_format` writes those that the code makes now."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsl import Source, format_text

CORPUS = Path(__file__).parent / "corpus" / "format"
_CASE = re.compile(r"^=== (?P<title>.*)\n(?P<text>(?s:.*?))^---\n(?P<layout>(?s:.*?))(?=^===|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A text and its layout."""

    file: str
    title: str
    text: str
    layout: str

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def cases(path: Path) -> list[Case]:
    """Every case of a file."""
    found = _CASE.finditer(path.read_text(encoding="utf-8"))
    return [Case(path.stem, c["title"], c["text"], c["layout"]) for c in found]


CASES = [case for path in sorted(CORPUS.glob("*.txt")) for case in cases(path)]


def laid_out(text: str) -> str:
    found = format_text(Source("a.seta", text))
    assert isinstance(found, str), found
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_text_is_laid_out_as_the_corpus_says(case: Case) -> None:
    assert laid_out(case.text) == case.layout


@pytest.mark.parametrize("case", CASES, ids=str)
def test_layout_of_the_corpus_stays_as_it_is(case: Case) -> None:
    assert laid_out(case.layout) == case.layout


def test_text_with_an_error_of_syntax_is_refused_with_its_problems() -> None:
    found = format_text(Source("flows/a.seta", "on webhook -> log\n  -> send hsm hsm hsm"))
    assert not isinstance(found, str)
    assert [(d.code, d.message) for d in found] == [
        ("E101", "expected a value, found `->`"),
        ("E101", "expected `->`, text in double quotes or a clause such as `by` or `with`, found `hsm`"),
    ]


def test_text_that_would_be_too_large_is_refused() -> None:
    deep = "-> if a { " * 15 + "#\n" * 60_000 + "}" * 15
    found = format_text(Source("flows/a.seta", f"on webhook {deep}"))
    assert not isinstance(found, str)
    assert [(d.code, d.message) for d in found] == [("E105", "this file is too large to be laid out")]


def test_line_ends_and_mark_of_byte_order_are_no_part_of_a_layout() -> None:
    assert laid_out("\ufeffon webhook\r\n\r\n-> stop # a\r\n") == "on webhook\n  -> stop  # a\n"


@pytest.mark.parametrize(
    "text",
    [
        "-> x = " + "[" * 60 + "]" * 60,
        "-> x = " + "(" * 60 + "a" + ")" * 60,
        "-> x = " + "{a: " * 60 + "a" + "}" * 60,
        "-> x = " + "not " * 190 + "a",
        "-> x = " + "a ?? " * 190 + "a",
        "-> x = " + "a" + ".b" * 190,
        "-> if a { " * 15 + "-> x = " + "not " * 60 + "[" * 40 + "]" * 40 + "}" * 15,
    ],
    ids=lambda text: text[:11],
)
def test_text_as_deep_as_one_may_be_is_laid_out(text: str) -> None:
    once = laid_out(f"on webhook {text}")
    assert laid_out(once) == once


def _rewrite() -> None:
    for path in CORPUS.glob("*.txt"):
        path.write_text(
            "".join(f"=== {c.title}\n{c.text}---\n{laid_out(c.text)}" for c in cases(path)), encoding="utf-8"
        )


if __name__ == "__main__":
    _rewrite()
