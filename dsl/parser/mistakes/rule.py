"""What a rule about mistakes is."""

from collections.abc import Callable

from dsl.parser.situation import Mistake, Situation

Rule = Callable[[Situation], Mistake | None]
