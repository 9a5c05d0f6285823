"""Who may come in at a hook: what arrived is judged as it came, before anything is decoded."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from runtime.door.answers import WRONG_TOKEN, Answer, text, unauthorized
from runtime.door.arriving import Content
from runtime.door.clients import Clients
from runtime.program import Program
from runtime.schemes import Call, Denied, Lock, make_lock, proof

logger = logging.getLogger("seta.door")

Scope = Mapping[str, Any]


class Gate(Protocol):
    """What stands before a hook."""

    def turns_away(self, scope: Scope, body: Content) -> Answer | None:
        """The answer to a delivery that may not come in; None: it may."""
        ...

    def greets(self, scope: Scope) -> Answer | None:
        """The answer to a request without body with which a sender tries the address; None to any other."""
        ...


class Open:
    """No gate: whoever knows the address may come in."""

    def turns_away(self, scope: Scope, body: Content) -> None:
        """Nobody."""

    def greets(self, scope: Scope) -> None:
        """Nobody."""


OPEN: Final = Open()
NO_PROXIES: Final = Clients()


class Locked:
    """A gate with the lock of a scheme. Every refusal is the same answer, whatever was wrong; the log says what."""

    def __init__(self, flow: str, lock: Lock, asks: str, gates: "Gates") -> None:
        self._flow = flow
        self._lock = lock
        self._base = gates.base.encode()
        self._now = gates.now
        self._clients = gates.clients
        self._unauthorized = unauthorized(asks, lock.challenge)

    def turns_away(self, scope: Scope, body: Content) -> Answer | None:
        """The answer to a delivery that does not prove who sent it."""
        call = self._call(scope, body)
        if (denied := self._lock.denies(call, self._now())) is None:
            return None
        if (greeting := self._greeting(call)) is not None:
            return greeting
        facts = {"flow": self._flow, "status": 401, "reason": denied.value, "client": self._clients.shown(scope)}
        logger.info("delivery refused", extra=facts)
        return self._unauthorized

    def greets(self, scope: Scope) -> Answer | None:
        """What the scheme says to a request that only tries the address."""
        return self._greeting(self._call(scope, b""))

    def _greeting(self, call: Call) -> Answer | None:
        match self._lock.greets(call):
            case None:
                return None
            case Denied():
                return WRONG_TOKEN
            case bytes() as said:
                return text(said)

    def _call(self, scope: Scope, body: Content) -> Call:
        query = scope["query_string"]
        url = self._base + scope["raw_path"] + (b"?" + query if query else b"")
        return Call(scope["method"].encode(), url, query, scope["headers"], body)


@dataclass(frozen=True, slots=True)
class Gates:
    """Makes the gates of a server. `base` is the address that senders call, without a hook's path."""

    secrets: Mapping[str, str]
    base: str
    now: Callable[[], int]  # ms since the Unix epoch
    clients: Clients = NO_PROXIES

    def gate(self, program: Program) -> Gate:
        """What stands before a flow. Raises SecretError where a secret is not what its scheme takes."""
        guard = program.guard
        if guard is None:
            return OPEN
        lock = make_lock(guard.scheme, guard.chosen(self.secrets), guard.options)
        return Locked(program.flow, lock, proof(guard.scheme, guard.options), self)
