"""What senders see of a server: where each flow is called, and the document that describes it."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.admin.documents import Url
from runtime.admin.operations import NoSuchFlowError
from runtime.door.answers import media_types
from runtime.door.openapi import document
from runtime.door.samples import sample_of
from runtime.program import Program
from runtime.schemes import by_curl, proof
from runtime.settings import Address, Settings


@dataclass(frozen=True, slots=True)
class Facade:
    """The outside of a server.

    `flows` gives what is served now, by path; `places` where secrets are, as seta.toml says.
    """

    settings: Settings
    flows: Callable[[], Mapping[str, Program]]
    places: Callable[[], Mapping[str, str]] = dict

    def urls(self) -> list[Url]:
        """Say where each flow is called, in order of name."""
        base = public_base(self.settings)
        return [self._url(base, path, program) for path, program in self._by_name()]

    def openapi(self, flow: str | None = None) -> Mapping[str, Any]:
        """Describe all flows, or one. Raises NoSuchFlowError."""
        described = {path: program for path, program in self._by_name() if flow in (None, program.flow)}
        if flow is not None and not described:
            raise NoSuchFlowError(flow, [program.flow for _, program in self._by_name()])
        return document(public_base(self.settings), described, self.settings.body_seconds)

    def _by_name(self) -> list[tuple[str, Program]]:
        return sorted(self.flows().items(), key=lambda entry: entry[1].flow)

    def _url(self, base: str, path: str, program: Program) -> Url:
        body, guard = sample_of(program.accept, program.payload), program.guard
        url = Url(program.flow, "POST", f"{base}{path}", body, media_types(program.accept))
        if guard is None:
            return url
        secrets = {param: self._in_shell(name) for param, name in guard.secrets.items()}
        wanted, credentials = proof(guard.scheme, guard.options), by_curl(guard.scheme, guard.options, secrets)
        return msgspec.structs.replace(url, proof=wanted, credentials=credentials)

    def _in_shell(self, secret: str) -> str:
        """How a shell in the server's folder reads a secret, inside of double quotes."""
        kind, _, where = self.places().get(secret, f"env:SETA_SECRET_{secret}").partition(":")
        return f"${where}" if kind == "env" else f"$(cat {shlex.quote(str(self.settings.flows / where))})"


def public_base(settings: Settings) -> str:
    """What all addresses of hooks begin with, as senders write them."""
    return (settings.public_url or f"http://{_reachable(settings.listen)}").rstrip("/")


def _reachable(address: Address) -> Address:
    """Name an address that reaches a server that listens on all there are."""
    return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port)  # noqa: S104  # it is compared
