"""A reader of the literals and calls that stand in examples of functions, and the values they mean."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runtime.functions import FUNCTIONS

Call = Callable[..., Any]

CALLS: dict[str, Call] = {signature.name: call for signature, call in FUNCTIONS}
SECRETS = {"JEFE": "Jefe"}

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")
          | (?P<duration>[0-9]+(?:ms|s|m|h|d|w)\b)
          | (?P<decimal>-?[0-9]+\.[0-9]+)
          | (?P<int>-?[0-9]+)
          | (?P<name>\w+(?:\.\w+)?)
          | (?P<sign>[][{}(),:]))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r'\{\{|\}\}|\\u\{(?P<code>[0-9a-fA-F]+)\}|\\(?P<short>["\\nt])')
_SHORT = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_WORDS = {"true": True, "false": False, "none": None}


def value_of(written: str) -> Any:
    """What an expression of literals, lists, records and calls gives, or the StepFailure that it fails with."""
    tokens = list(_TOKEN.finditer(written.rstrip()))
    assert sum(len(token[0]) for token in tokens) == len(written.rstrip()), f"not understood: {written}"
    reader = _Reader(tokens)
    value = reader.value()
    assert reader.place == len(tokens), f"more than one value: {written}"
    return value


@dataclass
class _Reader:
    tokens: list[re.Match[str]]
    place: int = field(default=0)

    def value(self) -> Any:
        token = self._next()
        match token.lastgroup, token[token.lastgroup or 0]:
            case "sign", "[":
                return [value for _, value in self._until("]")]
            case "sign", "{":
                return dict(self._until("}"))
            case "name", name if name not in _WORDS and "." not in name:
                return self._call(name)
            case kind, written:
                return _LITERALS[kind or ""](written)

    def _call(self, name: str) -> Any:
        assert self._next()["sign"] == "("
        given = list(self._until(")"))
        return CALLS[name](*(v for key, v in given if key is None), **{key: v for key, v in given if key is not None})

    def _until(self, end: str) -> list[tuple[Any, Any]]:
        """Values up to a sign, each with the name before its colon, or None."""
        found: list[tuple[Any, Any]] = []
        while self.tokens[self.place]["sign"] != end:
            key = None
            if self.tokens[self.place + 1]["sign"] == ":":
                written = self._next()
                key = written["name"] or _text(written["text"][1:-1])
                self._next()
            found.append((key, self.value()))
            if self.tokens[self.place]["sign"] == ",":
                self._next()
        self._next()
        return found

    def _next(self) -> re.Match[str]:
        self.place += 1
        return self.tokens[self.place - 1]


def _text(written: str) -> str:
    return _ESCAPE.sub(_meant, written)


def _meant(escape: re.Match[str]) -> str:
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return _SHORT[escape["short"]] if escape["short"] else escape[0][0]


def _duration(written: str) -> int:
    number = written.rstrip("mshdw")
    return int(number) * _MILLISECONDS[written.removeprefix(number)]


def _word(written: str) -> object:
    return _WORDS[written] if written in _WORDS else SECRETS[written.removeprefix("secret.")]


_LITERALS: dict[str, Callable[[str], Any]] = {
    "text": lambda written: _text(written[1:-1]),
    "duration": _duration,
    "decimal": Decimal,
    "int": int,
    "name": _word,
}
