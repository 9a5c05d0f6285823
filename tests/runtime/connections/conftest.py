"""What tests of connections share."""

from collections.abc import AsyncIterator

import pytest

from runtime.connections.http import HttpClient, aiohttp_transport
from tests.fakes.service import LOOPBACK


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """A client that may reach fakes on loopback."""
    client = HttpClient(aiohttp_transport(LOOPBACK))
    yield client
    await client.close()
