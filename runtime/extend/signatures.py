"""Marked Python as entries of the catalog."""

import inspect
from collections.abc import Callable
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from compiler.catalog import EffectClass, Field, Function, Param, Slot, Verb
from runtime.extend.hints import HintError, hints_of, optional, written
from runtime.extend.marks import Call, FunctionMark, VerbMark


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


_SLOTS: Final = ("by", "to")
_FILLED: Final = frozenset(("phone", "email", "cpf", "cnpj"))  # nominal types, with which rule R4 may fill a slot


def verb_entry(made: Callable[..., Any], mark: VerbMark) -> Verb:
    """The signature of a verb. Raises SignatureError."""
    if not inspect.iscoroutinefunction(made):
        raise SignatureError("a verb is an `async def`; for work that blocks, `await asyncio.to_thread(…)` in it")
    if mark.effect not in list(EffectClass):
        raise SignatureError(f'there is no effect "{mark.effect}": write "idempotent", "keyed" or "once"')
    hints = _hints(made)
    params = [p for p in inspect.signature(made).parameters.values() if hints.get(p.name) is not Call]
    slots = tuple(_slot(p, hints) for name in _SLOTS for p in params if p.name == name)
    taken = [_param(p, hints) for p in params if p.name not in _SLOTS]
    if any("secret" in param.type for param in taken):
        raise SignatureError("a verb is handed no secret: name it in `secrets=[…]` and read it from `call.secrets`")
    fields = tuple(Field(p.name, p.type if p.required else optional(p.type)) for p in taken)
    result = _result(hints)
    return Verb(
        mark.verb,
        mark.noun,
        EffectClass(mark.effect),
        doc=inspect.getdoc(made) or "",
        slots=slots,
        with_="exact" if fields else "",
        fields=fields,
        result="" if result == "none" else result.removesuffix("?"),
        finds=result.endswith("?"),
        failures=mark.failures,
        secrets=mark.secrets,
        own=True,
    )


def _slot(param: inspect.Parameter, hints: dict[str, Any]) -> Slot:
    """`by` or `to`, which may be of more than one type."""
    hint = hints.get(param.name)
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    types = tuple(
        _written(f"the parameter `{param.name}`", f"{param.name}: Phone", {param.name: kind}, param.name)
        for kind in kinds
        if kind is not type(None)
    )
    required = param.default is param.empty
    return Slot(param.name, types, required, required and types[0] in _FILLED)


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
    if hints.get(name) is None:
        raise SignatureError(f"{what} has no type hint: write one, such as `{example}`")
    try:
        return written(hints[name])
    except HintError as error:
        raise SignatureError(f"{what}: {error}") from error
