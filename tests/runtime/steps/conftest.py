"""What a step needs to run: a call, a database, a web service that remembers what it was asked."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import apsw
import httpx
import pytest

from runtime.connections.http import HttpClient
from runtime.connections.local import TABLES
from runtime.context import Call, Run, StepSpec

MakeCall = Callable[..., Call]

RUN = Run("01936b2e-0000-7000-8000-000000000000", "run-key", "erp", 1_700_000_000_000, "plan")


@pytest.fixture
def logged() -> list[str]:
    return []


@pytest.fixture
def call(logged: list[str]) -> MakeCall:
    """Make a call from its arguments, and whatever of it matters to the test."""

    def make(
        *args: Any, key: str = "run-key-0123456789abcdef", config: dict[str, str] | None = None, **spec: Any
    ) -> Call:
        full = StepSpec(**{"id": "step", "verb": "post", "effect": "keyed", **spec})
        return Call(RUN, full, args, key, 1_700_000_000_500, config or {}, logged.append)

    return make


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    for script in TABLES.migrations:
        connection.execute(script)
    yield connection
    connection.close()


class Service:
    """Answers every request with `answer`, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def http(service: Service) -> AsyncIterator[HttpClient]:
    client = HttpClient(httpx.MockTransport(service))
    yield client
    await client.close()
