"""Files over real connections: large ones do not grow the server, and what a flow declares reaches it whole."""

import random
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.outside.runs import run
from tests.outside.serving import server
from tests.runtime.cli.process import ServerProcess

CONTENT: Final = random.Random(1).randbytes(3_000_000)
MEGABYTE: Final = 1_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("outside")) as serving:
        yield serving


def post(served: ServerProcess, path: str, **sent: Any) -> str:
    """Send a delivery that is accepted; its run's id."""
    answer = httpx.post(f"http://127.0.0.1:{served.port}{path}", timeout=20, trust_env=False, **sent)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["run"])


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the system does not say how much memory a process has had")
    said = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert said is not None
    return int(said[1]) * 1024


def test_large_file_whose_content_nobody_wants_does_not_grow_the_server(served: ServerProcess) -> None:
    post(served, "/arquivos", files={"foto": ("warm.png", b"1")})
    before = peak(served.pid)
    run_id = post(served, "/arquivos", files={"foto": ("a.png", CONTENT * 15, "image/png")})
    assert peak(served.pid) - before < 15 * MEGABYTE
    payload = run(served, run_id)["payload"]
    assert payload == {"foto": {"name": "a.png", "type": "image/png", "size": 15 * len(CONTENT)}}


def test_form_of_jotform_has_its_json_and_the_file_that_it_declares(served: ServerProcess) -> None:
    run_id = post(
        served,
        "/arquivos",
        data={"formID": "1", "rawRequest": '{"slug":"x","q3":"João"}'},
        files={"curriculo": ("cv.pdf", CONTENT, "application/pdf")},
    )
    found = run(served, run_id)
    curriculo = found["payload"]["curriculo"]
    assert (curriculo["name"], curriculo["size"]) == ("cv.pdf", len(CONTENT))
    assert curriculo["base64"] == b64encode(CONTENT).decode()
    assert found["steps"][-1]["value"]["curriculo"] == len(CONTENT)
    assert found["steps"][-1]["value"]["rawRequest"] == {"q3": "João"}


def test_json_of_several_megabytes_reaches_its_flow_whole(served: ServerProcess) -> None:
    text = b64encode(CONTENT).decode()
    found = run(served, post(served, "/anexo", json={"id": "1", "arquivo": {"nome": "cv.pdf", "base64": text}}))
    assert found["payload"]["arquivo"]["base64"] == text
    assert found["steps"][-1]["value"] == {"id": "1", "nome": "cv.pdf", "letras": len(text)}
