"""What is woven into a server so that its work can be traced: a seam, and nothing where nobody traces."""

from typing import Protocol

from runtime.connections.http import HttpClient
from runtime.connections.wire import AiohttpWire
from runtime.door.app import Acceptor
from runtime.door.clients import Clients
from runtime.door.hooks import Hooks
from runtime.engine.runs import FindProgram
from runtime.listening import Application


class Traces(Protocol):
    """Gives each part of a server another one, which does the same and is traced."""

    def door(self, door: Application, hooks: Hooks, clients: Clients) -> Application:
        """What answers requests."""
        ...

    def acceptor(self, engine: Acceptor) -> Acceptor:
        """What keeps deliveries and begins their runs."""
        ...

    def find(self, find: FindProgram) -> FindProgram:
        """What gives the program of a run that goes on."""
        ...

    def client(self, wire: AiohttpWire) -> HttpClient:
        """What carries requests of steps."""
        ...

    def close(self) -> None:
        """Let go of what is left to export; it may take seconds."""
        ...


class NoTraces:
    """Gives each part as it is."""

    def door(self, door: Application, hooks: Hooks, clients: Clients) -> Application:  # noqa: ARG002  # as it is
        """The door."""
        return door

    def acceptor(self, engine: Acceptor) -> Acceptor:
        """The engine."""
        return engine

    def find(self, find: FindProgram) -> FindProgram:
        """The same."""
        return find

    def client(self, wire: AiohttpWire) -> HttpClient:
        """A client."""
        return HttpClient(wire)

    def close(self) -> None:
        """Nothing is left."""
