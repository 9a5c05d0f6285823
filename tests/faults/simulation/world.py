"""The other systems: what each call comes to, by chance, and all that ever happened in them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from runtime.context import Call
from runtime.failures import Kind, StepFailure


@dataclass(slots=True)
class Attempt:
    """One call as the other system saw it. Times are seconds; `until` is when who called had its end."""

    life: int
    step: str
    run: str
    key: str
    args: tuple[object, ...]
    at: float
    until: float = float("inf")
    happened: bool = False  # it had its effect
    told: str = "nothing"  # what who called learnt
    not_before: float = 0.0  # what it was asked to wait for before another one


class World:
    """Takes calls until a simulation is over. Nothing fails any more once it is calm."""

    def __init__(self, chance: random.Random, note: Callable[[str], None]) -> None:
        self.calm = False
        self.attempts: list[Attempt] = []
        self.dead: set[int] = set()  # lives that can call nobody any more
        self._chance = chance
        self._note = note
        self._down: dict[str, float] = {}  # system -> until when it takes no connection

    async def perform(self, life: int, call: Call) -> object:
        """Make a call for a life of the server."""
        if life in self.dead:
            await asyncio.Event().wait()
        now = asyncio.get_running_loop().time()
        attempt = Attempt(life, call.spec.id, call.run.id, call.key, call.args, now)
        self.attempts.append(attempt)
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
            self._note(f"{life} calls {attempt.step} of {attempt.run}: {attempt.told}, {attempt.happened}")

    async def _answer(self, attempt: Attempt) -> None:
        chance = self._chance
        await asyncio.sleep(chance.uniform(0.001, 0.2))
        if self.calm:
            attempt.happened = True
            return
        if self._is_down(attempt.step, attempt.at):
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
