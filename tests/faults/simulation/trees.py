"""Flows of loops and branches, drawn by chance: what their steps come to is known before anything runs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Literal, Protocol

from runtime.context import Policy, StepSpec
from runtime.failures import StepFailure

Effect = Literal["idempotent", "keyed", "once"]

EFFECTS: tuple[Effect, ...] = ("idempotent", "keyed", "once")
TRIES = 12  # more than a fate refuses and a piece dies
MANY = 2, 5  # items of a loop


@dataclass(frozen=True, slots=True)
class Do:
    """A call; where it fails, `otherwise` is done instead, if there is something."""

    id: str
    effect: Effect
    again: bool  # also where nobody knows whether it happened
    otherwise: tuple["Node", ...] = ()

    @property
    def spec(self) -> StepSpec:
        """The step of a plan."""
        policy = Policy(TRIES, low=10, high=5_000, asked=True, unknown="retry" if self.again else "park")
        return StepSpec(self.id, "do", self.effect, policy=policy)


@dataclass(frozen=True, slots=True)
class Wait:
    """Time that passes, in ms."""

    id: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Fail:
    """Code that fails without a record, where its fate says so."""

    id: str


@dataclass(frozen=True, slots=True)
class Together:
    """Branches that run at the same time."""

    id: str
    branches: tuple[tuple["Node", ...], ...]


@dataclass(frozen=True, slots=True)
class Each:
    """A loop over so many items."""

    id: str
    items: int
    at_once: int
    body: tuple["Node", ...]


Node = Do | Wait | Fail | Together | Each


@dataclass(frozen=True, slots=True)
class Fate:
    """What a call comes to: how long each takes, what the first ones are told, and whether the last one fails."""

    seconds: tuple[float, ...]
    before: tuple[str, ...]
    wrong: bool

    def told(self, number: int) -> str:
        """What the call of a number is told that is not cut."""
        if number < len(self.before):
            return self.before[number]
        return "wrong" if self.wrong else "done"


def fate(seed: int, name: str) -> Fate:
    """What becomes of a step of a piece, whenever it is called."""
    chance = random.Random(f"{seed} {name}")
    before = [chance.choice(["refused", "refused", "lost"]) for _ in range(chance.choice([0, 0, 0, 1, 2]))]
    seconds = [chance.choice([0.001, 0.05, 1.0, 9.0]) * (0.5 + chance.random()) for _ in range(TRIES)]
    return Fate(tuple(seconds), tuple(before), chance.random() < 0.04)


def draw(chance: random.Random) -> tuple[Node, ...]:
    """A flow that has a loop or branches in its middle."""
    drawing = _Drawing(chance)
    return (*drawing.nodes("", 2)[:1], drawing.several("", 2), *drawing.nodes("", 0))


class _Drawing:
    """Draws nodes. Their ids are paths, as those of plans are; `depth` is how much may still be inside of another."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._numbers = count()

    def nodes(self, within: str, depth: int) -> tuple[Node, ...]:
        """Some, one after the other."""
        return tuple(self._node(within, depth) for _ in range(self._chance.randint(1, 3)))

    def _node(self, within: str, depth: int) -> Node:
        drawn = self._chance.random()
        if depth and drawn < 0.35:
            return self.several(within, depth - 1)
        if drawn < 0.5:
            return Wait(self._id(within, "wait"), self._chance.choice([5, 400, 20_000]))
        if drawn < 0.55:
            return Fail(self._id(within, "fail"))
        step, effect = self._id(within, "do"), self._chance.choice(EFFECTS)
        otherwise = self.nodes(f"{step}/else/", 0) if self._chance.random() < 0.2 else ()
        return Do(step, effect, self._chance.random() < 0.9, otherwise)

    def several(self, within: str, depth: int) -> Node:
        """A loop, or branches."""
        if self._chance.random() < 0.4:
            step = self._id(within, "all")
            branches = tuple(self.nodes(f"{step}/", depth) for _ in range(self._chance.randint(1, 4)))
            return Together(step, branches)
        step = self._id(within, "for")
        body = self.nodes(f"{step}/", depth)
        return Each(step, self._chance.randint(*MANY), self._chance.choice([1, 2, 3, 5]), body)

    def _id(self, within: str, what: str) -> str:
        return f"{within}{what}{next(self._numbers)}"


class Tell(Protocol):
    """Hears what an item of a loop does: begins, fails, leaves or ends."""

    def __call__(self, what: str, loop: str, index: int) -> None:
        """Hear it."""
        ...


class Walk:
    """Runs a flow as generated code would, and tells what its items do."""

    def __init__(self, seed: int, tell: Tell) -> None:
        self._seed = seed
        self._tell = tell

    async def nodes(self, nodes: Sequence[Node], path: str, ctx: Any) -> None:
        """One after the other. `path` is the indices of the loops around them."""
        for node in nodes:
            await self._node(node, path, ctx)

    async def _node(self, node: Node, path: str, ctx: Any) -> None:
        match node:
            case Do():
                await self._do(node, path, ctx)
            case Wait():
                await ctx.sleep(node.id, node.milliseconds)
            case Fail():
                if fate(self._seed, node.id + path).wrong:
                    raise StepFailure("failed", node.id + path)
            case Together():
                await ctx.all(node.id, *(partial(self.nodes, branch, path) for branch in node.branches))
            case Each():
                item = partial(self._item, node, path)
                await ctx.each(node.id, list(range(node.items)), item, most=MANY[1], at_once=node.at_once)

    async def _do(self, node: Do, path: str, ctx: Any) -> None:
        try:
            await ctx.step(node.spec, path)
        except StepFailure:
            if not node.otherwise:
                raise
            await self.nodes(node.otherwise, path, ctx)

    async def _item(self, loop: Each, path: str, ctx: Any, index: int) -> None:
        told = partial(self._tell, loop=loop.id + path, index=index)
        told("begins")
        try:
            await self.nodes(loop.body, f"{path}[{index}]", ctx)
        except StepFailure:
            told("fails")
            raise
        except BaseException:
            told("leaves")
            raise
        told("ends")
