"""Connections with their secrets, ready to be spoken through."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from runtime.connections.asking import CAP, LIMIT
from runtime.connections.declared import Basic, Bearer, Connection, Encoding, Header, Http, Local, Service
from runtime.failures import StepFailure

_AGENT: Final = {"User-Agent": "seta/0.1"}
_TYPES: Final[Mapping[Encoding, str]] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}
_SHORTEST: Final = 4  # characters; to hide each `a` of a message would hide nothing but the message


@dataclass(frozen=True, slots=True)
class Web:
    """A web service as requests go to it."""

    name: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    limit: float = LIMIT  # s
    cap: int = CAP  # bytes
    encoding: Encoding = "json"
    content_type: str = _TYPES["json"]
    hidden: tuple[str, ...] = field(default=(), repr=False)  # what no message may tell
    redirects: int = 0  # that are followed, one after the other


@dataclass(frozen=True, slots=True)
class Signed:
    """A service with a client of its own: what seta.toml says of it, and its secrets by their places."""

    name: str
    declared: Service
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def hidden(self) -> tuple[str, ...]:
        """What no message may tell."""
        return _hidden(self.secrets.values())


@contextmanager
def untold(hidden: tuple[str, ...]) -> Iterator[None]:
    """Let no failure tell a secret: its message may be of the other side, which repeats what it was sent."""
    try:
        yield
    except StepFailure as failure:
        message = failure.message
        for secret in hidden:
            message = message.replace(secret, "•••")
        if message == failure.message:
            raise
        raise StepFailure(failure.code, message, failure.kind, failure.retry_after) from None


NO_CONNECTION: Final = Web("", "", MappingProxyType(_AGENT))  # for addresses that flows write whole
Ready = Web | Signed | Local


def ready(declared: Mapping[str, Connection], secrets: Mapping[str, str]) -> dict[str, Ready]:
    """The connections whose secrets are there; `secrets` has them by their places."""
    return {
        name: _ready(name, connection, secrets)
        for name, connection in declared.items()
        if all(place in secrets for place in connection.places())
    }


def _ready(name: str, declared: Connection, secrets: Mapping[str, str]) -> Ready:
    match declared:
        case Http():
            return _web(name, declared, secrets)
        case Local():
            return declared
        case _:
            return Signed(name, declared, {place: secrets[place] for place in declared.places()})


def _web(name: str, declared: Http, secrets: Mapping[str, str]) -> Web:
    signed = dict(_signed(declared, secrets))
    headers = _one_each(_AGENT, {"Content-Type": _TYPES[declared.encoding]}, declared.headers, signed)
    content_type = headers.pop(next(name for name in headers if name.lower() == "content-type"))
    told = {*(secrets[place] for place in declared.places()), *(value.rpartition(" ")[2] for value in signed.values())}
    return Web(
        name,
        declared.url.rstrip("/"),
        MappingProxyType(headers),
        declared.seconds,
        declared.cap,
        declared.encoding,
        content_type,
        _hidden(told),
        declared.redirects,
    )


def _hidden(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in told if len(text) >= _SHORTEST}, key=len, reverse=True))


def _one_each(*tables: Mapping[str, str]) -> dict[str, str]:
    """Headers of all tables; of those that differ in case only, the last."""
    found = {name.lower(): (name, value) for table in tables for name, value in table.items()}
    return dict(found.values())


def _signed(declared: Http, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The headers that sign in."""
    match declared.auth:
        case Bearer(token=token):
            yield "Authorization", f"Bearer {secrets[token]}"
        case Basic(user=user, password=password):
            pair = f"{secrets.get(user, user)}:{secrets.get(password, password)}"
            yield "Authorization", f"Basic {b64encode(pair.encode()).decode()}"
        case Header(headers=headers):
            yield from ((name, secrets[place]) for name, place in headers.items())
        case None:
            return
