"""Looking at a folder of flows for changes."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

LOOK_EVERY: Final = 0.5  # s

Snapshot = dict[str, tuple[int, int, int]]


async def watch(folder: Path, changed: Callable[[], None], every: float = LOOK_EVERY) -> None:
    """Call `changed` after each change of a folder, once it is the same for two looks: editors write in pieces."""
    known = seen = await asyncio.to_thread(_snapshot, folder)
    while True:
        await asyncio.sleep(every)
        found = await asyncio.to_thread(_snapshot, folder)
        if found == seen and found != known:
            known = found
            changed()
        seen = found


def _snapshot(folder: Path) -> Snapshot:
    return {entry.path: _stamp(entry) for entry in _files(str(folder))}


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files below a folder; hidden ones are an editor's, or the data folder's."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:  # it is being replaced
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _files(entry.path)
        else:
            yield entry


def _stamp(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    try:
        status = entry.stat()
    except FileNotFoundError:  # it was removed between our two looks
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
