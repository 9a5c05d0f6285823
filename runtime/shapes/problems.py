"""What may be wrong with a body, and how it is said."""

from dataclasses import dataclass
from typing import Any, Final, NoReturn


class NotJsonError(Exception):
    """The body is not JSON text; the message says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One place of a body that does not fit; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    expected: str
    got: str


MOST: Final = 1000  # problems of one body that are told: nobody mends more at once


class Enough(Exception):  # noqa: N818  # never leaves this package: what is there becomes a MisfitError
    """A body has so many problems that no more are looked for."""


class MisfitError(Exception):
    """The body is JSON, but not what the flow declares."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{p.pointer or '/'} should be {p.expected}, is {p.got}" for p in self.problems)


class Number(str):
    """A JSON number as its source characters."""

    __slots__ = ()


class FormText(str):
    """Text of a form, where numbers, truth and what is nested come as text too."""

    __slots__ = ()


class FormObject(dict[str, Any]):
    """An object of a form: one whose keys are numbers may be an array."""

    __slots__ = ()


class Mismatch(ValueError):  # noqa: N818  # never leaves this module: msgspec turns it into its own error
    """A value that a slot refuses."""


def describe(value: object) -> str:
    """A JSON value in words, never its content: that may be personal."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return "a number"
        case str():
            return "text" if value else "empty text"
        case list():
            return "an array"
        case _:
            return "an object"


def refuse() -> NoReturn:
    """Say that a value does not fit."""
    raise Mismatch("does not fit")
