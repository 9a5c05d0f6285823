"""Spans of a server: from the delivery over its run to what its steps ask of others."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from runtime.otel import OtelTraces
from runtime.settings import parse_opening
from tests.receiver import Receiver
from tests.runtime.cli.process import seta
from tests.runtime.served import Served, serving

FLOWS = {
    "a.seta": 'flow lead\non webhook "/lead" open {telefone: text}\n  -> format_phone(telefone)\n  -> upsert person\n'
    '  -> post "{config.erp}/x" with {telefone}\n  -> parallel { um { -> send hsm "a" } dois { -> send hsm "b" } }\n',
    "b.seta": 'flow espera\non webhook "/espera" open {n: int}\n  -> put "{config.erp}/x" with {n}\n  -> wait 20ms\n'
    '  -> for i in [1, 2] { -> put "{config.erp}/y" with {i} }\n',
    "c.seta": 'flow evento\non webhook "/evento" open {n: int}\n  -> wait for vai by n within 1h\n'
    '  -> put "{config.erp}/z" with {n}\n'
    'flow vai\non webhook "/vai" open {n: int}\n  -> emit vai by n with {n}\n',
}
GOOD = '{"telefone": "11999998888"}'
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{CALLER}-01"


class Spans:
    """What was exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def all(self) -> list[ReadableSpan]:
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == name]

    def tree(self) -> dict[str, str | None]:
        """The names of spans with those of their parents."""
        names = {span.context.span_id: span.name for span in self.all() if span.context}
        return {span.name: names.get(span.parent.span_id) if span.parent else None for span in self.all()}


@asynccontextmanager
async def traced(folder: Path, receiver: Receiver, *, propagate: bool) -> AsyncIterator[tuple[Served, Spans]]:
    spans = Spans()
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
    opened = (parse_opening(f"127.0.0.1:{receiver.port}"),)
    traces = OtelTraces(spans.provider, propagate=propagate)
    async with serving(folder, FLOWS, traces, allow_outbound=opened) as server:
        yield server, spans


def told(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_delivery_is_one_trace_from_its_caller_to_who_its_steps_ask(tmp_path: Path) -> None:
    async with Receiver() as receiver, traced(tmp_path, receiver, propagate=True) as (server, spans):
        run = (await server.post("lead", GOOD, traceparent=PARENT)).json()["run"]
        assert (await server.ended(run))["state"] == "done"
        assert spans.tree() == {
            "accept lead": None,
            "run lead": "accept lead",
            "upsert person": "run lead",
            "post": "run lead",
            "send hsm": "run lead",
        }
        assert len(spans.named("send hsm")) == 2
        assert {f"{span.context.trace_id:032x}" for span in spans.all() if span.context} == {TRACE}
        [accept], [ran], [post] = (spans.named(name) for name in ("accept lead", "run lead", "post"))
        assert accept.parent is not None
        assert f"{accept.parent.span_id:016x}" == CALLER
        assert told(accept) == {
            "seta.flow": "lead",
            "seta.client": "127.0.0.0/24",
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "seta.run": run,
        }
        assert told(ran) == {"seta.flow": "lead", "seta.run": run}
        assert told(post) == {"seta.step": "post"}
        assert post.context is not None
        assert receiver.requests[0].headers["traceparent"] == f"00-{TRACE}-{post.context.span_id:016x}-01"


async def test_a_run_that_goes_on_stays_in_its_trace_and_what_it_reads_again_is_no_span(tmp_path: Path) -> None:
    async with Receiver() as receiver, traced(tmp_path, receiver, propagate=False) as (server, spans):
        run = (await server.post("espera", '{"n": 1}')).json()["run"]
        async with asyncio.timeout(20):
            while (await server.ended(run))["state"] != "done":
                await asyncio.sleep(0.02)
        first, second = spans.named("run espera")
        assert told(first) == {"seta.flow": "espera", "seta.run": run, "seta.left": "waiting"}
        [accept] = spans.named("accept espera")
        assert accept.context is not None
        for part in (first, second):
            assert part.parent is not None
            assert part.parent.span_id == accept.context.span_id
        assert [told(span)["seta.step"] for span in spans.named("put")] == ["put", "for/put", "for/put"]
        assert {span.parent.span_id for span in spans.named("put")[1:] if span.parent and second.context} == {
            second.context.span_id if second.context else 0
        }
        assert all("traceparent" not in request.headers for request in receiver.requests)


async def test_a_run_that_goes_on_after_a_restart_stays_in_the_trace_of_its_caller(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        async with traced(tmp_path, receiver, propagate=True) as (server, spans):
            run = (await server.post("evento", '{"n": 7}', traceparent=PARENT)).json()["run"]
            assert (await server.ended(run))["state"] == "waiting"
            [accept] = spans.named("accept evento")
        async with traced(tmp_path, receiver, propagate=True) as (server, later):
            await server.post("vai", '{"n": 7}')
            async with asyncio.timeout(20):
                while (await server.ended(run))["state"] != "done":
                    await asyncio.sleep(0.02)
        [ran], [put] = later.named("run evento"), later.named("put")
        assert accept.context is not None
        assert ran.parent is not None
        assert put.context is not None
        assert (ran.parent.trace_id, ran.parent.span_id) == (int(TRACE, 16), accept.context.span_id)
        assert receiver.requests[0].headers["traceparent"] == f"00-{TRACE}-{put.context.span_id:016x}-01"


async def test_what_its_caller_does_not_record_is_not_recorded_later_either(tmp_path: Path) -> None:
    async with Receiver() as receiver, traced(tmp_path, receiver, propagate=True) as (server, spans):
        run = (await server.post("espera", '{"n": 1}', traceparent=f"{PARENT[:-1]}0")).json()["run"]
        async with asyncio.timeout(20):
            while (await server.ended(run))["state"] != "done":
                await asyncio.sleep(0.02)
        assert spans.all() == []
        carried = [request.headers["traceparent"] for request in receiver.requests]
        assert [(header.split("-")[1], header.split("-")[3]) for header in carried] == [(TRACE, "00")] * 3


async def test_a_replay_is_in_the_trace_of_the_delivery(tmp_path: Path) -> None:
    async with Receiver() as receiver, traced(tmp_path, receiver, propagate=False) as (server, spans):
        run = (await server.post("lead", '{"telefone": "segredo"}', traceparent=PARENT)).json()["run"]
        assert (await server.ended(run))["state"] == "dead"
        replayed = (await server.change("/replay", '{"state": "dead"}')).json()["replays"][0]["run"]
        assert (await server.ended(replayed))["state"] == "dead"
        first, second = spans.named("run lead")
        assert (told(first)["seta.run"], told(second)["seta.run"]) == (run, replayed)
        assert first.parent == second.parent


async def test_failures_are_told_by_their_code_and_without_a_value(tmp_path: Path) -> None:
    async with Receiver() as receiver, traced(tmp_path, receiver, propagate=False) as (server, spans):
        run = (await server.post("lead", '{"telefone": "segredo"}')).json()["run"]
        assert (await server.ended(run))["state"] == "dead"
        await server.post("lead", '{"segredo": 1}')
        await server.post("lead", GOOD, traceparent="segredo")
        await server.public("/segredo")
        [dead, *_] = spans.named("run lead")
        assert (dead.status.status_code, told(dead)["error.type"]) == (StatusCode.ERROR, "no_digits")
        statuses = [told(span)["http.response.status_code"] for span in spans.named("accept lead")]
        assert statuses == [200, 422, 200]
        assert "segredo" not in "".join(span.to_json() for span in spans.all())
        assert all(not span.events for span in spans.all())


def test_without_what_the_extra_brings_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.seta").write_text(FLOWS["a.seta"].replace("{config.erp}", "https://erp.example"))
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise ModuleNotFoundError('No module named otel')\n")
    paths = ":".join((str(tmp_path), *(str(path) for path in _PACKAGES)))
    done = seta(tmp_path, "serve", "--traces", "export", "--port", "0", PYTHONPATH=paths)
    assert done.stderr == "seta: --traces needs what `pip install 'seta[otel]'` brings: No module named otel\n"
    assert done.returncode == 1


ROOT = Path(__file__).parents[2]
_PACKAGES = (ROOT, ROOT / "runtime" / "public")


def test_who_does_not_trace_imports_none_of_it() -> None:
    code = "import sys, runtime.cli.serve; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
