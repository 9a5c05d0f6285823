"""The bytes of a body as they come: in memory, or from a size on in a file without a name."""

import asyncio
import errno
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from runtime.door.answers import DISK_FULL, Refused, unwell

logger = logging.getLogger("seta.door")


IN_MEMORY: Final = 262_144  # bytes that are not worth a file
_MANY: Final = 10_000  # values of one body
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Spool:
    """Where bodies lie while they come; `room` says whether the disk has any left."""

    folder: Path | None = None  # None: where the system has such files
    room: Callable[[], bool] = lambda: True


class Stored:
    """A body in a file without a name, which is gone with the last reference to this. Safe in any thread."""

    def __init__(self, file: IO[bytes]) -> None:
        self._descriptor = os.dup(file.fileno())
        self._size = os.fstat(self._descriptor).st_size

    def __len__(self) -> int:
        """The number of its bytes."""
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """Some of its bytes, which lie beside each other."""
        start, stop, _ = part.indices(self._size)
        return os.pread(self._descriptor, stop - start, start)

    def __bytes__(self) -> bytes:
        """All of it, in memory."""
        return self[:]

    def __del__(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


Content = bytes | Stored


def is_heavy(content: Content) -> bool:
    """Whether a body, once it is decoded, may be many times as large: a large form with files, and a great many values.

    `{},` are three bytes and an object of 64. Marks that stand in texts are counted too: they cost a turn, no more.
    """
    if not isinstance(content, bytes):
        return True
    return len(content) > _MANY and sum(map(content.count, (b",", b"[", b"{"))) > _MANY


class Arriving:
    """A body on its way into such a file. There is none before the first bytes are put down."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._file: IO[bytes] | None = None

    async def put_down(self, parts: Sequence[bytes]) -> None:
        """Write some bytes, in a thread: a disk may be slow. Raises Refused where it does not take them."""
        if not self._spool.room():
            raise Refused(DISK_FULL)
        try:
            self._file = await asyncio.to_thread(_write, self._file, self._spool.folder, tuple(parts))
        except OSError as error:
            logger.warning("a body cannot be written to a file: %s", error)
            raise Refused(DISK_FULL if error.errno in _NO_ROOM else unwell()) from None

    async def whole(self, last: Sequence[bytes]) -> Stored:
        """All of it, with what came last."""
        await self.put_down(last)
        return Stored(cast("IO[bytes]", self._file))

    def close(self) -> None:
        """Let go of the file; who has the whole body keeps it."""
        if self._file is not None:
            self._file.close()


def _write(file: IO[bytes] | None, folder: Path | None, parts: tuple[bytes, ...]) -> IO[bytes]:
    kept: IO[Any] = tempfile.TemporaryFile(dir=folder) if file is None else file  # noqa: SIM115  # it outlives this
    kept.writelines(parts)
    kept.flush()
    return kept
