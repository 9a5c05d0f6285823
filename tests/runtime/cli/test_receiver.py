"""The receiver of the second example, as a program and in tests."""

import signal
import socket
import subprocess
import sys
from contextlib import closing

import httpx
import pytest

from tests.receiver import Fault, Receiver
from tests.runtime.cli.process import ROOT, environment


async def test_receiver_counts_and_remembers_what_comes() -> None:
    async with Receiver() as receiver, httpx.AsyncClient() as client:
        answers = [await client.post(f"{receiver.url}/a?b=c", json={"n": n}) for n in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, {"id": 1}), (201, {"id": 2})]
    assert [(one.method, one.path, one.json()) for one in receiver.requests] == [
        ("POST", "/a?b=c", {"n": 0}),
        ("POST", "/a?b=c", {"n": 1}),
    ]


async def test_receiver_misbehaves_as_it_is_told() -> None:
    async with Receiver() as receiver, httpx.AsyncClient(timeout=0.2) as client:
        receiver.script(
            Fault(503, headers={"retry-after": "7"}, body=b"later"), Fault(drop=True), Fault(delay=2.0), Fault()
        )
        refused = await client.post(receiver.url)
        assert (refused.status_code, refused.headers["retry-after"], refused.text) == (503, "7", "later")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(receiver.url)
        with pytest.raises(httpx.ReadTimeout):
            await client.post(receiver.url)
        assert (await client.post(receiver.url)).status_code == 201
        receiver.always(Fault(500))
        assert (await client.post(receiver.url)).status_code == 500
        assert receiver.count == 5


def test_receiver_prints_each_request_and_ends_at_a_signal() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "tests" / "receiver.py"), "--port", str(port)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(transport=transport) as client:
            answer = client.post(f"http://127.0.0.1:{port}/pedidos", content='{"nome":"João\x1b"}')
        assert answer.json() == {"id": 1}
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10)[0] == 'receiver: POST /pedidos {"nome":"João?"}\n'
        assert process.returncode == 0
