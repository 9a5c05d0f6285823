"""A disk that fails when told to, and that can lose its power: what was not synced is then kept or lost by chance."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512  # bytes that a disk writes whole or not at all


class FaultyDisk(apsw.VFS):
    """SQLite's files over the real ones.

    `write_fails` and `sync_fails` are raised, until they are None again, for the files whose name ends with `only`.
    """

    def __init__(self) -> None:
        self.real = apsw.vfs_names()[0]
        super().__init__("faulty", self.real, makedefault=True)
        self.only = ""
        self.write_fails: apsw.Error | None = None
        self.sync_fails: apsw.Error | None = None
        self.lock = threading.Lock()
        self.synced: dict[str, bytearray] = {}
        self.pending: dict[str, list[tuple[int, bytes]]] = {}

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        return _File(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802, FBT001  # SQLite's name
        super().xDelete(name, sync)
        with self.lock:
            del self.synced[name], self.pending[name]

    def cut(self, folder: Path, into: Path, chance: random.Random) -> None:
        """Make a folder as the other one would be found after a power cut at this moment."""
        into.mkdir()
        with self.lock:
            for name, synced in self.synced.items():
                if Path(name).parent == folder:
                    image = bytearray(synced)
                    for offset, data in self.pending[name]:
                        _put_some(image, offset, data, chance)
                    (into / Path(name).name).write_bytes(image)

    def refuse(self, path: str, error: apsw.Error | None) -> None:
        """Raise the error that was ordered."""
        if error is not None and path.endswith(self.only):
            raise error


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__(disk.real, name, flags)
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        with disk.lock:
            if self._path not in disk.synced:
                path = Path(self._path)
                disk.synced[self._path] = bytearray(path.read_bytes() if path.exists() else b"")
                disk.pending[self._path] = []

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.refuse(self._path, self._disk.write_fails)
        super().xWrite(data, offset)
        with self._disk.lock:
            self._disk.pending[self._path].append((offset, bytes(data)))

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.refuse(self._path, self._disk.sync_fails)
        super().xSync(flags)
        with self._disk.lock:
            for offset, data in self._disk.pending[self._path]:
                _put(self._disk.synced[self._path], offset, data)
            self._disk.pending[self._path] = []


def _put_some(image: bytearray, offset: int, data: bytes, chance: random.Random) -> None:
    for start in range(0, len(data), SECTOR):
        if chance.random() < 0.5:
            _put(image, offset + start, data[start : start + SECTOR])


def _put(image: bytearray, offset: int, data: bytes) -> None:
    image.extend(b"\0" * (offset - len(image)))
    image[offset : offset + len(data)] = data


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    """Let every database that is opened within lie on a faulty disk."""
    disk = FaultyDisk()
    try:
        yield disk
    finally:
        disk.unregister()
