"""A whole server: what granian lets through and what it holds back, limits, start and end."""

import asyncio
import os
import re
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.journal import FolderInUse, take
from runtime.listening import ServeError
from runtime.loader import Loaded, load
from runtime.serve import Started, Stop, serve
from runtime.settings import Address, Settings
from runtime.steps import catalog
from tests.runtime.cli.process import LEAD, RETOMADA, ServerProcess

FLOW = RETOMADA.replace("on webhook", "on webhook limit 100kb")
LIMIT = 102_400


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real process, with the limits that it has by itself."""
    folder = tmp_path_factory.mktemp("serve")
    (folder / "flows").mkdir()
    (folder / "flows" / "retomada.seta").write_text(FLOW)
    with ServerProcess(folder) as server:
        yield server


def exchange(server: ServerProcess, *pieces: bytes, half_close: bool = False) -> bytes:
    """Send pieces as they are, a moment apart, and read one answer; nothing is where the server just closes."""
    path = server.flows["retomada"].path.encode()
    with closing(server.connect()) as connection:
        for piece in pieces:
            connection.sendall(piece.replace(b"PATH", path))
            time.sleep(0.01)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> bytes:
    """Read an answer to its announced length, or to the end of the connection."""
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            return received
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            return received
        if not part:
            return received
        received += part


def runs(server: ServerProcess) -> int:
    """How many deliveries were ever kept."""
    transport = httpx.HTTPTransport(uds=str(server.folder / ".seta" / "admin.sock"))
    with httpx.Client(transport=transport) as client:
        return len(client.get("http://seta/runs").json()["runs"])


# what HTTP lets people say --------------------------------------------------------------------------------------------

CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(LEAD), LEAD)
LENGTH = b"Content-Length: %d\r\n" % len(LEAD)
CHUNKS = b"Transfer-Encoding: chunked\r\n"
BIG = b'{"telefone":"' + b"1" * LIMIT + b'"}'


def post(headers: bytes, body: bytes = LEAD, version: bytes = b"1.1") -> bytes:
    return b"POST PATH HTTP/%s\r\nHost: a\r\n%s\r\n%s" % (version, headers, body)


KEPT = [
    ("length", post(LENGTH)),
    ("chunks", post(CHUNKS, CHUNKED)),
    ("chunk extensions and trailers", post(CHUNKS, CHUNKED.replace(b"\r\n", b";a=b\r\n", 1)[:-2] + b"X: y\r\n\r\n")),
    ("the same length twice", post(LENGTH + LENGTH)),
    ("HTTP/1.0", post(LENGTH, version=b"1.0")),
    ("line feeds only", post(LENGTH).replace(b"\r\n", b"\n")),
    ("absolute form", post(LENGTH).replace(b"PATH", b"http://elsewhere.example.comPATH")),
    ("no host", post(LENGTH).replace(b"Host: a\r\n", b"")),
    ("a query", post(LENGTH).replace(b"PATH", b"PATH?a=b")),
]


@pytest.mark.parametrize("raw", [raw for _, raw in KEPT], ids=[name for name, _ in KEPT])
def test_delivery_is_kept(process: ServerProcess, raw: bytes) -> None:
    before = runs(process)
    received = exchange(process, raw)
    assert received.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n"))
    assert b'{"run":"' in received
    assert runs(process) == before + 1


REFUSED = [
    ("headers of 33 kB", post(LENGTH + b"X: %s\r\n" % (b"y" * 32_768)), b"431 Request Header Fields Too Large"),
    ("headers of 65 kB", post(LENGTH + b"X: %s\r\n" % (b"y" * 65_000)), b"431 Request Header Fields Too Large"),
    ("URL of 17 kB", post(LENGTH).replace(b"PATH", b"PATH?" + b"x" * 16_384), b"414 URI Too Long"),
    ("URL of 65 kB", post(LENGTH).replace(b"PATH", b"/" + b"x" * 65_000), b"414 URI Too Long"),
    ("two transfer encodings", post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKED), b"415 Unsupported Media Type"),
    ("chunk of no size", post(CHUNKS, b"zz\r\n" + LEAD), b"400 Bad Request"),
    ("chunk that does not end", post(CHUNKS, CHUNKED.replace(b"}\r\n", b"}xx", 1)), b"400 Bad Request"),
    ("announced as too large", post(b"Content-Length: %d\r\n" % (LIMIT + 1), b""), b"413 Payload Too Large"),
    ("too large in the end", post(CHUNKS, b"%x\r\n%s\r\n" % (len(BIG), BIG)), b"413 Payload Too Large"),
    ("PUT", post(b"").replace(b"POST", b"PUT"), b"405 Method Not Allowed"),
    ("WebSocket", post(b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"").replace(b"POST", b"GET"), b"200 OK"),
    ("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"404 Not Found"),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"404 Not Found"),
]


@pytest.mark.parametrize(("raw", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_delivery_is_refused_and_nothing_is_kept(process: ServerProcess, raw: bytes, status: bytes) -> None:
    before = runs(process)
    received = exchange(process, raw)
    assert received.partition(b" ")[2].startswith(status)
    assert b"\r\ncontent-type: application/problem+json\r\n" in received or status == b"200 OK"
    assert runs(process) == before


# What granian refuses before the door sees it: the table of docs/running.md. The door can say nothing there.
BELOW = [
    ("lengths that differ", post(LENGTH + b"Content-Length: 3\r\n"), b"400 Bad Request"),
    ("list of lengths", post(b"Content-Length: 3, 3\r\n"), b"400 Bad Request"),
    ("length with a sign", post(b"Content-Length: +3\r\n"), b"400 Bad Request"),
    ("length below 0", post(b"Content-Length: -1\r\n"), b"400 Bad Request"),
    ("length that is none", post(b"Content-Length: 0x10\r\n"), b"400 Bad Request"),
    ("empty length", post(b"Content-Length:\r\n"), b"400 Bad Request"),
    ("length of 66 bits", post(b"Content-Length: 73786976294838206464\r\n"), b"400 Bad Request"),
    ("unknown transfer encoding", post(b"Transfer-Encoding: xchunked\r\n", CHUNKED), b"400 Bad Request"),
    ("transfer encoding without chunks", post(b"Transfer-Encoding: gzip\r\n"), b"400 Bad Request"),
    ("chunks in HTTP/1.0", post(CHUNKS, CHUNKED, b"1.0"), b"400 Bad Request"),
    ("another version", post(LENGTH, version=b"3.0"), b"400 Bad Request"),
    ("folded header", post(LENGTH + b"X: a\r\n b\r\n"), b"400 Bad Request"),
    ("space in a header's name", post(LENGTH + b"X y: a\r\n"), b"400 Bad Request"),
    ("NUL in a header", post(LENGTH + b"X: a\0b\r\n"), b"400 Bad Request"),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400 Bad Request"),
    ("address without a slash", post(LENGTH).replace(b"PATH", b"%2Fv1"), b"400 Bad Request"),
    ("control character in the address", post(LENGTH).replace(b"PATH", b"PATH\x01"), b"400 Bad Request"),
    ("over a hundred headers", post(LENGTH + b"X: y\r\n" * 99), b"431 Request Header Fields Too Large"),
    ("headers of 200 kB", post(LENGTH + b"X: %s\r\n" % (b"y" * 200_000)), b"431 Request Header Fields Too Large"),
    ("length of 64 bits", post(b"Content-Length: %d\r\n" % (2**64 - 1)), b"431 Request Header Fields Too Large"),
    ("address of 65,535 bytes", post(LENGTH).replace(b"PATH", b"/" + b"x" * 65_534), b"414 URI Too Long"),
]


@pytest.mark.parametrize(("raw", "status"), [case[1:] for case in BELOW], ids=[case[0] for case in BELOW])
def test_what_is_no_http_gets_a_status_and_no_body(process: ServerProcess, raw: bytes, status: bytes) -> None:
    before = runs(process)
    head, end, body = exchange(process, raw).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[:3] == [b"HTTP/1.1 " + status, b"connection: close", b"content-length: 0"]
    assert [line[:5] for line in lines[3:]] == [b"date:"]
    assert (end, body) == (b"\r\n\r\n", b"")
    assert runs(process) == before


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (post(LENGTH + b"X: y\r\n" * 98), b"200 OK"),
        (post(LENGTH + b"X: %s\r\n" % (b"y" * 32_700)), b"200 OK"),
        (post(LENGTH).replace(b"PATH", b"PATH?" + b"x" * 16_300), b"200 OK"),
        (post(b"Content-Length: %d\r\n" % 10**18), b"413 Payload Too Large"),
    ],
    ids=["a hundred headers", "headers of 32 kB", "address of 16 kB", "length of 60 bits"],
)
def test_up_to_its_limits_the_door_sees_it(process: ServerProcess, raw: bytes, status: bytes) -> None:
    assert exchange(process, raw).startswith(b"HTTP/1.1 " + status)


def test_preface_of_http_2_is_not_answered(process: ServerProcess) -> None:
    assert exchange(process, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == b""


@pytest.mark.parametrize("headers", [LENGTH, CHUNKS])
def test_body_that_breaks_off_is_not_kept(process: ServerProcess, headers: bytes) -> None:
    before = runs(process)
    raw = post(headers, b"%x\r\n%s" % (len(LEAD), LEAD[:-5]) if headers == CHUNKS else LEAD[:-5])
    received = exchange(process, raw, half_close=True)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"title":"The body broke off"' in received
    assert runs(process) == before


def test_two_lengths_are_read_as_chunks_and_the_connection_is_not_used_again(process: ServerProcess) -> None:
    """Hyper takes Content-Length away before we see it; RFC 9112, 6.3, asks for the connection to be closed then."""
    received = exchange(process, post(CHUNKS + b"Content-Length: 3\r\n", CHUNKED + post(LENGTH)))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in received
    assert received.count(b"HTTP/1.1") == 1


def test_sender_that_asks_first_is_told_to_go_on(process: ServerProcess) -> None:
    path = process.flows["retomada"].path.encode()
    with closing(process.connect()) as connection:
        connection.sendall(post(LENGTH + b"Expect: 100-continue\r\n", b"").replace(b"PATH", path))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(LEAD)
        assert read_answer(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_sender_that_asks_first_is_spared_a_body_that_is_too_large(process: ServerProcess) -> None:
    raw = post(b"Content-Length: %d\r\nExpect: 100-continue\r\n" % (LIMIT + 1), b"")
    received = exchange(process, raw)
    assert received.startswith(b"HTTP/1.1 413 Payload Too Large\r\n")
    assert b"\r\nconnection: close\r\n" in received


def test_deliveries_one_behind_the_other_are_answered_in_order(process: ServerProcess) -> None:
    path = process.flows["retomada"].path.encode()
    before = runs(process)
    with closing(process.connect()) as connection:
        connection.sendall((post(LENGTH) + post(LENGTH, b"{" * len(LEAD)) + post(LENGTH)).replace(b"PATH", path))
        received = b""
        while received.count(b"HTTP/1.1") < 3 or not received.endswith(b'"}'):
            received += connection.recv(65_536)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", received)
    assert statuses == [b"200", b"400", b"200"]
    assert runs(process) == before + 2


def test_look_without_a_body_leaves_the_connection_to_the_next_request(process: ServerProcess) -> None:
    """What a HEAD is answered with has a length and no body, or the sender would take that for the next answer."""
    path = process.flows["retomada"].path.encode()
    looks = b"".join(b"HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n" % at for at in (path, b"/livez", b"/unknown"))
    with closing(process.connect()) as connection:
        connection.sendall(looks + post(LENGTH).replace(b"PATH", path))
        received = b""
        while not received.endswith(b'"}'):
            received += connection.recv(65_536)
    heads = received.split(b"\r\n\r\n")
    assert [head.partition(b"\r\n")[0].partition(b" ")[2] for head in heads[:4]] == [
        b"200 OK",
        b"200 OK",
        b"404 Not Found",
        b"200 OK",
    ]
    assert heads[4].startswith(b'{"run":"')


def test_delivery_in_single_bytes_is_put_together(process: ServerProcess) -> None:
    raw = post(LENGTH).replace(b"PATH", process.flows["retomada"].path.encode())
    with closing(process.connect()) as connection:
        for byte in raw:
            connection.sendall(bytes([byte]))
        assert read_answer(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_line_that_is_printed_works_when_pasted(process: ServerProcess) -> None:
    before = runs(process)
    received = process.curl("retomada")
    assert received.startswith("HTTP/1.1 200 OK")
    assert runs(process) == before + 1


# limits in time and memory --------------------------------------------------------------------------------------------


class Served:
    """A server in this process, on this loop, with short limits."""

    def __init__(self, started: Started, stop: Stop) -> None:
        self.settings = started.settings
        self.url = started.urls[0].url
        self.path = "/" + self.url.split("/", 3)[3]
        self.stop = stop

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection(self.settings.listen.host, self.settings.listen.port)

    def raw(self, headers: bytes = LENGTH, body: bytes = LEAD) -> bytes:
        """Make a request."""
        return post(headers, body).replace(b"PATH", self.path.encode())

    async def send(self, raw: bytes) -> bytes:
        """Send bytes and read until the server closes."""
        reader, writer = await self.open()
        try:
            writer.write(raw)
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    async def post(self, body: bytes = LEAD) -> int:
        """Send a delivery as anybody would."""
        async with httpx.AsyncClient() as client:
            return (await client.post(self.url, content=body)).status_code


def loaded(folder: Path) -> Loaded:
    flows = folder / "flows"
    flows.mkdir(exist_ok=True)
    (flows / "retomada.seta").write_text(FLOW)
    return load(flows, catalog())


def settings_for(folder: Path, **changes: Any) -> Settings:
    short = {"header_seconds": 0.4, "body_seconds": 0.4, "grace": 1.0, "folder_seconds": 0.3}
    return Settings(**{"data": folder / "data", "listen": Address("127.0.0.1", 0), **short, **changes})


@asynccontextmanager
async def serving(folder: Path, **changes: Any) -> AsyncIterator[Served]:
    started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    stop = Stop()
    task = asyncio.create_task(serve(settings_for(folder, **changes), loaded(folder), started.set_result, stop))
    ends: list[asyncio.Future[Any]] = [task, started]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield Served(await started, stop)
    finally:
        stop.asked.set()
        assert await task == 0


def seconds_since(start: float) -> float:
    return asyncio.get_running_loop().time() - start


@pytest.mark.parametrize(
    "raw",
    [b"", b"PRI * HT", b"POST /v1/", b"POST /v1/x HTTP/1.1\r\nHost: a\r\nX-Slow: "],
    ids=["idle", "half a preface of HTTP/2", "slow first line", "slow headers"],
)
async def test_connection_that_does_not_come_to_its_point_is_closed(tmp_path: Path, raw: bytes) -> None:
    async with serving(tmp_path) as server:
        start = asyncio.get_running_loop().time()
        assert await server.send(raw) == b""
        assert 0.35 < seconds_since(start) < 3


async def test_headers_that_drip_are_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        start = asyncio.get_running_loop().time()
        reader, writer = await server.open()
        answer = asyncio.create_task(reader.read())
        for byte in server.raw():
            if answer.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        assert answer.result() == b""
        assert seconds_since(start) < 3
        writer.close()


async def test_idle_connection_is_closed_after_its_answer(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        start = asyncio.get_running_loop().time()
        assert (await server.send(server.raw())).startswith(b"HTTP/1.1 200 OK\r\n")
        assert 0.35 < seconds_since(start) < 3


@pytest.mark.parametrize("headers", [LENGTH, CHUNKS])
async def test_body_that_stalls_is_refused_in_time(tmp_path: Path, headers: bytes) -> None:
    async with serving(tmp_path) as server:
        start = asyncio.get_running_loop().time()
        received = await server.send(server.raw(headers, b"a\r\n{" if headers == CHUNKS else b"{"))
        assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"\r\nconnection: close\r\n" in received
        assert b"It has to be here 0.4 s after the headers." in received
        assert 0.35 < seconds_since(start) < 3


async def test_body_that_drips_is_refused_in_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        reader, writer = await server.open()
        writer.write(server.raw(b"Content-Length: 1000\r\n", b""))
        start = asyncio.get_running_loop().time()
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b" ")
            await asyncio.sleep(0.05)
        assert answer.result().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert seconds_since(start) < 3
        writer.close()


async def test_stalled_bodies_keep_nobody_else_out(tmp_path: Path) -> None:
    async with serving(tmp_path, header_seconds=5.0, body_seconds=2.0) as server:
        stalled = [asyncio.create_task(server.send(server.raw(LENGTH, b"{"))) for _ in range(300)]
        await asyncio.sleep(0.5)
        start = asyncio.get_running_loop().time()
        assert await server.post() == 200
        assert seconds_since(start) < 1
        answers = await asyncio.gather(*stalled)
        assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}


async def test_bodies_that_are_announced_take_no_room_but_those_that_came_do(tmp_path: Path) -> None:
    async with serving(tmp_path, bodies=100_000, body_seconds=1.0) as server:
        announced = [asyncio.create_task(server.send(server.raw(b"Content-Length: 90000\r\n", b"{"))) for _ in range(5)]
        await asyncio.sleep(0.2)
        assert await server.post() == 200
        large = b"{" + b" " * 60_000
        came = asyncio.create_task(server.send(server.raw(b"Content-Length: 90000\r\n", large)))
        await asyncio.sleep(0.2)
        refused = await server.send(server.raw(b"Content-Length: 90000\r\n", large))
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: " in refused
        await asyncio.gather(came, *announced)
        assert await server.post() == 200


# start and end --------------------------------------------------------------------------------------------------------


async def test_folder_in_use_is_told_with_its_holder_and_no_port_is_bound(tmp_path: Path) -> None:
    held = await take(tmp_path / "data")
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
        async with serving(tmp_path, listen=Address("127.0.0.1", port)):
            pass
    held.release()


async def test_port_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), reuse_port=True)) as other:
        at = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(ServeError) as refused:
            async with serving(tmp_path, listen=at):
                pass
        assert str(refused.value) == f"cannot listen on {at}: Address already in use; choose another one with --port"
    async with serving(tmp_path) as server:
        assert await server.post() == 200


async def test_host_that_is_unknown_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"cannot listen on nowhere\.invalid:8400: "):
        async with serving(tmp_path, listen=Address("nowhere.invalid", 8400)):
            pass


async def test_host_may_be_a_name_or_an_address_of_version_6(tmp_path: Path) -> None:
    async with serving(tmp_path, listen=Address("localhost", 0)) as server:
        assert await server.post() == 200
    async with serving(tmp_path, listen=Address("::1", 0)) as server:
        assert server.url.startswith("http://[::1]:")
        assert await server.post() == 200


async def test_address_stays_the_same_over_restarts(tmp_path: Path) -> None:
    async with serving(tmp_path) as first:
        pass
    async with serving(tmp_path, public_url="https://hooks.example.com/") as second:
        assert second.url == f"https://hooks.example.com{first.path}"


async def test_socket_is_for_its_owner_only_and_goes_with_the_server(tmp_path: Path) -> None:
    path = settings_for(tmp_path).socket
    path.parent.mkdir()
    path.write_text("left over")
    async with serving(tmp_path):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_folder_whose_path_is_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="is too long for a socket; choose a shorter one with --data"):
        async with serving(tmp_path, data=tmp_path / ("x" * 100)):
            pass


async def test_admin_address_is_served_beside_the_socket(tmp_path: Path) -> None:
    async with serving(tmp_path, admin=Address("127.0.0.1", 0)) as server:
        await server.post()
        async with httpx.AsyncClient(base_url=f"http://{server.settings.admin}") as client:
            assert len((await client.get("/runs")).json()["runs"]) == 1
        async with httpx.AsyncClient(base_url=f"http://{server.settings.listen}") as client:
            assert (await client.get("/runs")).status_code == 404
            assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_what_nobody_waited_for_is_logged_without_what_it_was_called_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path):
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "Exception in callback print('segredo')", "exception": ValueError()})
        loop.call_exception_handler({"message": "Task exception was never retrieved", "task": "segredo"})
    told = [(entry.getMessage(), bool(entry.exc_info)) for entry in caplog.records if entry.name == "seta.serve"]
    assert told == [("Exception in callback", True), ("Task exception was never retrieved", False)]


async def test_stopping_server_finishes_what_has_begun_and_takes_nothing_new(tmp_path: Path) -> None:
    async with serving(tmp_path, body_seconds=5.0) as server:
        reader, writer = await server.open()
        writer.write(server.raw(LENGTH, LEAD[:10]))
        idle_reader, idle_writer = await server.open()
        await asyncio.sleep(0.1)
        server.stop.asked.set()
        assert await idle_reader.read() == b""
        with pytest.raises(ConnectionError):
            await server.open()
        writer.write(LEAD[10:])
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in answer
        writer.close()
        idle_writer.close()


async def test_stopping_server_does_not_wait_for_a_body_longer_than_its_grace(tmp_path: Path) -> None:
    start = asyncio.get_running_loop().time()
    async with serving(tmp_path, body_seconds=60.0, grace=0.3) as server:
        delivery = asyncio.create_task(server.send(server.raw(LENGTH, b"{")))
        await asyncio.sleep(0.1)
        server.stop.asked.set()
        answer = await delivery
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b'"title":"The server is stopping"' in answer
    assert seconds_since(start) < 5


def test_first_signal_ends_the_server_in_good_order(tmp_path: Path) -> None:
    loaded(tmp_path)
    with ServerProcess(tmp_path) as server:
        assert server.curl("retomada").startswith("HTTP/1.1 200 OK")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.errors == ""
    assert not (tmp_path / ".seta" / "admin.sock").exists()
    assert not (tmp_path / ".seta" / "seta.db-wal").exists()


def test_second_signal_ends_the_server_at_once(tmp_path: Path) -> None:
    loaded(tmp_path)
    with ServerProcess(tmp_path, "--grace", "60") as server:
        raw = post(LENGTH, b"{").replace(b"PATH", server.flows["retomada"].path.encode())
        with closing(server.connect()) as connection:
            connection.sendall(raw)
            time.sleep(0.2)
            start = time.monotonic()
            server.signal(signal.SIGINT)
            time.sleep(0.2)
            server.signal(signal.SIGINT)
            assert server.wait() == -signal.SIGINT
            assert time.monotonic() - start < 3


def test_headers_that_never_end_do_not_keep_a_server_from_stopping(tmp_path: Path) -> None:
    loaded(tmp_path)
    with ServerProcess(tmp_path, "--grace", "0.2") as server, closing(server.connect()) as connection:
        connection.sendall(b"POST /v1/")
        time.sleep(0.2)
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert time.monotonic() - start < 3.5
        assert server.errors == ""


def test_folders_of_a_user_do_not_stand_in_for_ours(tmp_path: Path) -> None:
    loaded(tmp_path)
    for name in ("runtime", "compiler", "dsl", "click", "granian"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('a user\\'s own')\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('a user\\'s own')\n")
    with ServerProcess(tmp_path) as server:
        assert server.curl("retomada").startswith("HTTP/1.1 200 OK")
        assert runs(server) == 1
