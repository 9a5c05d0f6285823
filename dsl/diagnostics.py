"""Problems and remarks about flows, as data. `dsl.render` turns them into text."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from dsl.source import Source, Span


class Severity(StrEnum):
    """What a diagnostic does: only an error keeps flows from being served."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_LONGEST = 40  # more of a piece of a file, and a message is no sentence any more
_FAR_TOO_LONG = 200
_SEVERITY = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said of it."""

    source: Source
    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what is under `span` by `text`."""

    source: Source
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend: `safe` keeps the meaning that was surely meant, `choose` needs a person."""

    title: str
    kind: Literal["safe", "choose"]
    edits: tuple[Edit, ...] = ()
    snippet: str = ""  # what to write, where no exact edit can be given


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: `code` is in the registry `dsl.codes`; `message` is one short sentence.

    Without a code it is no problem of the text, but of what came of running it.
    """

    code: str
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def severity(self) -> Severity:
        """Follows from the code's letter."""
        return _SEVERITY[self.code[0]] if self.code else Severity.ERROR


def brief(sentence: str) -> str:
    """A sentence without the middle of what makes it far too long: a word may be a whole file."""
    return sentence if len(sentence) <= _FAR_TOO_LONG else f"{sentence[:120]}…{sentence[-60:]}"


def quoted(text: str) -> str:
    """A piece of a file as a message shows it: on one line, in backticks, and not too long."""
    line = " ".join(text.split())
    return f"`{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'}`"


def has_errors(diagnostics: tuple[Diagnostic, ...] | list[Diagnostic]) -> bool:
    """Whether any of them keeps the flows from being served."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, then by place: the order in which a reader meets them."""
    return tuple(sorted(diagnostics, key=lambda d: (d.primary.source.path, d.primary.span.start, d.code)))
