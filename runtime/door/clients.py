"""Who calls: the peer of the connection, or whom a proxy that is trusted speaks for.

What logs and spans hold of an address is its network: they outlive what `seta privacy erase` can reach, and may go
elsewhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from runtime.settings import Network

Scope = Mapping[str, Any]
Ip = IPv4Address | IPv6Address

UNKNOWN: Final = "unknown"
_LONGEST: Final = 4096  # bytes of such a header; no chain of proxies is as long
_KEPT_BITS: Final = {4: 24, 6: 48}  # of an address: a network of many callers

_HOP: Final = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|(?P<four>[0-9.]+)(?::[0-9]{1,5})?|(?P<six>[0-9A-Fa-f:.]+)"
)
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # of RFC 9110, no password
_PAIR: Final = re.compile(
    rf'[ \t]*+(?P<name>{_TOKEN})=(?:(?P<token>{_TOKEN})|"(?P<quoted>(?:[^"\\]|\\.)*+)")[ \t]*+(?P<end>[;,]|\Z)'
)


class Clients:
    """Finds who calls. `proxies` are the networks whose machines are believed when they name somebody else."""

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = proxies

    def of(self, scope: Scope) -> Ip | None:
        """The peer, or if that is a trusted proxy the rightmost address that is none, in the header that it sends.

        Where the header is malformed as far as it is read, or `Forwarded` and `X-Forwarded-For` name different
        addresses, it is the peer: a proxy sets one of them and lets the other one pass as it came. None: it has no
        address.
        """
        peer = read_hop((scope.get("client") or ("",))[0])
        if peer is None or not self._trusts(peer):
            return peer
        said = {self._outermost(hops) for hops in _chains(scope["headers"])}
        return (said.pop() if len(said) == 1 else None) or peer

    def shown(self, scope: Scope) -> str:
        """The network of who calls, for logs and spans."""
        address = self.of(scope)
        return UNKNOWN if address is None else str(ip_network((address, _KEPT_BITS[address.version]), strict=False))

    def _trusts(self, address: Ip) -> bool:
        return any(address in network for network in self._proxies)

    def _outermost(self, hops: Sequence[str]) -> Ip | None:
        """The rightmost that is not trusted, the leftmost if all are, or None where one is unreadable before that."""
        address = None
        for hop in reversed(hops):
            address = read_hop(hop)
            if address is None or not self._trusts(address):
                break
        return address


def read_hop(text: str) -> Ip | None:
    """An address, with a port or without; one of IPv6 with a port stands in brackets. None: it is none."""
    found = _HOP.fullmatch(text)
    if found is None:
        return None
    try:
        address = ip_address(found["bracketed"] or found["four"] or found["six"])
    except ValueError:
        return None
    if found["bracketed"] and address.version == 4:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _chains(headers: Sequence[tuple[bytes, bytes]]) -> Iterator[list[str]]:
    """Of each header that names a chain of callers, the callers; the one that called last is at the right."""
    for name, read in _READERS:
        lines = [value for header, value in headers if header == name]
        if lines:
            value = b",".join(lines)
            yield read(value.decode("latin-1")) if len(value) <= _LONGEST else []


def _of_x_forwarded_for(value: str) -> list[str]:
    return [hop.strip(" \t") for hop in value.split(",")]


def _of_forwarded(value: str) -> list[str]:
    """What is said after `for=` in each element (RFC 7239); nothing where the header is malformed."""
    hops, hop, at = [], "", 0
    while at < len(value):
        pair = _PAIR.match(value, at)
        if pair is None:
            return []
        if pair["name"].lower() == "for":
            hop = pair["token"] or re.sub(r"\\(.)", r"\1", pair["quoted"] or "")
        if pair["end"] != ";":
            hops.append(hop)
            hop = ""
        at = pair.end()
    return hops


_READERS: Final[tuple[tuple[bytes, Callable[[str], list[str]]], ...]] = (
    (b"x-forwarded-for", _of_x_forwarded_for),
    (b"forwarded", _of_forwarded),
)
