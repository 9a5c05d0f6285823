"""What came back, read as JSON or as the type that the flow gives it."""

from collections.abc import Callable
from typing import Any

from runtime.failures import StepFailure
from runtime.shapes import MisfitError, NotJsonError, Problem

_TOLD = 3  # problems


def fitted(read: Callable[[bytes], Any], data: bytes, code: str, what: str) -> Any:
    """Read `data`; where it does not fit, fail with `code`, naming places and types but no values."""
    try:
        return read(data)
    except NotJsonError as error:
        raise StepFailure(code, f"{what} is not JSON: {error}") from error
    except MisfitError as error:
        told = "; ".join(map(_told, error.problems[:_TOLD]))
        more = len(error.problems) - _TOLD
        raise StepFailure(code, f"{what} does not fit: {told}" + (f"; and {more} more" if more > 0 else "")) from error
    except RecursionError as error:
        raise StepFailure(code, f"{what} is nested too deeply") from error


def _told(problem: Problem) -> str:
    where = f"at {problem.pointer} " if problem.pointer else ""
    return f"{where}{problem.expected} is expected, not {problem.got}"
