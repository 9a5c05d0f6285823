"""Folders with Python of their own, and runs of their flows."""

import asyncio
import os
import random
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from compiler.own import write_catalog_file
from runtime.connections import local
from runtime.engine.engine import Engine
from runtime.engine.life import Surroundings
from runtime.frozen import in_file_and_python, loaded_python, together
from runtime.journal import open_journal
from runtime.journal.rows import Kind, RunDetail, RunState
from runtime.loader import Loaded, load
from runtime.plans import Programs
from runtime.shapes import read_json
from runtime.steps import catalog

NO_SECRETS: Final[Mapping[str, str]] = MappingProxyType({})
ENDS: Final = (RunState.DONE, RunState.DEAD, RunState.STOPPED, RunState.PARKED, RunState.WAITING)


def folder(tmp_path: Path, **files: str) -> Path:
    flows = tmp_path / "flows"
    flows.mkdir(exist_ok=True)
    for name, text in files.items():
        (flows / f"{name}.py").write_text(text, encoding="utf-8")
    return flows


def freeze(flows: Path) -> None:
    entries = together(*in_file_and_python(flows, catalog()))
    (flows / "seta.catalog.json").write_bytes(write_catalog_file(entries))


def loaded(flows: Path) -> Loaded:
    found = load(flows, catalog(), loaded_python(flows, catalog()))
    assert found.diagnostics == ()
    return found


async def ran(
    flows: Path, body: bytes, tmp_path: Path, secrets: Mapping[str, str] = NO_SECRETS
) -> tuple[RunDetail, list[Any]]:
    """A run of the flow `a` to where it ends or waits, and the lines of its log."""
    found = loaded(flows)
    journal = await open_journal(tmp_path / "data", clock=lambda: 1_000, tables=(local.TABLES,))
    around = Surroundings(
        journal, found.own_verbs(secrets), found.config, lambda: 1_000, random.Random(1).random, secrets
    )
    engine = Engine(around, Programs(found.programs, found.own).find, os.urandom)
    engine.start()
    try:
        program = found.programs["a"]
        accepted = await engine.accept(program, program.payload.decode(body).payload, body)
        async with asyncio.timeout(10):
            while True:
                detail = await journal.run(accepted.run_id)
                if detail is not None and detail.run.state in ENDS:
                    return detail, [read_json(step.value) for step in detail.steps if step.kind is Kind.LOG]
                await asyncio.sleep(0.005)
    finally:
        await engine.stop(1)
        await journal.close()
