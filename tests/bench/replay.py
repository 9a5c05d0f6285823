"""What it costs a run of many records to go on: reading them and coming to its first live step."""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from runtime.context import Call, RemoteVerb
from runtime.engine.engine import Engine
from runtime.engine.ids import digest
from runtime.engine.life import Surroundings
from runtime.journal import open_journal
from runtime.journal.rows import Kind
from runtime.journal.writes import Accept, Record
from runtime.program import Program
from tests.runtime.engine.by_hand import now, program, put, read_json

ITEM: Final = put("item")
LAST: Final = put("last")
VALUE: Final = b'{"id":123456,"nome":"Maria da Silva","email":"maria@example.com","ok":true}'


async def resumed(folder: Path, records: int) -> tuple[float, float]:
    """Milliseconds, and of the processor, from the start of the engine to the first step that is not recorded."""
    live = asyncio.Event()

    async def perform(_: Call) -> Any:
        live.set()
        return None

    async def flow(_: Any, ctx: Any) -> bool:
        async def body(inner: Any, item: Any) -> None:
            await inner.step(ITEM, item)

        await ctx.each("for", list(range(records)), body, most=records, at_once=1)
        await ctx.step(LAST)
        return False

    one = program(flow)

    async def find(plan: str, bundle: bytes | None) -> Program:  # noqa: ARG001  # there is one plan
        return one

    async with asyncio.timeout(60):
        journal = await open_journal(folder, clock=now)
        accept = Accept("run", "run", "f", one.plan, now(), b"{}", running=False)
        await journal.commit(accept)
        kept = (Record(accept.seq, f"item[{n}]", Kind.RESULT, digest((n,)), now(), value=VALUE) for n in range(records))
        await journal.commit(*kept)
        around = Surroundings(journal, {"do": RemoteVerb(perform, read_json)}, {}, now, random.random)
        engine = Engine(around, find, os.urandom)
        await engine.keep({"f": one})
        wall, cpu = time.perf_counter(), time.process_time()
        engine.start()
        await live.wait()
        taken = (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000
        await engine.stop(1)
        await journal.close()
    return taken


def main() -> None:
    """Print the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    found = []
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as made:
            found.append(asyncio.run(resumed(Path(made), chosen.records)))
    wall, cpu = (statistics.median(column) for column in zip(*found, strict=True))
    Console().print(f"a run of {chosen.records} records goes on after {wall:.1f} ms, {cpu:.1f} ms of the processor's")


if __name__ == "__main__":
    main()
