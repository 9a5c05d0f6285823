"""Clocks that jump: what is to last so long does, and what ends at an instant ends then."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.engine.steady import Boot, Steady
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Server, Servers, World, program, put, refused

HOUR = 3_600_000
DAY = 24 * HOUR


class Machine:
    """A wall clock and the time since the boot, both held."""

    def __init__(self) -> None:
        self.wall = 1_000 * DAY
        self.age = 5 * HOUR
        self.name = "one"

    def pass_(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.age += milliseconds

    def reboot(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.age, self.name = 0, f"after {self.name}"

    def clock(self, kept: bytes = b"") -> Steady:
        name = self.name
        return Steady(kept, lambda: self.wall, Boot(name, lambda: self.age))


JUMPS = [DAY, -HOUR, HOUR]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_of_the_wall_clock_moves_no_steady_one(jump: int) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock()
    machine.wall += jump
    machine.pass_(5)
    assert (clock() - before, clock.jumped(), clock.ahead) == (5, True, jump)
    assert not clock.jumped()


@pytest.mark.parametrize("jump", JUMPS)
def test_in_the_same_boot_another_process_goes_on_by_the_same_clock(jump: int) -> None:
    machine = Machine()
    clock = machine.clock()
    before, kept = clock(), clock.document
    machine.wall += jump
    machine.pass_(HOUR)
    again = machine.clock(kept)
    assert (again() - before, again.jumped()) == (HOUR, True)


@pytest.mark.parametrize("jump", [0, *JUMPS])
def test_what_is_due_in_an_hour_is_told_by_the_clock_on_the_wall(jump: int) -> None:
    machine = Machine()
    clock = machine.clock()
    due = clock() + 2 * HOUR
    machine.wall += jump
    machine.pass_(HOUR)
    assert clock.on_the_wall(due) == machine.wall + HOUR
    assert [clock.on_the_wall(past) for past in (0, clock() - DAY, clock())] == [machine.wall] * 3


@pytest.mark.parametrize("jump", [0, *JUMPS])
def test_after_a_reboot_the_wall_clock_says_how_long_that_took(jump: int) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock()
    machine.wall += jump
    clock.jumped()
    machine.reboot(7 * HOUR)
    again = machine.clock(clock.document)
    assert (again() - before, again.jumped()) == (7 * HOUR, False)


def test_without_a_name_of_the_boot_each_start_counts_as_a_reboot() -> None:
    machine = Machine()
    machine.name = ""
    clock = machine.clock()
    before = clock()
    machine.pass_(HOUR)
    machine.age = 3
    assert machine.clock(clock.document)() - before == HOUR


# Runs ---------------------------------------------------------------------------------------------


class Age:
    """The time since the boot, which a test lets pass."""

    def __init__(self) -> None:
        self.passed = 0

    def __call__(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000) + self.passed


async def rests(_: Any, ctx: Any) -> bool:
    await ctx.sleep("wait", HOUR)
    return False


async def tries(_: Any, ctx: Any) -> bool:
    await ctx.step(put("x"))
    return False


def let_pass(servers: Servers, age: Age, server: Server, milliseconds: int) -> None:
    servers.clock.ahead += milliseconds
    age.passed += milliseconds
    server.engine.look()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("flow", [rests, tries])
async def test_a_wait_lasts_as_long_as_it_says_whatever_the_wall_clock_does(
    servers: Servers, jump: int, flow: Any, *, restart: bool
) -> None:
    age = Age()
    servers.clock.boot = Boot("one", age)
    world = World(x=[refused(HOUR / 1000), "ok"])
    server = await servers.start(program(flow), world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead += jump
    server.engine.look()
    if restart:
        await servers.end()
        server = await servers.start(program(flow), world=world)
    await asyncio.sleep(0.05)
    let_pass(servers, age, server, HOUR - 60_000)
    await asyncio.sleep(0.05)
    await server.end(run_id, RunState.WAITING)
    let_pass(servers, age, server, 61_000)
    assert (await server.end(run_id)).run.state is RunState.DONE


async def test_what_ends_at_an_instant_ends_when_the_wall_clock_says_so(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.engine.steady.LOOK_SECONDS", 0.01)
    servers.clock.boot = Boot("one", Age())
    at = datetime.fromtimestamp(servers.clock() / 1000, UTC).replace(microsecond=0)

    async def until(_: Any, ctx: Any) -> bool:
        await ctx.sleep_until("wait", datetime.fromtimestamp(at.timestamp() + 20 * 3600, UTC))
        return False

    server = await servers.start(program(until))
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead += DAY
    assert (await server.end(run_id)).run.state is RunState.DONE
