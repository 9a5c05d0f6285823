"""What a run takes from outside, and what it is seen to do: the words that both ways of running a plan share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from runtime.context import Failed


@dataclass(frozen=True, slots=True)
class Refusal:
    """The failure that an effect answers with."""

    code: str
    message: str = "scripted"


Script = Callable[[str, Sequence[Any]], bytes | Refusal]  # step id with its indexes, arguments -> what comes back


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a run takes from outside."""

    body: bytes
    script: Script
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    at: int = 1_700_000_000_000


class Record(dict[str, Any]):
    """A record of the interpreter, by the flow's names; `keys_in_json` where those differ."""

    keys_in_json: Mapping[str, str] = {}


def outward(value: Any) -> Any:
    """A value as it leaves, however it is held: absent fields left out, names as JSON keys, instants in UTC."""
    match value:
        case Record():
            return {value.keys_in_json.get(key, key): outward(v) for key, v in value.items() if v is not None}
        case dict():
            return {key: outward(item) for key, item in value.items()}
        case msgspec.Struct():
            names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            found = {key: outward(getattr(value, name)) for key, name in names}
            return {key: item for key, item in found.items() if item is not None}
        case Failed(step, code, message, attempt):
            return {"step": step, "code": code, "message": message, "attempt": attempt}
        case list():
            return [outward(item) for item in value]
        case datetime():
            return value.astimezone(UTC)
        case _:
            return value


def literal(parts: Sequence[object]) -> list[str]:
    """The parts of a literal, whoever holds them."""
    return [part if isinstance(part, str) else f"<{getattr(part, 'name', '')}>" for part in parts]


class Tape:
    """A trace under way: one line an effect."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, what: str, step: str, *values: Any) -> None:
        self.lines.append(f"{what} {step} {', '.join(_shown(outward(value)) for value in values)}".rstrip())

    def append(self, name: str, other: "Tape") -> None:
        self.lines.extend(f"{name} | {line}" for line in other.lines)


def _shown(value: Any) -> str:
    """A value as text that tells 1 from 1.0 and from true; the order of fields means nothing."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key!r}: {_shown(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case _:
            return repr(value)
