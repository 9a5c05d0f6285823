"""The other systems: what each call comes to, by chance, and all that ever happened in them."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from runtime.connections.hosts import Hosts
from runtime.context import Call
from runtime.failures import Kind, StepFailure


@dataclass(slots=True)
class Attempt:
    """One call as the other system saw it. Times are seconds; `until` is when who called had its end."""

    life: int
    host: str
    step: str
    run: str
    key: str
    args: tuple[object, ...]
    at: float
    until: float = float("inf")
    happened: bool = False  # it had its effect
    told: str = "nothing"  # what who called learnt
    not_before: float = 0.0  # what it was asked to wait for before another one


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of what the way to a host has seen, in order: an attempt begins, ends, or is held before it begins."""

    what: Literal["begins", "ends", "held"]
    at: float
    life: int
    host: str
    attempt: Attempt


HOSTS: Final = {"post": "erp", "send": "messages"}
DEADLY: Final = "if/put"  # the step of which the process dies


def host_of(step: str) -> str:
    """The host that a step calls."""
    return HOSTS.get(step, "crm")


class World:
    """Takes calls until a simulation is over. Nothing fails any more once it is calm, but for what kills."""

    def __init__(self, chance: random.Random, note: Callable[[str], None], crash: Callable[[Attempt], None]) -> None:
        self.calm = False
        self.attempts: list[Attempt] = []
        self.asked: list[Asked] = []
        self.dead: set[int] = set()  # lives that can call nobody any more
        self._hosts: dict[int, Hosts] = defaultdict(self._strangers)  # what each life knows of hosts
        self._chance = chance
        self._note = note
        self._crash = crash
        self._down: dict[str, float] = {}  # system -> until when it takes no connection

    async def perform(self, life: int, call: Call) -> object:
        """Make a call for a life of the server."""
        if life in self.dead:
            await asyncio.Event().wait()
        now = asyncio.get_running_loop().time()
        attempt = Attempt(life, host_of(call.spec.id), call.spec.id, call.run.id, call.key, call.args, now)
        try:
            asking = self._hosts[life].asking(attempt.host)
        except StepFailure:
            self._see("held", attempt)
            raise
        with asking:
            return await self._make(attempt)

    def _see(self, what: Literal["begins", "ends", "held"], attempt: Attempt) -> None:
        self.asked.append(Asked(what, asyncio.get_running_loop().time(), attempt.life, attempt.host, attempt))

    def _strangers(self) -> Hosts:
        return Hosts(asyncio.get_running_loop().time, self._chance.random)

    async def _make(self, attempt: Attempt) -> object:
        self.attempts.append(attempt)
        self._see("begins", attempt)
        try:
            await self._answer(attempt)
        except StepFailure as failure:
            attempt.told = failure.code
            raise
        except asyncio.CancelledError:
            attempt.happened |= self._chance.random() < 0.5  # it was on its way
            attempt.told = "cut"
            raise
        else:
            attempt.told = "done"
            return {"of": attempt.key}
        finally:
            attempt.until = asyncio.get_running_loop().time()
            self._see("ends", attempt)
            self._note(f"{attempt.life} calls {attempt.step} of {attempt.run}: {attempt.told}, {attempt.happened}")

    async def _answer(self, attempt: Attempt) -> None:
        chance = self._chance
        await asyncio.sleep(chance.uniform(0.001, 0.2))
        if attempt.step == DEADLY:
            self._crash(attempt)
            await asyncio.Event().wait()
        if self.calm:
            attempt.happened = True
            return
        if self._is_down(attempt.host, attempt.at):
            raise StepFailure("connect", "connection refused", Kind.NOT_DONE)
        drawn = chance.random()
        if drawn < 0.1:
            await self._refuse(attempt)
        elif drawn < 0.2:
            attempt.happened = chance.random() < 0.5
            raise StepFailure("no_answer", "the answer was lost", Kind.TRANSIENT)
        elif drawn < 0.23:
            raise StepFailure("http_404", "it is wrong")
        elif drawn < 0.26:
            attempt.happened = chance.random() < 0.5
            await asyncio.sleep(1000)  # longer than anybody waits
        attempt.happened = True

    async def _refuse(self, attempt: Attempt) -> None:
        pause = self._chance.choice([None, 0.5, 30.0, 90.0])
        attempt.not_before = asyncio.get_running_loop().time() + (pause or 0.0)
        raise StepFailure("http_429", "too many requests", Kind.NOT_DONE, pause)

    def _is_down(self, system: str, now: float) -> bool:
        """Whether a system takes no connection, which begins by chance and lasts a while."""
        if now >= self._down.get(system, 0.0) and self._chance.random() < 0.02:
            self._down[system] = now + self._chance.uniform(5, 120)
        return now < self._down.get(system, 0.0)
