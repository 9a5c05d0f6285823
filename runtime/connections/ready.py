"""Connections with their secrets, ready to be spoken through."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from runtime.connections.asking import CAP, LIMIT
from runtime.connections.declared import Basic, Bearer, Connection, Encoding, Header, Http, Local

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

    def without_secrets(self, text: str) -> str:
        """A text of the other side's, which may have repeated what it was sent."""
        for secret in self.hidden:
            text = text.replace(secret, "•••")
        return text


NO_CONNECTION: Final = Web("", "", MappingProxyType(_AGENT))  # for addresses that flows write whole
Ready = Web | Local


def ready(declared: Mapping[str, Connection], secrets: Mapping[str, str]) -> dict[str, Ready]:
    """The connections whose secrets are there; `secrets` has them by their places."""
    return {
        name: _web(name, connection, secrets) if isinstance(connection, Http) else connection
        for name, connection in declared.items()
        if all(place in secrets for place in connection.places())
    }


def _web(name: str, declared: Http, secrets: Mapping[str, str]) -> Web:
    signed = dict(_signed(declared, secrets))
    headers = _one_each(_AGENT, {"Content-Type": _TYPES[declared.encoding]}, declared.headers, signed)
    content_type = headers.pop(next(name for name in headers if name.lower() == "content-type"))
    told = {*(secrets[place] for place in declared.places()), *(value.rpartition(" ")[2] for value in signed.values())}
    hidden = sorted((text for text in told if len(text) >= _SHORTEST), key=len, reverse=True)
    return Web(
        name,
        declared.url.rstrip("/"),
        MappingProxyType(headers),
        declared.seconds,
        declared.cap,
        declared.encoding,
        content_type,
        tuple(hidden),
    )


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
