"""Older plans made again: while they are compiled the event loop goes on, and only so many are kept."""

import asyncio
import linecache
import threading
from pathlib import Path

import pytest

import runtime.plans
from runtime.engine.runs import UnknownPlan
from runtime.extend.loading import Own
from runtime.linking import relink
from runtime.loader import load
from runtime.plans import Programs
from runtime.program import Program
from runtime.steps import catalog

NEITHER = "this version of Seta makes another plan of the sources that the run began with"


class Compiler:
    """Compiles as ever, but waits for the event loop before it does, and counts."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may = threading.Event()
        self.calls: list[Own | None] = []

    def __call__(self, bundle: bytes, own: Own | None = None) -> Program | None:
        self.calls.append(own)
        self.begun.release()
        assert self.may.wait(10), "the event loop did not go on"
        return relink(bundle, own)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    made = Compiler()
    monkeypatch.setattr(runtime.plans, "relink", made)
    return made


@pytest.fixture
def older(tmp_path: Path) -> list[Program]:
    """Programs of plans that are not served."""
    for name in "abc":
        (tmp_path / f"{name}.seta").write_text(f'flow {name} on webhook {{n: int}} -> log "{name}{{n}}"\n')
    return list(load(tmp_path, catalog()).programs.values())


async def test_event_loop_goes_on_while_an_older_plan_is_compiled(compiler: Compiler, older: list[Program]) -> None:
    found = asyncio.ensure_future(Programs({}).find(older[0].plan, older[0].sources))
    await asyncio.to_thread(compiler.begun.acquire)
    assert not found.done()
    compiler.may.set()
    assert (await found).plan == older[0].plan


async def test_plan_is_compiled_once_and_the_least_used_ones_are_forgotten(
    compiler: Compiler, older: list[Program]
) -> None:
    compiler.may.set()
    programs, (a, b, c) = Programs({}, most=2), older
    first = await programs.find(a.plan, a.sources)
    forgotten = await programs.find(b.plan, b.sources)
    assert await programs.find(a.plan, None) is first
    await programs.find(c.plan, c.sources)
    assert len(compiler.calls) == 3
    assert await programs.find(a.plan, None) is first
    with pytest.raises(UnknownPlan):
        await programs.find(b.plan, None)
    assert first.code.co_filename in linecache.cache
    assert forgotten.code.co_filename not in linecache.cache


async def test_plan_that_cannot_be_made_is_tried_once_until_a_reload(compiler: Compiler, older: list[Program]) -> None:
    compiler.may.set()
    programs = Programs({})
    for _ in range(3):
        with pytest.raises(UnknownPlan, match=NEITHER):
            await programs.find("another", older[0].sources)
    assert len(compiler.calls) == 1
    programs.add({}, None)
    with pytest.raises(UnknownPlan, match=NEITHER):
        await programs.find("another", older[0].sources)
    assert len(compiler.calls) == 2


async def test_plan_that_a_reload_replaces_is_at_hand_for_the_runs_that_began_on_it(
    compiler: Compiler, older: list[Program]
) -> None:
    programs = Programs({"f": older[0]})
    programs.add({"f": older[1]}, None)
    assert await programs.find(older[0].plan, None) is older[0]
    assert not compiler.calls


async def test_plan_compiled_during_a_reload_has_the_python_of_the_reload(
    compiler: Compiler, older: list[Program]
) -> None:
    programs, own = Programs({}), Own({}, {})
    found = asyncio.ensure_future(programs.find(older[0].plan, older[0].sources))
    await asyncio.to_thread(compiler.begun.acquire)
    programs.add({}, own)
    compiler.may.set()
    await found
    assert compiler.calls == [None, own]
