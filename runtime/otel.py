"""OpenTelemetry: spans of what a server accepts, of runs and of their steps. Needs what the extra `otel` brings.

A span holds names of flows, steps and verbs, ids of runs, networks of callers and codes of failures; no value, address
or message.
"""

from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context as Around
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.connections.asking import CAP, LIMIT, Answer
from runtime.connections.http import HttpClient
from runtime.connections.wire import AiohttpWire
from runtime.context import StepSpec
from runtime.door.app import Acceptor, Scope, Send
from runtime.door.clients import Clients
from runtime.door.hooks import Hooks
from runtime.door.intake import Receive
from runtime.engine.answers import Accepted
from runtime.engine.leaving import Parked, Suspended
from runtime.engine.run_context import RunContext
from runtime.engine.runs import FindProgram
from runtime.failures import StepFailure
from runtime.listening import Application
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import Problem

_CONTEXT: Final = TraceContextTextMapPropagator()
_NOBODY: Final = Around()  # the parent of what begins a trace
_TRACEPARENT: Final = "traceparent"


def exporting(*, propagate: bool) -> "OtelTraces":
    """Traces that go where the environment says, by OTLP over HTTP (`OTEL_EXPORTER_OTLP_ENDPOINT` and its like)."""
    resource = Resource({"service.name": "seta"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTraces(provider, propagate=propagate)


class OtelTraces:
    """Weaves spans into a server: see `runtime.traces`. With `propagate`, requests of steps say whose they are."""

    def __init__(self, provider: TracerProvider, *, propagate: bool) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("seta")
        self._propagate = propagate

    def door(self, door: Application, hooks: Hooks, clients: Clients) -> Application:
        """Begin a span at each delivery, below the one that its header `traceparent` names."""
        return _Door(self._tracer, door, hooks, clients)

    def acceptor(self, engine: Acceptor) -> Acceptor:
        """Let the run of a delivery be below its acceptance."""
        return _Accepting(self._tracer, engine)

    def find(self, find: FindProgram) -> FindProgram:
        """Let a run that goes on be below its acceptance too."""

        async def traced(plan: str, bundle: bytes | None) -> Program:
            return _traced(self._tracer, await find(plan, bundle))

        return traced

    def client(self, wire: AiohttpWire) -> HttpClient:
        """Carry the span of a step to who is asked, where that is wanted."""
        return _Propagating(wire) if self._propagate else HttpClient(wire)

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()


# --- accepting


@dataclass(frozen=True, slots=True)
class _Door:
    """A door whose deliveries are spans."""

    _tracer: Tracer
    _door: Application
    _hooks: Hooks
    _clients: Clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hook = self._hooks.table.get(scope["raw_path"])
        if hook is None or scope["method"] != "POST":
            await self._door(scope, receive, send)
            return
        client = self._clients.shown(scope)
        facts = {"seta.flow": hook.flow, "seta.client": client, "http.request.method": "POST"}
        with _span(self._tracer, f"accept {hook.flow}", _caller(scope), SpanKind.SERVER, facts) as span:

            async def sending(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    _answered(span, message["status"])
                await send(message)

            await self._door(scope, receive, sending)


def _caller(scope: Scope) -> Around:
    """Of which span the caller says that this is a part; of none where what it says is not well-formed."""
    names = (b"traceparent", b"tracestate")
    carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in names}
    return _CONTEXT.extract(carrier, _NOBODY)


def _answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)


class _Accepting:
    """An engine that keeps with each delivery of which span it is a part, for its run and all that goes on of it."""

    def __init__(self, tracer: Tracer, engine: Acceptor) -> None:
        self._tracer = tracer
        self._engine = engine

    async def accept(
        self, program: Program, payload: Any, body: bytes, notes: bytes = b"", request: Request = NO_REQUEST
    ) -> Accepted:
        accepted = await self._engine.accept(_traced(self._tracer, program), payload, body, notes, _with_trace(request))
        trace.get_current_span().set_attribute("seta.run", accepted.run_id)
        return accepted

    def reject(self, program: Program, body: bytes, request: Request, problems: Sequence[Problem]) -> None:
        self._engine.reject(program, body, _with_trace(request), problems)


def _with_trace(request: Request) -> Request:
    carried: dict[str, str] = {}
    _CONTEXT.inject(carried)
    return replace(request, trace=carried.get(_TRACEPARENT, ""))


# --- running


def _traced(tracer: Tracer, program: Program) -> Program:
    """A program whose runs are spans."""
    run, handler = _run(tracer, program.run, "run"), program.handler
    return replace(program, run=run, handler=handler and _run(tracer, handler, "on error"))


def _run(tracer: Tracer, chain: Callable[..., Awaitable[bool]], name: str) -> Callable[..., Any]:
    async def run(payload: Any, context: RunContext, *error: Any) -> bool:
        facts = {"seta.flow": context.run.flow, "seta.run": context.run.id}
        parent = _CONTEXT.extract({_TRACEPARENT: context.trace}, _NOBODY)
        with _span(tracer, f"{name} {context.run.flow}", parent, SpanKind.CONSUMER, facts):
            return await chain(payload, _Traced(context, tracer), *error)

    return run


@dataclass(frozen=True, slots=True)
class _Traced:
    """A run's context whose steps are spans. Of a step whose result is only read again there is none."""

    _context: RunContext
    _tracer: Tracer

    def __getattr__(self, name: str) -> Any:  # all that is not a step is done as ever
        return getattr(self._context, name)

    async def step(self, spec: StepSpec, *args: Any) -> Any:
        if self._context.replaying:
            return await self._context.step(spec, *args)
        with _span(self._tracer, spec.verb, None, SpanKind.CLIENT, {"seta.step": spec.id}):
            return await self._context.step(spec, *args)

    async def all(self, step: str, *branches: Callable[[Any], Awaitable[Any]]) -> list[Any]:
        return await self._context.all(step, *(partial(self._below, branch) for branch in branches))

    async def each(
        self, step: str, items: list[Any], body: Callable[[Any, Any], Awaitable[Any]], **bounds: int
    ) -> None:
        await self._context.each(step, items, partial(self._below, body), **bounds)

    async def _below(self, branch: Callable[..., Awaitable[Any]], context: Any, *item: Any) -> Any:
        return await branch(_Traced(context, self._tracer), *item)


@contextmanager
def _span(tracer: Tracer, name: str, parent: Around | None, kind: SpanKind, facts: Mapping[str, str]) -> Iterator[Span]:
    """A span around a piece of work. Of how it fails it keeps the code: a message may hold a value."""
    with tracer.start_as_current_span(
        name, parent, kind, facts, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except StepFailure as failure:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", failure.code)
            raise
        except Suspended:
            span.set_attribute("seta.left", "waiting")
            raise
        except Parked:
            span.set_attribute("seta.left", "parked")
            raise
        except Exception as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__name__)
            raise


# --- asking


class _Propagating(HttpClient):
    """Requests with a `traceparent` of the span around them."""

    async def ask(  # noqa: PLR0913  # as the client's
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        limit: float = LIMIT,
        cap: int = CAP,
        any_status: bool = False,
        also: Container[int] = (),
    ) -> Answer:
        carried = dict(headers)
        _CONTEXT.inject(carried)
        return await super().ask(method, url, carried, content, limit=limit, cap=cap, any_status=any_status, also=also)
