"""The program of a worker process: takes one task at a time from its channel, runs it, answers.

Run by path, in Python's isolated mode; it imports nothing of ours, so that it starts fast. A task
is a pickle of `Task`. An answer is JSON, because the parent must not unpickle what a block could
have written: a line with [failure, worn], then the value. Both are preceded by their length in four
bytes; an empty answer says that the worker has started.
"""

import builtins
import contextlib
import ctypes
import linecache
import marshal
import math
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from types import FunctionType, TracebackType
from typing import BinaryIO, NamedTuple

import msgspec

_PR_SET_PDEATHSIG = 1
_VALUE_LIMIT = 16 * 1024 * 1024
_MESSAGE_LIMIT = 1_000  # characters
_TRACE_LIMIT = 16_000

_json = msgspec.json.Encoder(decimal_format="number")  # with every digit of a Decimal

Failure = tuple[str, str, str]  # code, message, traceback


class Task(NamedTuple):
    """What the parent sends."""

    code: bytes
    filename: str
    first_line: int
    source: str
    arguments: list[object]


def main(channel: int, memory_limit: int, modules: str) -> None:
    """Serve until the channel is closed."""
    _confine(channel, memory_limit)
    if modules:
        sys.path.insert(0, modules)
    worn, worker, printed = (_address_space() + memory_limit) // 2, os.getpid(), os.dup(1)
    with os.fdopen(channel, "rb") as tasks, os.fdopen(os.dup(channel), "wb") as answers:
        os.register_at_fork(after_in_child=partial(_let_go, tasks.fileno(), answers.fileno()))
        _send(answers, b"")
        while size := tasks.read(4):
            task = Task(*pickle.loads(tasks.read(int.from_bytes(size))))  # noqa: S301  # from the parent
            _restore(printed)
            value, failure = _run(task)
            if os.getpid() != worker:  # the block has forked: its answer is the worker's
                os._exit(0 if failure is None else 1)
            head = _json.encode((failure, _address_space() > worn))
            _send(answers, head + b"\n" + value)
    os._exit(0)  # waits for no thread that a block has left


def _let_go(*channel: int) -> None:
    """Close the channel in a process that a block has forked, for it would hide that the worker has died."""
    for descriptor in channel:
        with contextlib.suppress(OSError):  # the block has closed it
            os.close(descriptor)


def _restore(printed: int) -> None:
    """Make what blocks print into go to the parent again: an earlier block may have closed or turned it."""
    for descriptor in (1, 2):
        os.dup2(printed, descriptor)


def _confine(channel: int, memory_limit: int) -> None:
    os.set_inheritable(channel, False)  # noqa: FBT003  # takes no keyword
    os.environ.pop("LC_CTYPE", None)  # Python's own addition
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _limit(resource.RLIMIT_AS, memory_limit)


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _address_space() -> int:
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:  # not Linux
        return 0
    try:
        return int(os.read(statm, 64).split()[0]) * resource.getpagesize()
    finally:
        os.close(statm)


def _send(answers: BinaryIO, data: bytes) -> None:
    answers.write(len(data).to_bytes(4) + data)
    answers.flush()


def _run(task: Task) -> tuple[bytes, Failure | None]:
    code = marshal.loads(task.code)  # noqa: S302  # from the parent
    scope = {"__name__": "__main__", "__builtins__": builtins}  # new, so that no `global` outlives
    try:
        with _streams():
            value = FunctionType(code, scope)(*task.arguments)
    except BaseException as error:  # noqa: BLE001  # sys.exit() too: it must not end the worker
        return b"null", _raised(error, task)
    return _encoded(value)


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Print through new streams: an earlier block may have replaced or closed those it had."""
    sys.stdout, sys.stderr = streams = [
        os.fdopen(descriptor, "w", 1, "utf-8", "backslashreplace", closefd=False) for descriptor in (1, 2)
    ]
    try:
        yield
    finally:
        for stream in streams:
            with contextlib.suppress(OSError, ValueError):  # closed
                stream.flush()


def _encoded(value: object) -> tuple[bytes, Failure | None]:
    try:
        data = _json.encode(value)
        _refuse_infinities(value, data)
    except Exception as error:  # noqa: BLE001  # whatever the value's class raises
        return b"null", ("code_result", f"the result does not fit into JSON: {_text(error)}", "")
    if len(data) > _VALUE_LIMIT:
        return b"null", ("code_result", f"the result has {len(data):,} bytes, over 16 MiB", "")
    return data, None


def _refuse_infinities(value: object, data: bytes) -> None:
    """Refuse numbers that JSON does not have: msgspec writes the float ones as null."""
    if not (b"null" in data or b"NaN" in data or b"Infinity" in data):
        return
    rest = [msgspec.to_builtins(value, builtin_types=(Decimal,), str_keys=True)]
    while rest:
        match rest.pop():
            case dict() as record:
                rest.extend(record.values())
            case list() | tuple() as items:
                rest.extend(items)
            case float() as number if not math.isfinite(number):
                raise ValueError(f"{number} is not a number there")
            case Decimal() as number if not number.is_finite():
                raise ValueError(f"{number} is not a number there")
            case _:
                pass


def _raised(error: BaseException, task: Task) -> Failure:
    trace = error.__traceback__.tb_next if error.__traceback__ else None  # without our own frame
    if isinstance(error, MemoryError):
        traceback.clear_frames(trace)  # what is held there is needed for the report
    message = ": ".join(filter(None, (type(error).__name__, _text(error)))) + _place(trace, task)
    return "code_failed", message, _clean(_formatted(error, trace, task)[-_TRACE_LIMIT:])


def _text(error: BaseException) -> str:
    try:
        return _clean(str(error)[:_MESSAGE_LIMIT])
    except Exception:  # noqa: BLE001  # an exception that cannot be printed
        return ""


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()  # lone surrogates


def _place(trace: TracebackType | None, task: Task) -> str:
    """Name the innermost line of the block itself: a library's says little to its author."""
    frames = traceback.walk_tb(trace)
    lines = [line for frame, line in frames if frame.f_code.co_filename == task.filename]
    return f"  ({task.filename}:{lines[-1]})" if lines else ""


def _formatted(error: BaseException, trace: TracebackType | None, task: Task) -> str:
    lines = ["\n"] * (task.first_line - 1) + [f"{line}\n" for line in task.source.split("\n")]
    linecache.cache[task.filename] = len(task.source), None, lines, task.filename
    return "".join(traceback.format_exception(type(error), error, trace))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
