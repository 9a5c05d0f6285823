"""How granian is set up: what it would do by itself was measured, and some of it is harmful here."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from granian.constants import HTTPModes, Interfaces

from runtime.listening import make_server
from runtime.settings import Address, Settings

ROOT = Path(__file__).parents[2]
OLDEST = (
    2,
    8,
    7,
)  # one request could end a worker of earlier ones, and one is embedded as measured only from this one on


async def _app() -> None:
    """Answers nothing."""


@pytest.mark.parametrize("at", [Address("127.0.0.1", 8400), Path("admin.sock")], ids=["address", "socket"])
async def test_granian_speaks_http_1_alone_and_writes_no_access_log(at: Address | Path) -> None:
    server = make_server(_app, Settings(), at)
    assert server.interface is Interfaces.ASGINL
    assert server.http is HTTPModes.http1
    assert server.websockets is False
    assert server.log_access is False
    assert server.static_path is None
    assert server.metrics_enabled is False
    assert server.uds_permissions == 0o600


async def test_granian_has_the_limits_of_the_settings() -> None:
    server = make_server(_app, Settings(connections=7, backlog=300, header_seconds=1.5), Address("127.0.0.1", 8400))
    assert (server.backpressure, server.backlog) == (7, 300)
    assert server.http1_settings is not None
    assert server.http1_settings.header_read_timeout == 1500
    assert server.http1_settings.max_buffer_size == 65_536


def test_granian_is_pinned_at_a_version_without_known_holes() -> None:
    assert _numbers(metadata.version("granian")) >= OLDEST
    for name in ("requirements.txt", "requirements-dev.txt"):
        pinned = re.search(r"^granian==(\S+) ", (ROOT / ".ci" / name).read_text(), re.MULTILINE)
        assert pinned is not None
        assert _numbers(pinned[1]) >= OLDEST
    least = re.search(r'"granian>=(\S+)"', (ROOT / "pyproject.toml").read_text())
    assert least is not None
    assert _numbers(least[1]) >= OLDEST


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
