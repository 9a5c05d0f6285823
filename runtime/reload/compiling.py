"""A folder of flows compiled in a process of its own, so that requests are answered meanwhile as fast as ever.

In a thread, the compiler would hold the interpreter lock for 5 ms at a time, and a request needs it several times.
"""

import asyncio
import logging
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.pipeline import Folder
from dsl import render_text, summary
from runtime.compiling import compile_all
from runtime.extend.modules import OwnPythonError
from runtime.folder import FolderError, FolderSettings
from runtime.frozen import loaded_python
from runtime.linking import Prepared, finish, prepare
from runtime.loader import Loaded
from runtime.steps import catalog

logger = logging.getLogger("seta.reload")

LIMIT: Final = 120.0  # s; a hundred flows take two
_COMMAND: Final = "from runtime.reload.compiling import main; main()"  # by this name, which pickles hold


@dataclass(frozen=True, slots=True)
class Refused:
    """A folder that cannot be served: why, in one line; and its diagnostics as people read them, or nothing."""

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What a folder became. Each flow is pickled by itself, so that they can be read one at a time."""

    flows: tuple[bytes, ...]
    settings: FolderSettings


def main() -> None:
    """Compile the folder that the command line names and write what became of it to standard output.

    What the folder's own Python prints when it is imported goes to standard error.
    """
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        out.write(pickle.dumps(_compile(Path(sys.argv[1]))))
    os._exit(0)  # waits for no thread that a module has left


def _compile(folder: Path) -> _Fresh | Refused:
    try:
        loaded_python(folder, catalog())  # here first: what cannot be imported is not tried where flows run
        compiled, known, settings = compile_all(folder, catalog())
    except (FolderError, OwnPythonError) as error:
        return Refused(str(error))
    if (refused := refusal(folder, compiled)) is not None:
        return refused
    return _Fresh(tuple(pickle.dumps(prepare(flow, known, settings)) for flow in compiled.flows), settings)


def refusal(folder: Path, compiled: Folder) -> Refused | None:
    """Why a compiled folder may not be served, or None."""
    if compiled.broken:
        return Refused(summary(compiled.diagnostics), render_text(compiled.diagnostics))
    if not compiled.flows:
        return Refused(f"there is no flow in {folder}: a flow is a file that ends in .seta")
    return None


async def compile_apart(folder: Path, limit: float = LIMIT) -> Loaded | Refused:
    """Compile a folder in another process. What is left to do here is done flow by flow, between requests."""
    output = await _output(folder, limit)
    if isinstance(output, Refused):
        return output
    fresh: _Fresh | Refused = pickle.loads(output)  # noqa: S301  # of our own process
    if isinstance(fresh, Refused):
        return fresh
    try:
        own = await asyncio.to_thread(loaded_python, folder, catalog())
    except (FolderError, OwnPythonError) as error:
        return Refused(str(error))
    programs = {}
    for data in fresh.flows:
        prepared: Prepared = pickle.loads(data)  # noqa: S301  # of our own process
        programs[prepared.flow] = finish(prepared, own)
        await asyncio.sleep(0)
    return Loaded(programs, Folder((), ()), fresh.settings.config, fresh.settings, catalog(), own)


async def _output(folder: Path, limit: float) -> bytes | Refused:
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _COMMAND, str(folder),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is the server's
        )  # fmt: skip
    except OSError as error:
        return Refused(f"there is no process to compile it in: {error}")
    try:
        async with asyncio.timeout(limit):
            output, errors = await process.communicate()
    except TimeoutError:
        return Refused(f"it takes longer than {limit:g} s to compile")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        logger.error("the process that compiles failed:\n%s", errors.decode(errors="replace"))
        return Refused(f"the process that compiles ended with exit code {process.returncode}: see the server's log")
    return output
