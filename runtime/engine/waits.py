"""Waiting for an event of another run, and sending one."""

from collections.abc import Callable
from typing import Any

import msgspec

from runtime.engine.attempts import placed, recorded
from runtime.engine.ids import encode
from runtime.engine.leaving import Suspended
from runtime.engine.life import Life
from runtime.failures import StepFailure
from runtime.journal.rows import Kind, StepRow
from runtime.journal.writes import Await, Emit
from runtime.shapes import MisfitError, NotJsonError

Asked = tuple[str, bytes, str, str]  # step, hash of the arguments, name of the event, its key


class _Taken(msgspec.Struct):
    """The value of a wait's record: the event's number and value."""

    event: int
    value: msgspec.Raw


_read_taken = msgspec.json.Decoder(_Taken).decode


async def wait_for(life: Life, record: StepRow | None, asked: Asked, within: int, read: Callable[[bytes], Any]) -> Any:
    """Give the value of an event that came since the run began, and after the last that it took of name and key."""
    step, _, event, key = asked
    if record is not None and record.kind is not Kind.TIMER:
        taken = recorded(record, _read_taken)
        number, value = taken.event, bytes(taken.value)
    else:
        await life.replay.live(step)
        number, value = await _look(life, asked, within)
    life.taken[event, key] = max(number, life.taken.get((event, key), 0))
    try:
        return read(value)
    except (MisfitError, NotJsonError) as misfit:
        raise placed(StepFailure("result", f"the event does not fit: {misfit}"), step) from misfit


async def _look(life: Life, asked: Asked, within: int) -> tuple[int, bytes]:
    step, hashed, event, key = asked
    now = life.around.steadily()
    write = Await(life.seq, step, hashed, event, key, now, now + within, life.taken.get((event, key), 0))
    await life.commit(write)
    if write.failure is not None:
        raise placed(write.failure, step)
    if not write.number:
        raise Suspended(write.until, step)
    return write.number, write.value


async def emit(life: Life, asked: Asked, value: Any) -> None:
    """Commit the event; wake those who wait."""
    step, hashed, event, key = asked
    await life.replay.live(step)
    now = life.around.steadily()
    write = Emit(life.seq, step, hashed, event, key, encode(value), now, now + life.shared.keep_events)
    await life.commit(write)
    if write.failure is not None:
        raise placed(write.failure, step)
    if write.woken:
        life.shared.alarm.set()
