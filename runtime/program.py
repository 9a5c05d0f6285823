"""A compiled flow as the runtime holds it: what to decode, what to run, where each step stands in the text."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any, Protocol

from runtime.shapes import Shape


class Payload(Protocol):
    """A decoded body; its attributes are the payload's fields."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands: 1-based line and column for people, and its range as Python keeps it (UTF-8 bytes)."""

    step: str
    line: int
    column: int
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Program:
    """One flow, ready to run. `plan` is the hash that runs are pinned to."""

    flow: str
    plan: str
    path: str | None  # the path that the flow names itself; None: one is derived from the server's key
    limit: int  # bytes of a body
    responds: bool
    payload: Shape
    run: Callable[[Any, Any], Awaitable[bool]]  # payload, context -> whether the flow stopped itself
    filename: str  # as tracebacks show it
    places: tuple[Place, ...]
    code: CodeType
    sources: bytes  # the bundle that the journal keeps

    def place(self, step: str) -> Place | None:
        """Where a step stands in the text."""
        return next((place for place in self.places if place.step == step), None)

    def place_of(self, position: tuple[int, int]) -> Place | None:
        """The innermost step around a line and byte offset of generated code, or None."""
        around = [place for place in self.places if place.start <= position < place.end]
        return max(around, key=lambda place: place.start, default=None)
