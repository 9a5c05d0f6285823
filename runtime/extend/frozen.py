"""The signatures of a folder's Python, read in a process of its own, so that nothing of it runs in ours."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from compiler.catalog import Function, Verb
from runtime.extend.modules import OwnPythonError, own_files

LIMIT: Final = 30.0  # s for all modules of a folder to be imported

_PYTHON: Final = ("-P", "-B", "-X", "utf8", "-m", "runtime.extend")  # -P: our packages, not the working directory's


class Frozen(msgspec.Struct):
    """What the process says: entries, each with its place, or what is wrong."""

    entries: list[Function | Verb] = []
    places: list[str] = []
    problem: str = ""


def frozen(folder: Path, limit: float = LIMIT) -> list[tuple[Function | Verb, str]]:
    """The signatures of a folder's Python and where they are. Raises OwnPythonError."""
    if not own_files(folder):
        return []
    command = [sys.executable, *_PYTHON, str(folder)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=limit, check=False)  # noqa: S603  # our own
    except subprocess.TimeoutExpired:
        raise OwnPythonError(
            f"{folder}: the modules were not imported within {limit:g} s: what stands at their top only defines things"
        ) from None
    if done.returncode:
        raise OwnPythonError(f"{folder}: the process that imports the modules ended with {_ended(done.returncode)}")
    said = msgspec.json.decode(done.stdout, type=Frozen)
    if said.problem:
        raise OwnPythonError(said.problem)
    return list(zip(said.entries, said.places, strict=True))


def _ended(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
