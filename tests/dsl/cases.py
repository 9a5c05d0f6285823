"""The corpus: programs with what is said of them, and trees of programs without mistakes.

`python -m tests.dsl.cases` writes what the code says now into the corpus; the reader of the difference decides.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from dsl import Source, parse, render_text
from tests.dsl.reading import PROGRAMS, outline, read

MESSAGES = sorted((Path(__file__).parent / "corpus" / "messages").glob("*.txt"))

_CASE = re.compile(r"^=== (?P<title>.*)\n(?P<text>(?s:.*?))^---\n(?P<said>(?s:.*?))(?=^===|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A program and the whole text that is said of it."""

    file: str
    title: str
    text: str
    said: str


def cases() -> list[Case]:
    """Every case of the corpus."""
    return [case for path in MESSAGES for case in _cases(path)]


def _cases(path: Path) -> list[Case]:
    found = _CASE.finditer(path.read_text(encoding="utf-8"))
    return [Case(path.stem, c["title"], c["text"], c["said"].strip("\n") + "\n") for c in found]


def messages(text: str) -> str:
    """All that is said of a text."""
    return render_text(parse(Source("flows/a.seta", text)).diagnostics)


def tree(path: Path) -> str:
    """The outline of a program's tree."""
    file = read(path.read_text(encoding="utf-8"))
    return outline(file.source, file) + "\n"


def _rewrite() -> None:
    for path in MESSAGES:
        parts = (f"=== {c.title}\n{c.text}---\n{messages(c.text)}" for c in _cases(path))
        path.write_text("\n".join(parts), encoding="utf-8")
    for path in PROGRAMS:
        path.with_suffix(".tree").write_text(tree(path), encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
