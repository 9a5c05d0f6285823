"""The guard on outbound addresses: which are public, which may be opened, and what a request meets."""

import contextlib
import socket
from collections.abc import AsyncIterator, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from runtime.connections.guard import AddressRefused, Guard, special
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.failures import Kind, StepFailure
from runtime.settings import Opening, parse_opening
from tests.receiver import Receiver

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
]
NOT_PUBLIC = {
    "0.0.0.0": "this machine",  # noqa: S104  # it is judged
    "0.1.2.3": "this machine",
    "10.0.0.1": "private",
    "100.64.0.1": "a provider's own network",
    "100.100.100.200": "a provider's own network",
    "127.0.0.1": "this machine",
    "127.255.255.254": "this machine",
    "168.63.129.16": "a cloud's own service",
    "169.254.169.254": "link-local, where clouds keep metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.168.1.1": "private",
    "198.18.0.1": "reserved for benchmarks",
    "224.0.0.1": "multicast",
    "255.255.255.255": "reserved",
    "::": "this machine",
    "::1": "this machine",
    "::7f00:1": "an IPv4 address in disguise",
    "::ffff:127.0.0.1": "this machine",
    "::ffff:a9fe:a9fe": "link-local, where clouds keep metadata",
    "::ffff:0:127.0.0.1": "an IPv4 address in disguise",
    "64:ff9b::7f00:1": "this machine",
    "64:ff9b::a9fe:a9fe": "link-local, where clouds keep metadata",
    "64:ff9b:1::7f00:1": "an IPv4 address in disguise",
    "100::1": "reserved",
    "2001::1": "a tunnel (Teredo)",
    "2001:2::1": "reserved",
    "2001:db8::1": "reserved for documentation",
    "2002:7f00:1::": "a tunnel (6to4)",
    "2002:808:808::": "a tunnel (6to4)",
    "3fff::1": "reserved for documentation",
    "4000::1": "reserved",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fd20:ce::254": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}


# The table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_may_be_reached(address: str) -> None:
    Guard().check(address, 443)


@pytest.mark.parametrize(("address", "what"), NOT_PUBLIC.items())
def test_address_that_is_not_public_is_refused_and_the_message_says_how_to_open_it(address: str, what: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Guard().check(address, 8401)

    shown, _, rest = str(refused.value).partition(" is ")
    assert rest == f"{what}, not public; `seta serve --allow-outbound {shown}:8401` lets steps reach it"
    opening = parse_opening(f"{shown}:8401")
    Guard([opening]).check(address, 8401)
    with pytest.raises(AddressRefused):
        Guard([opening]).check(address, 8402)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(AddressRefused, match=r"^/run/docker\.sock is not an address of the internet$"):
        Guard().check("/run/docker.sock", 1)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_form_in_which_a_machine_would_call_it(
    address: IPv4Address,
) -> None:
    forms = (f"::ffff:{address}", str(IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))))

    assert {refused(form) for form in forms} == {refused(str(address))}


@given(st.ip_addresses(v=4), st.sampled_from(["::", "::ffff:0:0:0", "64:ff9b:1::", "64:ff9b:1:ffff::"]))
def test_an_ipv4_address_in_any_other_disguise_is_refused(address: IPv4Address, prefix: str) -> None:
    assert refused(str(IPv6Address(int(IPv6Address(prefix)) + int(address))))


@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_a_tunnel_is_refused_whatever_it_leads_to(address: IPv4Address, rest: int) -> None:
    assert refused(str(IPv6Address(0x2002 << 112 | int(address) << 80 | rest)))
    assert refused(str(IPv6Address(0x2001_0000 << 96 | int(address) << 64 | rest & 2**64 - 1)))


@given(st.ip_addresses())
def test_no_address_is_public_that_python_calls_private_or_that_nobody_owns(
    address: IPv4Address | IPv6Address,
) -> None:
    if special(address) is None:
        assert address.is_global
        assert not address.is_multicast


def refused(address: str, *openings: Opening) -> bool:
    try:
        Guard(openings).check(address, 443)
    except AddressRefused:
        return True
    return False


# Openings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("127.0.0.1:8401", "127.0.0.1", 8401),
        ("127.0.0.1:8401", "::ffff:127.0.0.1", 8401),
        ("10.0.0.0/8:443", "10.200.3.4", 443),
        ("[::1]:8401", "::1", 8401),
        ("[fd00::]/8:443", "fd12:3456::1", 443),
        ("[fd00::/8]:443", "fd12:3456::1", 443),
    ],
)
def test_opening_lets_its_network_through_at_its_port_alone(text: str, address: str, port: int) -> None:
    guard = Guard([parse_opening(text)])
    guard.check(address, port)

    with pytest.raises(AddressRefused):
        guard.check(address, port + 1)
    with pytest.raises(AddressRefused):
        guard.check("192.168.0.1", port)


@pytest.mark.parametrize("text", ["127.0.0.1:8401", "10.0.0.0/8:443", "[::1]:1", "[fd00::]/8:65535"])
def test_opening_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_opening(text)) == text


SHOULD_BE = "is not IP[/N]:PORT, such as 127.0.0.1:8401, 10.0.0.0/8:443 or [fd00::]/8:443"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("127.0.0.1", f"'127.0.0.1' {SHOULD_BE}"),
        ("localhost:8401", f"'localhost:8401' {SHOULD_BE}"),
        ("127.0.0.1:0", f"'127.0.0.1:0' {SHOULD_BE}"),
        ("127.0.0.1:65536", f"'127.0.0.1:65536' {SHOULD_BE}"),
        ("127.0.0.1:*", f"'127.0.0.1:*' {SHOULD_BE}"),
        ("[127.0.0.1]:80", f"'[127.0.0.1]:80' {SHOULD_BE}"),
        ("::1:80", f"'::1:80' {SHOULD_BE}"),
        ("", f"'' {SHOULD_BE}"),
        ("10.1.0.0/8:443", f"'10.1.0.0/8:443' {SHOULD_BE}: 10.1.0.0/8 has host bits set"),
    ],
)
def test_what_is_no_opening_is_said_to_be_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as wrong:
        parse_opening(text)

    assert str(wrong.value) == message


# Requests -----------------------------------------------------------------------------------------


class Names(AbstractResolver):
    """A name server that a test writes; it counts the questions."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        self._names = names
        self.asked = 0

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002  # aiohttp's
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self._names[host]
        ]

    async def close(self) -> None:
        """Nothing is held."""


@contextlib.asynccontextmanager
async def client(names: AbstractResolver, openings: Iterable[Opening] = ()) -> AsyncIterator[HttpClient]:
    http = HttpClient(aiohttp_transport(Guard(openings), resolver=lambda: names))
    try:
        yield http
    finally:
        await http.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
async def test_address_in_the_url_itself_is_refused_for_good(host: str) -> None:
    async with Receiver() as receiver, client(aiohttp.ThreadedResolver()) as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(httpx.Request("POST", f"http://{host}:{receiver.port}/"))
        assert receiver.count == 0

    assert (failed.value.code, failed.value.kind) == ("address_refused", Kind.PERMANENT)


async def test_name_of_a_private_address_is_refused_for_good_and_the_message_says_what_to_do() -> None:
    async with Receiver() as receiver, client(Names(intern=("127.0.0.1", "10.0.0.8"))) as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(httpx.Request("POST", f"http://intern:{receiver.port}/"))
        assert receiver.count == 0

    port = receiver.port
    assert failed.value.kind is Kind.PERMANENT
    assert str(failed.value) == (
        f"address_refused: intern:{port} is not called: 127.0.0.1 is this machine, not public; "
        f"`seta serve --allow-outbound 127.0.0.1:{port}` lets steps reach it"
    )


async def test_opened_address_is_reached_by_name_and_by_number() -> None:
    async with Receiver() as receiver:
        opening = parse_opening(f"127.0.0.1:{receiver.port}")
        async with client(Names(intern=("127.0.0.1",)), [opening]) as http:
            for host in ("intern", "127.0.0.1"):
                await http.send(httpx.Request("POST", f"http://{host}:{receiver.port}/"))
        assert receiver.count == 2


async def test_of_a_name_only_the_addresses_that_pass_are_dialled() -> None:
    async with Receiver() as receiver:
        opening = parse_opening(f"127.0.0.1:{receiver.port}")
        async with client(Names(both=("::1", "10.0.0.8", "127.0.0.1")), [opening]) as http:
            await http.send(httpx.Request("POST", f"http://both:{receiver.port}/"))
        assert receiver.count == 1


async def test_address_that_was_judged_is_the_one_that_is_dialled() -> None:
    """There is no second question, whose answer could be another address."""
    names = Names(rebind=("127.0.0.1",))
    async with Receiver() as receiver:
        async with client(names, [parse_opening(f"127.0.0.1:{receiver.port}")]) as http:
            await http.send(httpx.Request("POST", f"http://rebind:{receiver.port}/"))
        assert (names.asked, receiver.count) == (1, 1)


async def test_client_without_a_transport_of_its_own_reaches_public_addresses_only() -> None:
    http = HttpClient()
    async with Receiver() as receiver:
        with pytest.raises(StepFailure, match=r"^address_refused: "):
            await http.send(httpx.Request("GET", receiver.url))
    await http.close()


def test_dialling_anything_but_ip_is_refused() -> None:
    info = (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/docker.sock", 0))
    with pytest.raises(AddressRefused):
        Guard().dial(info)


def test_who_dials_gets_a_socket_of_the_family() -> None:
    info: aiohttp.AddrInfoType = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1", 443, 0, 0))
    with Guard().dial(info) as made:
        assert (made.family, made.type) == (socket.AF_INET6, socket.SOCK_STREAM)
