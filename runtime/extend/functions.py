"""Own functions as generated code calls them."""

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from runtime.extend.hints import hints_of
from runtime.extend.values import FAILED, arguments, as_json, unforeseen
from runtime.failures import Kind, StepFailure
from runtime.shapes import Kind as Shape
from runtime.shapes import reader
from runtime.steps import fitted


class OwnFunction:
    """A function of the folder's Python."""

    def __init__(self, made: Callable[..., Any]) -> None:
        self._made = made
        self._hints = hints_of(made)
        self._file = inspect.getfile(made)

    def giving(self, shape: Shape) -> Callable[..., Any]:
        """The function for a plan: arguments become what its hints say, and its result is read as the plan's type.

        It raises StepFailure: the function's own, or `python` where it raises anything else or does not fit.
        """
        read = reader(shape)

        def call(**given: Any) -> Any:
            return fitted(read, self._run(given), FAILED, f"what {self._made.__name__} returned")

        return call

    def _run(self, given: dict[str, Any]) -> bytes:
        try:
            return as_json(self._made(**arguments(given, self._hints)))
        except StepFailure:
            raise
        except msgspec.ValidationError as error:
            raise StepFailure(FAILED, f"{self._made.__name__} was handed what its hints refuse: {error}") from error
        except (Exception, SystemExit) as error:
            raise unforeseen(error, self._file, Kind.PERMANENT) from error
