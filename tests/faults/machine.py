"""What a fault test asks of the machine that it runs on. Where it cannot have it, the test is skipped and says why."""

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SYSTEM = "/usr/sbin:/sbin"  # where mount's friends are, which not every PATH names
_SECONDS = 30
_BLOCK = 4096
_ZEROS = bytes(_BLOCK)


def tool(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM}")
    return found or pytest.skip(f"{name} is not installed")


def as_root(what: str) -> None:
    """Go on as root only."""
    if os.geteuid() != 0:
        pytest.skip(f"only root may {what}")


def run(name: str, *args: str | Path) -> None:
    """Run a program to its good end."""
    subprocess.run([tool(name), *args], check=True, capture_output=True, timeout=_SECONDS)


@contextmanager
def mounted(at: Path, *args: str | Path) -> Iterator[Path]:
    """A file system mounted for as long as it is used, where this machine lets anybody do so."""
    as_root("mount")
    at.mkdir()
    done = subprocess.run([tool("mount"), *args, at], check=False, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode != 0:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")
    try:
        yield at
    finally:
        run("umount", "--lazy", at)


@contextmanager
def syncs(pid: int, do: str) -> Iterator[None]:
    """Let every sync of a process do something else, in the words of `strace -e inject`."""
    command = [tool("strace"), "-f", "-qq", "-o", os.devnull, "-p", str(pid)]
    options = ["-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:{do}"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as strace:
        try:
            _wait_for_tracer(pid, strace)
            yield
        finally:
            strace.terminate()
            _end(strace)


def _end(strace: "subprocess.Popen[str]") -> None:
    """Wait for its end, which it does not find by itself where the process was killed at a bad moment."""
    try:
        strace.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        strace.kill()
        strace.communicate(timeout=_SECONDS)


def _wait_for_tracer(pid: int, strace: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + _SECONDS
    while not all(_is_traced(task) for task in Path(f"/proc/{pid}/task").iterdir()):
        if strace.poll() is not None:
            pytest.skip(f"strace may not look at other processes here: {strace.communicate()[1].strip()}")
        assert time.monotonic() < end, "strace does not begin"
        time.sleep(0.01)


def _is_traced(task: Path) -> bool:
    try:
        return "TracerPid:\t0\n" not in (task / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return True


def fill(ballast: Path, *, leaving: int) -> None:
    """Take what is free of a disk, but for so many bytes."""
    status = os.statvfs(ballast.parent)
    with ballast.open("wb", buffering=0) as file:  # nothing is left to write when it is closed
        for _ in range(max(0, status.f_bavail * status.f_frsize - leaving) // _BLOCK):
            try:
                file.write(_ZEROS)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


class Clock:
    """The wall clock of a process, which a test may set while it runs; the time since boot goes on as it does."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set("+0")

    def set(self, ahead: str) -> None:
        """Let the clock be so far ahead of the real one, in the words of faketime: `+1d`, `-1h`."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead}\n")
        fresh.replace(self._file)

    def environment(self) -> dict[str, str]:
        """What a process has to be started with."""
        return {
            "LD_PRELOAD": str(_faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


def _faketime() -> Path:
    """The library for processes of several threads."""
    tool("faketime")
    found = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
    return found or pytest.skip("the library of faketime is not where it is looked for")
