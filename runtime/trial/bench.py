"""Runs the tests of a folder, one after the other, in one process."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from compiler.catalog import Catalog
from compiler.ir.trials import Mock, Trial
from dsl import Diagnostic, Label
from runtime.code import CodePool
from runtime.connections.declared import Connection, Http, Local
from runtime.connections.http import HttpClient
from runtime.connections.ready import Ready, ready
from runtime.context import Verb
from runtime.loader import Loaded
from runtime.steps import verbs
from runtime.trial.calls import Recorder, Script
from runtime.trial.cast import Cast, cast_of
from runtime.trial.performance import perform
from runtime.trial.play import Play
from runtime.trial.rehearsal import Rehearsal, rehearse
from runtime.trial.stage import Restless, stage


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test: nothing is wrong, or all of this."""

    trial: Trial
    findings: tuple[Diagnostic, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all was as the test says."""
        return not self.findings


class Bench:
    """What the tests of a folder share. `timer` counts seconds of real time."""

    def __init__(self, cast: Cast, real: Mapping[str, Verb], timer: Callable[[], float]) -> None:
        self._cast = cast
        self._real = real
        self._timer = timer

    async def run(self, trial: Trial) -> Outcome:
        """Run one test."""
        start = self._timer()
        mocks = [step for step in trial.steps if isinstance(step, Mock)]
        recorder = Recorder(Script(mocks, self._cast.steps))
        cast = self._cast
        async with stage(cast.programs, recorder.verbs(self._real), cast.config, cast.secrets) as on:
            try:
                findings = await perform(Play(trial, cast, on, recorder))
            except Restless as error:
                findings = (Diagnostic("", str(error), Label(trial.source, trial.span, "does not come to rest")),)
        return Outcome(trial, findings, self._timer() - start)

    async def rehearse(self, flow: str, body: bytes, now: int, mocks: Sequence[Mock] = ()) -> Rehearsal:
        """Run a flow once, from `now` (ms since the Unix epoch). Raises MisfitError, NotJsonError, Restless."""
        cast = self._cast
        recorder = Recorder(Script(mocks, cast.steps))
        verbs = recorder.verbs(self._real)
        async with stage(cast.programs, verbs, cast.config, cast.secrets, now) as on:
            return await rehearse(flow, body, cast, on, recorder)


class _NoNetwork(httpx.AsyncBaseTransport):
    """Sends nothing: a request that comes here is a fault of ours."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"a test tried to reach {request.url.host}")


def _at_home(declared: Mapping[str, Connection]) -> dict[str, Ready]:
    """Connections as tests have them: persons and messages are the journal's, and a secret is the name of its place."""
    connections = {name: one if isinstance(one, Http) else Local() for name, one in declared.items()}
    return ready(connections, {place: place for one in connections.values() for place in one.places()})


@asynccontextmanager
async def bench(
    loaded: Loaded, catalog: Catalog, modules: Path, environment: Mapping[str, str]
) -> AsyncIterator[Bench]:
    """Make a bench for a folder: code may import from `modules` (absolute) and sees this environment."""
    http = HttpClient(_NoNetwork())
    pool = CodePool(size=1, environment=environment, modules=modules)
    real = {**verbs(http, pool, _at_home(loaded.settings.connections)), **loaded.own_verbs({})}
    try:
        yield Bench(cast_of(loaded, catalog), real, time.perf_counter)
    finally:
        await pool.close()
        await http.close()
