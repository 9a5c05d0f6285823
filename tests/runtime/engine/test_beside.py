"""Lines of the log are put on disk while the run goes on: none is lost, although their batch alone may be refused."""

import asyncio
from typing import Any

import pytest

from runtime.engine.engine import Limits
from runtime.journal.protocol import JournalError
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Record
from tests.runtime.engine.by_hand import Servers, World, program, put


class Refusing:
    """A journal whose disk refuses the first batch that has a line of a log."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def commit(self, *writes: Any) -> "asyncio.Future[None]":
        lines = [write.step for write in writes if isinstance(write, Record) and write.kind is Kind.LOG]
        if not lines or self.refused:
            future: asyncio.Future[None] = self._journal.commit(*writes)
            return future
        self.refused += lines
        future = asyncio.get_running_loop().create_future()
        future.set_exception(JournalError("torn cable"))
        return future


async def says_first(_: Any, ctx: Any) -> bool:
    ctx.log("line", "begins")
    await ctx.step(put("main"))
    return False


async def says_last(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main"))
    ctx.log("line", "ends")
    return False


async def says_and_waits(_: Any, ctx: Any) -> bool:
    ctx.log("line", "waits")
    await ctx.sleep("wait", 20)
    return False


@pytest.mark.parametrize("flow", [says_first, says_last, says_and_waits])
async def test_line_whose_batch_the_disk_refused_is_written_again(servers: Servers, flow: Any) -> None:
    world = World()
    server = await servers.start(program(flow), world=world, limits=Limits(reread_seconds=0.02), wrap=Refusing)
    detail = await server.end(await server.post())

    assert detail.run.state is RunState.DONE
    assert server.journal.refused == ["line"]
    assert [row.step for row in detail.steps if row.kind is Kind.LOG] == ["line"]
    assert world.calls == ([] if flow is says_and_waits else ["main"])
