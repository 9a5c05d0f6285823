"""Every setting of one server or command, decoded once at the edge and passed down as an argument."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

import msgspec

MEGABYTE: Final = 1_000_000

Network = IPv4Network | IPv6Network


class Address(msgspec.Struct, frozen=True):
    """Where a server listens. `host` is a name or an IP address, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read HOST:PORT, with an IPv6 address in brackets. Raises ValueError, whose message is for people."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8402")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


class Opening(msgspec.Struct, frozen=True):
    """Addresses that steps may reach although they are not public, at one port; None: at all of them."""

    network: Network
    port: int | None

    def __str__(self) -> str:
        address = str(self.network.network_address)
        host = f"[{address}]" if self.network.version == 6 else address
        length = "" if self.network.num_addresses == 1 else f"/{self.network.prefixlen}"
        return f"{host}{length}:{'*' if self.port is None else self.port}"


def parse_opening(text: str) -> Opening:
    """Read IP[/N]:PORT, an IPv6 address in brackets. Raises ValueError, whose message is for people."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and "]" in host
    try:
        network = ip_network(host.replace("[", "", 1).replace("]", "", 1) if bracketed else host)
    except ValueError as error:
        wrong = f"{text!r} is not IP[/N]:PORT, such as 127.0.0.1:8401, 10.0.0.0/8:443 or [fd00::]/8:443"
        raise ValueError(f"{wrong}: {error}" if "/" in host else wrong) from error
    if bracketed != (network.version == 6) or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is not IP[/N]:PORT, such as 127.0.0.1:8401, 10.0.0.0/8:443 or [fd00::]/8:443")
    return Opening(network, int(port))


def parse_network(text: str) -> Network:
    """Read IP[/N], without brackets. Raises ValueError, whose message is for people."""
    try:
        network = ip_network(text)
    except ValueError as error:
        wrong = f"{text!r} is not IP[/N], such as 127.0.0.1, 10.0.0.0/8 or fd00::/8"
        raise ValueError(f"{wrong}: {error}" if "/" in text else wrong) from error
    if network.prefixlen == 0:
        raise ValueError(f"{text!r} is everybody, who could then call in any name: say where the proxies are")
    return network


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One server. Times are seconds, sizes bytes; the limit of one body belongs to its flow (Program.limit)."""

    flows: Path = Path("flows")
    data: Path = Path(".seta")
    listen: Address = Address("127.0.0.1", 8400)
    admin: Address | None = None  # beside the socket in the data folder
    public_url: str | None = None  # what senders call instead of the address we listen on
    trusted_proxies: tuple[Network, ...] = ()  # who may say for whom they call
    allow_outbound: tuple[Opening, ...] = ()

    code_processes: int = 2  # for the code blocks of flows
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)  # where a server looks for secrets
    secrets: dict[str, str] = msgspec.field(default_factory=dict)  # of a single run: by name, of connections by place
    watch: bool = False  # reload after each change of the folder of flows
    code_environment: dict[str, str] = {}  # PATH, LANG and TZ, which is all that they see

    folder_seconds: float = 10.0  # to wait for a dying process to let go of the data folder
    running: int = 256  # runs in memory at once; more wait in the journal
    max_queue_age: float | None = None  # of the first run that waits for its turn, for `/readyz`; None: any
    grace: float = 5.0  # for what is under way when the server is told to stop
    connections: int = 4096  # open at once; the kernel holds back more, up to `backlog`
    backlog: int = 2048
    header_seconds: float = 5.0  # from an open connection to the end of a request's headers
    body_seconds: float = 10.0  # from there to the end of its body
    bodies: int = 64 * 1024**2  # of bodies that are not answered yet, all together

    @property
    def socket(self) -> Path:
        """Where commands find the server that owns the data folder."""
        return self.data / "admin.sock"
