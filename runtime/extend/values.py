"""Values of flows as own Python sees them, and what it gives as JSON."""

import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from runtime.failures import Kind, StepFailure
from runtime.steps import plain

FAILED: Final = "python"  # the code of a failure that own Python did not choose itself

_KEPT: Final = (Decimal, date, datetime, timedelta)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def arguments(given: Mapping[str, Any], hints: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as their hints say, which may be records of the user's own. Raises msgspec.ValidationError."""
    return {name: msgspec.convert(plain(value, absent=True), hints.get(name, Any)) for name, value in given.items()}


def as_json(value: Any) -> bytes:
    """What own Python gives, in the form in which the door reads it. Raises TypeError and ValueError."""
    return _encode(plain_json(value))


def plain_json(value: Any) -> Any:
    """The same as plain dicts and lists. Raises TypeError."""
    return msgspec.to_builtins(value, builtin_types=_KEPT)


def unforeseen(error: BaseException, file: str, kind: Kind) -> StepFailure:
    """The failure that an exception of own Python comes to; its message names the innermost line of the module."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f"  ({Path(file).name}:{frames[-1].lineno})" if frames else ""
    text = ": ".join(part for part in (type(error).__name__, str(error)) if part)
    return StepFailure(FAILED, f"{text}{place}", kind)
