"""Flows of any shape, killed at any moment: they end as they would have, and do no step with another key."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.context import Call
from runtime.failures import StepFailure
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Servers, World, error_of, program, put, refused, wrong


@dataclass(frozen=True)
class Step:
    """One effect; `tries` it takes, and whether it fails for good then."""

    tries: int
    fails: bool
    seconds: float


@dataclass(frozen=True)
class Rest:
    """A wait."""

    milliseconds: int


@dataclass(frozen=True)
class Together:
    """Branches."""

    branches: "tuple[tuple[Node, ...], ...]"


@dataclass(frozen=True)
class Loop:
    """A body for each of so many items."""

    items: int
    at_once: int
    body: "tuple[Node, ...]"


@dataclass(frozen=True)
class Else:
    """A chain whose failure is caught."""

    chain: "tuple[Node, ...]"


Node = Step | Rest | Together | Loop | Else

STEPS = st.builds(
    Step,
    st.sampled_from([1, 1, 1, 2, 3]),
    st.sampled_from([False, False, False, False, True]),
    st.sampled_from([0.0, 0.0, 0.001, 0.003]),
)


def extend(chains: st.SearchStrategy[tuple[Node, ...]]) -> st.SearchStrategy[tuple[Node, ...]]:
    nodes = (
        STEPS
        | st.builds(Rest, st.integers(0, 6))
        | st.builds(Together, st.lists(chains, min_size=1, max_size=3).map(tuple))
        | st.builds(Loop, st.integers(0, 5), st.integers(1, 3), chains)
        | st.builds(Else, chains)
    )
    return st.lists(nodes, min_size=1, max_size=3).map(tuple)


CHAINS = st.recursive(st.lists(STEPS, min_size=1, max_size=3).map(tuple), extend, max_leaves=8)

Chain = Callable[[Any], Awaitable[list[Any]]]


def build(nodes: tuple[Node, ...], path: str = "") -> Chain:
    """The chain as generated code would have it; it gives what its steps gave."""
    parts = [_build(node, f"{path}{number}") for number, node in enumerate(nodes)]

    async def chain(ctx: Any) -> list[Any]:
        return [await part(ctx) for part in parts]

    return chain


def _build(node: Node, step: str) -> Callable[[Any], Awaitable[Any]]:
    match node:
        case Step():
            return lambda ctx: ctx.step(put(step))
        case Rest(milliseconds):
            return lambda ctx: ctx.sleep(step, milliseconds)
        case Together(chains):
            branches = [build(chain, f"{step}/{number}/") for number, chain in enumerate(chains)]
            return lambda ctx: ctx.all(step, *branches)
        case Loop(items, at_once, nodes):
            return _loop(step, items, at_once, build(nodes, f"{step}/"))
        case Else(nodes):
            return _else(build(nodes, f"{step}/"))


def _loop(step: str, items: int, at_once: int, chain: Chain) -> Callable[[Any], Awaitable[Any]]:
    async def body(ctx: Any, _: Any) -> None:
        await chain(ctx)

    return lambda ctx: ctx.each(step, list(range(items)), body, most=9, at_once=at_once)


def _else(chain: Chain) -> Callable[[Any], Awaitable[Any]]:
    async def caught(ctx: Any) -> Any:
        try:
            return await chain(ctx)
        except StepFailure as failure:
            return ctx.error(failure).step

    return caught


def expected(nodes: tuple[Node, ...], path: str = "", indices: str = "") -> list[Any]:
    """What the chain gives when nobody disturbs it. Raises StepFailure."""
    return [_expected(node, f"{path}{number}", indices) for number, node in enumerate(nodes)]


def outcome(nodes: tuple[Node, ...], path: str = "", indices: str = "") -> Any:
    """What the chain gives, or the step that it fails at."""
    try:
        return expected(nodes, path, indices)
    except StepFailure as failure:
        return failure.step


def _expected(node: Node, step: str, indices: str) -> Any:
    match node:
        case Step(_, fails, _):
            if fails:
                failure = StepFailure("http_404", "")
                failure.step = step + indices
                raise failure
            return step
        case Rest():
            return None
        case Together(chains):
            return [expected(chain, f"{step}/{number}/", indices) for number, chain in enumerate(chains)]
        case Loop(items, _, nodes):
            for index in range(items):
                expected(nodes, f"{step}/", f"{indices}[{index}]")
            return None
        case Else(nodes):
            return outcome(nodes, f"{step}/", indices)


class Script(World):
    """Steps that do what their nodes say, until the server is killed after so many calls."""

    def __init__(self, nodes: tuple[Node, ...], kill_after: int, tried: dict[str, int]) -> None:
        super().__init__()
        self.steps = dict(_steps(nodes, ""))
        self.left = kill_after
        self.tried = tried
        self.dead = asyncio.Event()

    async def perform(self, call: Call) -> Any:
        """Fail as often as the node says, then succeed or fail for good."""
        self.left -= 1
        if self.left == 0:
            self.dead.set()
        node = self.steps[call.spec.id]
        await asyncio.sleep(node.seconds)
        self.keys.setdefault(call.key, set()).add(call.spec.id)
        self.tried[call.key] = self.tried.get(call.key, 0) + 1
        if self.tried[call.key] < node.tries:
            raise refused()
        if node.fails:
            raise wrong()
        return call.spec.id


def _steps(nodes: tuple[Node, ...], path: str) -> list[tuple[str, Step]]:
    found: list[tuple[str, Step]] = []
    for number, node in enumerate(nodes):
        step = f"{path}{number}"
        match node:
            case Step():
                found.append((step, node))
            case Together(chains):
                for branch, chain in enumerate(chains):
                    found += _steps(chain, f"{step}/{branch}/")
            case Loop(_, _, chain) | Else(chain):
                found += _steps(chain, f"{step}/")
            case Rest():
                pass
    return found


@settings(max_examples=60, deadline=None)
@given(CHAINS, st.lists(st.integers(1, 6), max_size=2))  # one death more, and the run is taken for the cause
def test_a_killed_flow_ends_as_if_nothing_had_happened(nodes: tuple[Node, ...], kills: list[int]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(live(nodes, kills, folder))
    finally:
        shutil.rmtree(folder)


async def live(nodes: tuple[Node, ...], kills: list[int], folder: Path) -> None:
    results: list[Any] = []
    chain = build(nodes)

    async def flow(_: Any, ctx: Any) -> bool:
        results.append(await chain(ctx))
        return False

    servers, tried = Servers(folder), dict[str, int]()
    server = await servers.start(program(flow), world=Script(nodes, 0, tried))
    run_id = await server.post()
    for kill_after in (*kills, 0):
        script = Script(nodes, kill_after, tried)
        server = await servers.start(program(flow), world=script)
        await either(server.end(run_id), script.dead.wait())
    detail = await server.end(run_id)
    await servers.stop()
    end = error_of(detail)["step"] if detail.run.state is RunState.DEAD else results[-1]
    assert detail.run.state in (RunState.DEAD, RunState.DONE), error_of(detail)
    assert end == outcome(nodes)


async def either(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait for the first of several."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
