"""A pool, and a way to run a line or two of Python in it."""

import os
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from runtime.code import CodePool, compile_block

Run = Callable[..., Awaitable[bytes]]


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "prices.py").write_text("def double(price):\n    return 2 * price\n")
    return folder


@pytest.fixture
async def pool(modules: Path) -> AsyncIterator[CodePool]:
    environment = {**os.environ, "TZ": "UTC", "LANG": "pt_BR.UTF-8", "SETA_SECRET_CRM": "hush"}
    pool = CodePool(size=2, environment=environment, memory_limit=256 * 1024 * 1024, modules=modules)
    yield pool
    await pool.close()


@pytest.fixture
def printed() -> list[str]:
    return []


@pytest.fixture
def run(pool: CodePool, printed: list[str]) -> Run:
    """Run source, which stands in line 12 of a flow, with keyword arguments as parameters."""

    async def run_(source: str, limit: float = 5.0, **args: object) -> bytes:
        source = textwrap.indent(textwrap.dedent(source), "    ")
        block = compile_block(source, tuple(args), "flows/erp.seta", 12)
        return await pool.run(block, args, limit=limit, on_output=printed.append)

    return run_
