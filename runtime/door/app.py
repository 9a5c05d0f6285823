"""The public door as an ASGI application: route, read, authenticate, decode, commit, answer, in this order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from runtime.beside import beside
from runtime.door import answers
from runtime.door.answers import Answer, Refused
from runtime.door.arriving import Content, is_heavy
from runtime.door.clients import Clients
from runtime.door.cors import preflight, readable
from runtime.door.counts import NO_HOOK, DoorCounts
from runtime.door.gate import NO_PROXIES
from runtime.door.hooks import Hook, Hooks
from runtime.door.intake import Intake, Receive
from runtime.door.readiness import Readiness
from runtime.door.reading import Unfit, has_files, take
from runtime.door.reply import reply
from runtime.door.requests import request_of
from runtime.engine.acceptance import notes_of
from runtime.engine.answers import Accepted
from runtime.journal.protocol import JournalError
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import Problem

logger = logging.getLogger("seta.door")

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_LENGTH_DIGITS: Final = 18  # no limit has more
_ALIVE: Final = answers.document(200, {"schema": "seta.alive/1", "alive": True})


class Acceptor(Protocol):
    """What keeps deliveries: the engine."""

    async def accept(
        self, program: Program, payload: Any, body: bytes, notes: bytes = b"", request: Request = NO_REQUEST
    ) -> Accepted:
        """Commit a delivery and give its run, or raise JournalError with nothing kept."""
        ...

    def reject(self, program: Program, body: bytes, request: Request, problems: Sequence[Problem]) -> None:
        """Keep a delivery that does not fit, soon and if there is room: nobody waits for that."""
        ...


class Door:
    """Answers hooks, `/livez` and `/readyz`, and nothing else."""

    def __init__(
        self, engine: Acceptor, hooks: Hooks, readiness: Readiness, intake: Intake, clients: Clients = NO_PROXIES
    ) -> None:
        self._accept = engine.accept
        self._reject = engine.reject
        self._hooks = hooks
        self._readiness = readiness
        self._intake = intake
        self._clients = clients
        self.counts = DoorCounts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        hook = self._hooks.table.get(scope["raw_path"])
        try:
            _bound(scope)
            if hook is None:
                answer = await self._elsewhere(scope)
            elif scope["method"] != "POST":
                answer = hook.gate.greets(scope) or _unposted(hook, scope)
            else:
                answer = await self._deliver(hook, scope, receive)
        except Refused as refused:
            answer = refused.answer
            self._tell(hook, answer, scope)
        except Exception:
            logger.exception("a request failed", extra={"flow": hook.flow} if hook else None)
            answer = answers.FAULT
        if scope["method"] == "POST":
            self.counts.answered(hook.flow if hook else NO_HOOK, answer.start["status"])
        if hook is not None and hook.program.cors:
            answer = readable(hook.program, scope["headers"], answer)
        await send(answer.start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _elsewhere(self, scope: Scope) -> Answer:
        """Answer what is no hook. Every unknown address gets the same, so that none can be told from another."""
        path, method = scope["raw_path"], scope["method"]
        if path in self._hooks.retired:
            return answers.GONE
        if path not in (b"/livez", b"/readyz"):
            return answers.NOT_FOUND
        if method not in ("GET", "HEAD"):
            return answers.GET_ONLY
        return _ALIVE if path == b"/livez" else answers.document(*await self._readiness.brief())

    async def _deliver(self, hook: Hook, scope: Scope, receive: Receive) -> Answer:
        began, headers = self.counts.timer(), dict(scope["headers"])
        length = self._admit(hook, headers, scope)
        media = headers.get(b"content-type", b"")
        body = b"" if length == 0 else await self._intake.read(hook, receive, length, spooled=has_files(hook, media))
        try:
            judge = hook.gate.turns_away
            if (
                refusal := judge(scope, body)
                if isinstance(body, bytes)
                else await asyncio.to_thread(judge, scope, body)
            ) is not None:
                return refusal
            accepted = await self._keep(hook, body, media, scope)
        finally:
            self._intake.let_go(body)
        answer = await reply(hook.program, accepted)
        self.counts.accepted(began, repeat=accepted.repeat)
        if logger.isEnabledFor(logging.DEBUG):
            client = self._clients.shown(scope)
            facts = {"flow": hook.flow, "run": accepted.run_id, "repeat": accepted.repeat, "client": client}
            logger.debug("delivery accepted", extra=facts)
        return answer

    def _admit(self, hook: Hook, headers: Mapping[bytes, bytes], scope: Scope) -> int | None:
        """Refuse what can be refused before the body is read, or give its length; None: to its end."""
        self._readiness.check()
        if hook.bucket is not None and (pause := hook.bucket.refuses()) is not None:
            raise Refused(answers.too_many(hook.flow, pause))
        if b"content-encoding" in headers:
            raise Refused(answers.ENCODED)
        announced = headers.get(b"content-length")
        chunked = b"transfer-encoding" in headers
        if chunked and _codings(scope) != [b"chunked"]:
            raise Refused(answers.ENCODED)
        if announced is None:
            return None if chunked else 0
        if chunked:
            raise Refused(answers.AMBIGUOUS)
        if not announced.isdigit():
            raise Refused(answers.NO_LENGTH)
        if len(announced) > _LENGTH_DIGITS or (length := int(announced)) > hook.program.limit:
            raise Refused(answers.too_large(hook.flow, hook.program.limit))
        return length

    async def _keep(self, hook: Hook, body: Content, content_type: bytes, scope: Scope) -> Accepted:
        program = hook.program
        try:
            args = hook, body, content_type
            taken = await beside(take, *args) if is_heavy(body) else take(*args)
            request = request_of(program, scope, form=taken.form)
            return await self._accept(program, taken.decoded.payload, taken.kept, notes_of(taken.decoded), request)
        except Unfit as unfit:
            self._reject(program, unfit.kept, request_of(program, scope, form=unfit.form), unfit.problems)
            raise
        except JournalError as error:
            raise Refused(answers.DISK_FULL if error.full else answers.unwell()) from None

    def _tell(self, hook: Hook | None, answer: Answer, scope: Scope) -> None:
        """Log a refusal by the flow's name and the caller's network: an address is a secret, a body may be personal."""
        if hook is None:
            return
        status = answer.start["status"]
        level = logging.DEBUG if status == 429 else logging.INFO  # they come by the thousand, and are counted
        if logger.isEnabledFor(level):
            facts = {"flow": hook.flow, "status": status, "client": self._clients.shown(scope)}
            logger.log(level, "delivery refused", extra=facts)


def _bound(scope: Scope) -> None:
    """Refuse what is longer than the door reads, and shorter than what granian would refuse without a word."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > answers.TARGET_BYTES:
        raise Refused(answers.LONG_TARGET)
    size = 0
    for name, value in scope["headers"]:  # a sum over a generator would cost twice as much
        size += len(name) + len(value)
    if size > answers.HEADERS_BYTES:
        raise Refused(answers.LARGE_HEADERS)


def _codings(scope: Scope) -> list[bytes]:
    """What a body is wrapped in, from every line that says so: the last one alone may hide another."""
    lines = b",".join(value for name, value in scope["headers"] if name == b"transfer-encoding")
    return [coding.strip().lower() for coding in lines.split(b",")]


def _unposted(hook: Hook, scope: Scope) -> Answer:
    """Answer what is no delivery: a person's browser, a sender that probes, a page that asks whether it may send."""
    cors = hook.program.cors
    if scope["method"] in ("GET", "HEAD"):
        return answers.webhook(hook.flow, hook.program.accept)
    if scope["method"] == "OPTIONS" and cors:
        return preflight(hook.program, scope["headers"])
    return answers.POST_OR_ASK if cors else answers.POST_ONLY
