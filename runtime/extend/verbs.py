"""Own verbs as the engine performs them."""

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from compiler.catalog import Verb
from runtime import context
from runtime.extend.hints import hints_of
from runtime.extend.marks import Call
from runtime.extend.values import FAILED, arguments, plain_json, unforeseen
from runtime.failures import Kind, StepFailure
from runtime.shapes import read_json


class OwnVerb:
    """A verb of the folder's Python."""

    def __init__(self, made: Callable[..., Any], entry: Verb) -> None:
        self._made = made
        self._entry = entry
        self._hints = hints_of(made)
        self._calls = [name for name, hint in self._hints.items() if hint is Call]
        self._file = inspect.getfile(made)

    def ready(self, secrets: Mapping[str, str]) -> context.RemoteVerb:
        """The verb, with the secrets that it names among these.

        It fails as its Python does, and as `python` where that raises anything else: what may be repeated then
        follows the effect's class, for nobody knows whether it happened.
        """
        own = {name: secrets[name] for name in self._entry.secrets if name in secrets}

        async def perform(call: context.Call) -> Any:
            try:
                return plain_json(await self._made(**self._arguments(call, own)))
            except StepFailure:
                raise
            except (Exception, SystemExit) as error:
                raise unforeseen(error, self._file, Kind.UNKNOWN) from error

        return context.RemoteVerb(perform, read_json)

    def _arguments(self, call: context.Call, secrets: Mapping[str, str]) -> dict[str, Any]:
        entry = self._entry
        if len(call.args) != len(entry.slots) + bool(entry.with_):
            raise StepFailure(FAILED, f"the run began with another signature of {entry.title}", Kind.NOT_DONE)
        slots = {slot.clause: value for slot, value in zip(entry.slots, call.args, strict=False) if value is not None}
        fields = call.args[-1] or {} if entry.with_ else {}
        try:
            given = arguments({**slots, **fields}, self._hints)
        except msgspec.ValidationError as error:
            raise StepFailure(FAILED, f"{entry.title} was handed what its hints refuse: {error}") from error
        return given | dict.fromkeys(self._calls, _told(call, secrets))


def _told(call: context.Call, secrets: Mapping[str, str]) -> Call:
    at = datetime.fromtimestamp(call.at / 1000, UTC)
    return Call(call.key, call.run.id, call.run.flow, at, call.config, call.log, secrets)
