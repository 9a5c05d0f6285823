"""A door without a server: fakes on its inner side, ASGI messages on its outer one."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from runtime.door.app import Door
from runtime.door.gate import Gates
from runtime.door.hooks import Hooks, make_table
from runtime.door.intake import Intake
from runtime.door.readiness import Readiness
from runtime.engine.answers import Accepted
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import Problem, Shape, record, scalar, text
from runtime.shapes import field as shape_field

RUN = "0192a1b2-c3d4-7e5f-8a6b-0123456789ab"
LEAD = '{"nome":"João Silva","email":"joao@example.com","telefone":"11999998888"}'.encode()
KEY = b"k" * 32
BASE = "https://hooks.example"
UNLOCKED = Gates({}, BASE, lambda: 0)
PATH = "/v1/9f245647a7d3569f67e15bf6"

LEAD_SHAPE = record(
    "Lead",
    shape_field("telefone", scalar),
    shape_field("nome", text, required=False),
    shape_field("email", text, required=False, lenient=True),
)


async def _no_steps(payload: Any, context: Any) -> bool:  # noqa: ARG001  # the signature of a flow
    return False


def program(
    flow: str = "retomada",
    *,
    path: str | None = None,
    limit: int = 1_000_000,
    shape: Shape = LEAD_SHAPE,
    responds: bool = False,
    **clauses: Any,
) -> Program:
    """Make a flow that does nothing."""
    code: CodeType = _no_steps.__code__
    return Program(
        flow=flow,
        plan=f"plan-{flow}",
        path=path,
        limit=limit,
        responds=responds,
        payload=shape,
        run=_no_steps,
        filename=f"flows/{flow}.seta",
        places=(),
        code=code,
        sources=b"",
        **clauses,
    )


@dataclass
class Delivery:
    """One call of the engine."""

    flow: str
    payload: Any
    body: bytes
    notes: bytes
    request: Request


@dataclass
class Unfit:
    """One delivery that did not fit, and the places where it did not."""

    flow: str
    body: bytes
    request: Request
    pointers: list[str]


@dataclass
class FakeEngine:
    """Keeps deliveries in a list and says what a test wants of them, or raises."""

    error: Exception | None = None
    says: Accepted = field(default_factory=lambda: Accepted(RUN))
    accepted: list[Delivery] = field(default_factory=list)
    rejected: list[Unfit] = field(default_factory=list)

    async def accept(
        self, program: Program, payload: Any, body: bytes, notes: bytes = b"", request: Request = NO_REQUEST
    ) -> Accepted:
        """Keep a delivery."""
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.accepted.append(Delivery(program.flow, payload, body, notes, request))
        return self.says

    def reject(self, program: Program, body: bytes, request: Request, problems: Sequence[Problem]) -> None:
        """Keep what did not fit."""
        self.rejected.append(Unfit(program.flow, body, request, [one.pointer for one in problems]))


@dataclass
class FakeJournal:
    """A journal that is as well as a test says."""

    has_room: bool = True
    trouble: str | None = None
    idle: float = 0.0  # seconds since the last commit
    probes: list["asyncio.Future[None]"] = field(default_factory=list)

    def committed_ago(self) -> float:
        """How long ago the last commit was."""
        return self.idle

    def commit(self) -> "asyncio.Future[None]":
        """Begin a commit, which ends when a test says so."""
        self.probes.append(asyncio.get_running_loop().create_future())
        return self.probes[-1]

    def room(self) -> bool:
        """Whether there is room."""
        return self.has_room

    def healthy(self) -> str | None:
        """Say what is wrong."""
        return self.trouble


@dataclass(frozen=True)
class Reply:
    """What a door answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


class House:
    """A door with one flow, and all that stands around it."""

    def __init__(
        self,
        *programs: Program,
        room: int = 64_000_000,
        seconds: float = 5.0,
        secrets: Mapping[str, str] | None = None,
        now: int = 0,
        base: str = BASE,
    ) -> None:
        self.engine = FakeEngine()
        self.journal = FakeJournal()
        self.hooks = Hooks(make_table(KEY, programs or (program(),), Gates(secrets or {}, base, lambda: now)))
        self.readiness = Readiness(self.journal, self.hooks)
        self.intake = Intake(room, seconds)
        self.door = Door(self.engine, self.hooks, self.readiness, self.intake)

    async def post(self, body: bytes = LEAD, path: str = PATH, **headers: str) -> Reply:
        """Send a body of known length, whole."""
        length = {"content_length": str(len(body))} if body else {}
        return await self.request("POST", path, [body] if body else [], **{**length, **headers})

    async def request(self, method: str, path: str, chunks: Sequence[bytes | None] = (), **headers: str) -> Reply:
        """Send chunks; None breaks the connection off."""
        listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return await self.ask(method, path.encode(), listed, chunks)

    async def ask(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], chunks: Sequence[bytes | None] = ()
    ) -> Reply:
        """Send a request byte by byte as it is given."""
        messages = _messages(chunks)
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "client": ("10.1.2.3", 40000),
            "method": method,
            "raw_path": path,
            "path": path.decode(errors="replace"),
            "query_string": query,
            "headers": headers,
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            assert messages, "the door reads on although it has the whole body"
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.door(scope, receive, send)
        return _reply(sent)


def _messages(chunks: Sequence[bytes | None]) -> list[dict[str, Any]]:
    """Say them as granian does: the end of a body is a message of its own."""
    messages: list[dict[str, Any]] = [
        {"type": "http.disconnect"} if chunk is None else {"type": "http.request", "body": chunk, "more_body": True}
        for chunk in chunks
    ]
    return [*messages, {"type": "http.request", "body": b"", "more_body": False}]


def _reply(sent: list[dict[str, Any]]) -> Reply:
    start, body = sent
    assert start["type"] == "http.response.start"
    assert body["type"] == "http.response.body"
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert len(headers) == len(start["headers"])
    return Reply(start["status"], headers, body["body"])
