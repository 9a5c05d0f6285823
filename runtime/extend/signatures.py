"""Marked Python as entries of the catalog."""

import inspect
from collections.abc import Callable
from typing import Any

from compiler.catalog import Function, Param
from runtime.extend.hints import HintError, hints_of, optional, written
from runtime.extend.marks import FunctionMark


class SignatureError(Exception):
    """A function cannot become part of the language as it is written; the message says what to write."""


def function_entry(made: Callable[..., Any], mark: FunctionMark) -> Function:
    """The signature of a function. Raises SignatureError."""
    if inspect.iscoroutinefunction(made) or inspect.isgeneratorfunction(made) or inspect.isasyncgenfunction(made):
        raise SignatureError("a function computes and returns: write `def`, without `yield`")
    hints = _hints(made)
    params = tuple(_param(param, hints) for param in inspect.signature(made).parameters.values())
    result = _result(hints)
    if result == "none":
        raise SignatureError("a function gives something: say its type, `-> str`")
    return Function(
        made.__name__,
        params,
        result,
        doc=inspect.getdoc(made) or "",
        rewrites=mark.rewrites,
        failures=mark.failures,
        own=True,
    )


def _hints(made: Callable[..., Any]) -> dict[str, Any]:
    try:
        return hints_of(made)
    except HintError as error:
        raise SignatureError(str(error)) from error


def _param(param: inspect.Parameter, hints: dict[str, Any]) -> Param:
    if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD):
        raise SignatureError(f"`{param.name}` takes any number of arguments: write each parameter out")
    if param.kind is param.POSITIONAL_ONLY:
        raise SignatureError(f"`{param.name}` cannot be given by name: leave the `/` out")
    kind = _written(f"the parameter `{param.name}`", f"{param.name}: str", hints, param.name)
    required = param.default is param.empty
    return Param(param.name, kind if required or param.default is not None else optional(kind), required)


def _result(hints: dict[str, Any]) -> str:
    if hints.get("return", ...) is type(None):
        return "none"
    return _written("what it gives", "-> str", hints, "return")


def _written(what: str, example: str, hints: dict[str, Any], name: str) -> str:
    if name not in hints:
        raise SignatureError(f"{what} has no type hint: write one, such as `{example}`")
    try:
        return written(hints[name])
    except HintError as error:
        raise SignatureError(f"{what}: {error}") from error
