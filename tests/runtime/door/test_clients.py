"""Who calls: whatever stands in a header, only a proxy that is trusted is believed, and nothing is a fault of ours."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.door.app import Door
from runtime.door.clients import UNKNOWN, Clients
from runtime.door.gate import Gates
from runtime.settings import Address, parse_network
from tests.runtime.cli.process import RETOMADA, seta
from tests.runtime.door.harness import LEAD, PATH, House
from tests.runtime.served import serving

PROXIES = tuple(map(parse_network, ("10.0.0.0/8", "127.0.0.1", "fd00::/8")))
BEHIND = Clients(PROXIES)
X = "X-Forwarded-For"
F = "Forwarded"
Lines = Sequence[tuple[str, str]]


def scope(peer: str, *lines: tuple[str, str]) -> dict[str, Any]:
    return {"client": (peer, 40000), "headers": [(name.lower().encode(), value.encode()) for name, value in lines]}


CASES: list[tuple[str, str, Lines, str]] = [
    ("nobody says anything", "203.0.113.9", [], "203.0.113.9"),
    ("a stranger says who he is", "203.0.113.9", [(X, "198.51.100.1"), (F, "for=198.51.100.1")], "203.0.113.9"),
    ("a proxy says nothing", "10.1.2.3", [], "10.1.2.3"),
    ("a proxy says for whom it calls", "10.1.2.3", [(X, "198.51.100.1")], "198.51.100.1"),
    ("the caller wrote a name before", "10.1.2.3", [(X, "1.1.1.1, 198.51.100.1")], "198.51.100.1"),
    ("the caller wrote nonsense before", "10.1.2.3", [(X, "<script>,, 198.51.100.1")], "198.51.100.1"),
    ("two proxies one behind the other", "10.1.2.3", [(X, "1.1.1.1, 198.51.100.1,10.9.9.9")], "198.51.100.1"),
    ("two lines are one", "10.1.2.3", [(X, "1.1.1.1"), (X, "198.51.100.1"), (X, "10.9.9.9")], "198.51.100.1"),
    ("a machine of ours calls", "10.1.2.3", [(X, "10.7.7.7, 10.9.9.9")], "10.7.7.7"),
    ("with a port", "10.1.2.3", [(X, "198.51.100.1:4711")], "198.51.100.1"),
    ("version 6", "10.1.2.3", [(X, "2001:db8::17")], "2001:db8::17"),
    ("version 6 in brackets", "10.1.2.3", [(X, "[2001:db8::17]")], "2001:db8::17"),
    ("version 6 with a port", "fd00::1", [(X, "[2001:db8::17]:4711")], "2001:db8::17"),
    ("version 4 inside of 6", "::ffff:10.1.2.3", [(X, "::ffff:198.51.100.1")], "198.51.100.1"),
    ("spaces and tabs", "10.1.2.3", [(X, " \t198.51.100.1\t ")], "198.51.100.1"),
    ("no address", "10.1.2.3", [(X, "unknown")], "10.1.2.3"),
    ("an empty header", "10.1.2.3", [(X, "")], "10.1.2.3"),
    ("an empty end", "10.1.2.3", [(X, "198.51.100.1,")], "10.1.2.3"),
    ("a name", "10.1.2.3", [(X, "localhost")], "10.1.2.3"),
    ("a short form of version 4", "10.1.2.3", [(X, "127.1")], "10.1.2.3"),
    ("zeros before", "10.1.2.3", [(X, "198.051.100.001")], "10.1.2.3"),
    ("a zone", "10.1.2.3", [(X, "fe80::1%eth0")], "10.1.2.3"),
    ("version 4 in brackets", "10.1.2.3", [(X, "[198.51.100.1]")], "10.1.2.3"),
    ("a bracket that stays open", "10.1.2.3", [(X, "[2001:db8::17")], "10.1.2.3"),
    ("a port that is none", "10.1.2.3", [(X, "198.51.100.1:x")], "10.1.2.3"),
    ("digits of other scripts", "10.1.2.3", [(X, "١٩٨.51.100.1")], "10.1.2.3"),
    ("nonsense after a proxy", "10.1.2.3", [(X, "198.51.100.1, ?, 10.9.9.9")], "10.1.2.3"),
    ("longer than any chain", "10.1.2.3", [(X, "10.9.9.9," * 500 + "198.51.100.1")], "10.1.2.3"),
    ("the standard", "10.1.2.3", [(F, "for=198.51.100.1")], "198.51.100.1"),
    ("the standard with all it has", "10.1.2.3", [(F, 'By=_a;FOR="198.51.100.1:80";proto=https')], "198.51.100.1"),
    ("the standard, version 6", "10.1.2.3", [(F, 'for="[2001:db8::17]:4711"')], "2001:db8::17"),
    ("the standard, two proxies", "10.1.2.3", [(F, 'for=1.1.1.1, for="198.51.100.1" , for=10.9.9.9')], "198.51.100.1"),
    ("a comma and an escape in quotes", "10.1.2.3", [(F, 'for="a\\",b", for="198.51.100\\.1"')], "198.51.100.1"),
    ("an element without `for`", "10.1.2.3", [(F, "for=198.51.100.1, proto=https")], "10.1.2.3"),
    ("somebody who is hidden", "10.1.2.3", [(F, "for=_hidden")], "10.1.2.3"),
    ("quotes that stay open", "10.1.2.3", [(F, 'for="198.51.100.1')], "10.1.2.3"),
    ("an address without quotes", "10.1.2.3", [(F, "for=[2001:db8::17]")], "10.1.2.3"),
    ("both say the same", "10.1.2.3", [(F, "for=198.51.100.1"), (X, "1.1.1.1, 198.51.100.1")], "198.51.100.1"),
    ("one was let through", "10.1.2.3", [(F, "for=1.1.1.1"), (X, "198.51.100.1")], "10.1.2.3"),
    ("one of both is malformed", "10.1.2.3", [(F, "for"), (X, "198.51.100.1")], "10.1.2.3"),
    ("other headers", "10.1.2.3", [("X-Real-Ip", "198.51.100.1"), ("Host", "198.51.100.1")], "10.1.2.3"),
]


@pytest.mark.parametrize(("peer", "lines", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_client_is_the_peer_or_whom_a_trusted_proxy_speaks_for(peer: str, lines: Lines, found: str) -> None:
    assert BEHIND.of(scope(peer, *lines)) == ip_address(found)


def test_without_proxies_nobody_is_believed() -> None:
    assert str(Clients().of(scope("10.1.2.3", (X, "198.51.100.1")))) == "10.1.2.3"


@pytest.mark.parametrize(
    ("peer", "shown"),
    [("203.0.113.9", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::ffff:1.2.3.4", "1.2.3.0/24")],
)
def test_network_is_shown_and_not_the_address(peer: str, shown: str) -> None:
    assert BEHIND.shown(scope(peer)) == shown


@pytest.mark.parametrize("client", [None, ("", 0)])
def test_peer_without_an_address_is_unknown(client: tuple[str, int] | None) -> None:
    one = {"client": client, "headers": [(b"x-forwarded-for", b"198.51.100.1")]}
    assert BEHIND.of(one) is None
    assert BEHIND.shown(one) == UNKNOWN


# --- whatever stands in it

addresses = st.ip_addresses()
pieces = st.sampled_from(["for=", "For", '"', "\\", ",", ";", " ", "[", "]", ":80", "10.0.0.1", "=", "unknown"])
hops = st.lists(pieces | addresses.map(str) | st.text(max_size=5), max_size=12).map("".join)
names = st.sampled_from([b"x-forwarded-for", b"forwarded"])
listed = st.lists(st.tuples(names, hops.map(lambda text: text.encode()) | st.binary(max_size=40)), max_size=3)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@given(headers=listed, body=st.sampled_from([LEAD, b"{}"]))
def test_whatever_a_proxy_says_a_delivery_is_answered_as_ever(
    runner: asyncio.Runner, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    house = House()
    house.door = Door(house.engine, house.hooks, house.readiness, house.intake, BEHIND)
    length = (b"content-length", b"%d" % len(body))
    with at_debug():
        reply = runner.run(house.ask("POST", PATH.encode(), [*headers, length], [body]))
    assert reply.status == (200 if body == LEAD else 422)


@contextmanager
def at_debug() -> Iterator[None]:
    """Let the door tell of each delivery."""
    logger = logging.getLogger("seta.door")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(before)


@given(headers=listed, peer=addresses)
def test_any_header_of_a_stranger_changes_nothing(headers: list[tuple[bytes, bytes]], peer: Any) -> None:
    one = {"client": (str(peer), 1), "headers": headers}
    assert Clients().of(one) == (getattr(peer, "ipv4_mapped", None) or peer)


@given(address=addresses, before=st.text(max_size=20), proxies=st.lists(st.ip_addresses(network="10.0.0.0/8")))
def test_nothing_that_a_caller_writes_stands_in_for_his_address(address: Any, before: str, proxies: list[Any]) -> None:
    """Each proxy appends who called it: what came in stays left of that."""
    chain = ", ".join([before.replace(",", " "), str(address), *map(str, proxies[:50])])
    found = BEHIND.of({"client": ("10.1.2.3", 1), "headers": [(b"x-forwarded-for", chain.encode())]})
    bare = getattr(address, "ipv4_mapped", None) or address
    if not any(bare in network for network in PROXIES):
        assert found == bare


def test_headers_made_to_be_slow_are_not() -> None:
    """Each would take minutes if reading went back over what it has read."""
    for value in (
        b" " * 4096,
        b"for=" + b"a" * 4000,
        b'for="' + b"\\a" * 2000,
        b"a=b" + b" " * 4000 + b"x",
        b":" * 4096,
    ):
        for name in (b"x-forwarded-for", b"forwarded"):
            assert str(BEHIND.of({"client": ("10.1.2.3", 1), "headers": [(name, value)]})) == "10.1.2.3"


# --- where it is used


async def test_log_tells_the_network_of_the_client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    flows = {
        "retomada.seta": RETOMADA,
        "b.seta": 'flow chave on webhook token header "X-Token" (secret.CHAVE) {n: int} -> log n\n',
    }
    secrets = {"SETA_SECRET_CHAVE": "segredo"}
    with caplog.at_level(logging.DEBUG, "seta.door"):
        async with serving(tmp_path, flows, trusted_proxies=PROXIES, environment=secrets) as server:
            statuses = [
                (await server.post(flow, content, X_Forwarded_For=chain)).status_code
                for flow, content, chain in (
                    ("retomada", '{"telefone": "11999998888"}', "198.51.100.1"),
                    ("retomada", "{}", "2001:db8:1:2::3"),
                    ("chave", '{"n": 1}', "1.1.1.1, 198.51.100.1"),
                    ("retomada", "{", "segredo"),
                )
            ]
    assert statuses == [200, 422, 401, 400]
    told = [(entry.getMessage(), vars(entry)["client"]) for entry in caplog.records if entry.name == "seta.door"]
    assert told == [
        ("delivery accepted", "198.51.100.0/24"),
        ("delivery refused", "2001:db8:1::/48"),
        ("delivery refused", "198.51.100.0/24"),
        ("delivery refused", "127.0.0.0/24"),
    ]


async def test_proxy_over_version_4_is_known_where_a_server_listens_on_all_addresses_of_6(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    everywhere = Address("::", 0)
    with caplog.at_level(logging.INFO, "seta.door"):
        async with serving(tmp_path, {"a.seta": RETOMADA}, trusted_proxies=PROXIES, listen=everywhere) as server:
            url = f"http://127.0.0.1:{server.settings.listen.port}{server.paths['a']}"
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.post(url, content=b"{", headers={X: "[2001:db8::17]:80"})).status_code == 400
    assert [vars(entry)["client"] for entry in caplog.records if entry.name == "seta.door"] == ["2001:db8::/48"]


def test_gates_believe_no_proxy_by_themselves() -> None:
    assert str(Gates({}, "", lambda: 0).clients.of(scope("127.0.0.1", (X, "198.51.100.1")))) == "127.0.0.1"


WRONG = [
    ("proxy.example", "'proxy.example' is not IP[/N], such as 127.0.0.1, 10.0.0.0/8 or fd00::/8"),
    (
        "10.0.0.1/8",
        "'10.0.0.1/8' is not IP[/N], such as 127.0.0.1, 10.0.0.0/8 or fd00::/8: 10.0.0.1/8 has host bits set",
    ),
    ("::/0", "'::/0' is everybody, who could then call in any name: say where the proxies are"),
]


@pytest.mark.parametrize(("given", "why"), WRONG)
def test_proxies_that_are_no_networks_keep_a_server_from_starting(tmp_path: Path, given: str, why: str) -> None:
    done = seta(tmp_path, "serve", "--trusted-proxy", "127.0.0.1", "--trusted-proxy", given)
    assert done.returncode == 2
    assert done.stderr.endswith(f"Invalid value for '--trusted-proxy': {why}\n"), done.stderr
