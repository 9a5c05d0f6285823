"""The guard on outbound addresses: what a step dials is public, or was opened on purpose.

A name is looked up once, each of its addresses is judged, and only those that pass are dialled. An address that stands
in the URL itself is judged when it is dialled. The list is our own: `ipaddress.is_global` lets multicast, NAT64 and
6to4 forms of private addresses through, and `is_private` knows no shared address space.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from runtime.settings import Opening

Address = IPv4Address | IPv6Address

# IANA's registries of special-purpose addresses, and where clouds tell machines their secrets.
_NOT_PUBLIC: Final = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this machine"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "a provider's own network"),
        ("127.0.0.0/8", "this machine"),
        ("168.63.129.16/32", "a cloud's own service"),
        ("169.254.0.0/16", "link-local, where clouds keep metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_NOT_PUBLIC_6: Final = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("::/128", "this machine"),
        ("::1/128", "this machine"),
        ("::/96", "an IPv4 address in disguise"),
        ("::ffff:0:0:0/96", "an IPv4 address in disguise"),
        ("64:ff9b:1::/48", "an IPv4 address in disguise"),
        ("2001::/32", "a tunnel (Teredo)"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "a tunnel (6to4)"),
        ("3fff::/20", "reserved for documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):  # noqa: N818  # it is the address's own state, as in ConnectionRefusedError
    """An address that steps may not reach; the message says why, and how to open it."""


class Guard:
    """Judges addresses. `openings` are the exceptions of the server's operator."""

    def __init__(self, openings: Iterable[Opening] = ()) -> None:
        self._openings = tuple(openings)

    def check(self, host: str, port: int) -> None:
        """Raise AddressRefused where the address of a host is neither public nor opened at this port."""
        try:
            address = plain(ip_address(host.partition("%")[0]))
        except ValueError as error:
            raise AddressRefused(f"{host} is not an address of the internet") from error
        if (what := special(address)) is not None and not self._opened(address, port):
            shown = str(address) if address.version == 4 else f"[{address}]"
            raise AddressRefused(
                f"{shown} is {what}, not public; `seta serve --allow-outbound {shown}:{port}` lets steps reach it"
            )

    def _opened(self, address: Address, port: int) -> bool:
        return any(address in opening.network and opening.port in (None, port) for opening in self._openings)

    def dial(self, info: AddrInfoType) -> socket.socket:
        """Make the socket for an address that is about to be connected to. Raises AddressRefused."""
        family, kind, protocol, _, place = info
        self.check(str(place[0]), int(place[1]))
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Gives only those addresses of a name that may be dialled."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up. Raises AddressRefused where none of its addresses may be dialled."""
        good: list[ResolveResult] = []
        refused: AddressRefused | None = None
        for found in await self._resolver.resolve(host, port, family):
            try:
                self._guard.check(found["host"], port)
            except AddressRefused as error:
                refused = refused or error
            else:
                good.append(found)
        if refused is not None and not good:
            raise refused
        return good

    async def close(self) -> None:
        """Close the resolver inside."""
        await self._resolver.close()


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where a machine would really call that; else itself."""
    if isinstance(address, IPv6Address):
        if (mapped := address.ipv4_mapped) is not None:
            return mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def special(address: Address) -> str | None:
    """What an address is instead of public; None: it is public."""
    if isinstance(address, IPv4Address):
        return next((what for network, what in _NOT_PUBLIC if address in network), None)
    found = next((what for network, what in _NOT_PUBLIC_6 if address in network), None)
    return found or (None if address in _GLOBAL_6 else "reserved")
