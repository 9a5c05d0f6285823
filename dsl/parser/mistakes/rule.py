"""What a rule about mistakes is, and what several of them say."""

from collections.abc import Callable

from dsl.parser.situation import Mistake, Situation
from dsl.source import Span

Rule = Callable[[Situation], Mistake | None]


def misplaced_else(s: Situation, at: Span) -> Mistake:
    """An `else` that has no `if`, and no step that may fail, before it."""
    notes = ("an `if` has `else { … }` after its `}`, and so has a step that may fail",)
    return s.mistake("this `else` belongs to nothing", at=at, notes=notes)
