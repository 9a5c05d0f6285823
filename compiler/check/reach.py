"""How far declarations reach that name each other: what leads back to itself, and how much all of one comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Final

MAX_DEPTH: Final = 64  # of declarations that name each other
MAX_WEIGHT: Final = 10_000  # words and values of a declaration, with those of all that it names, as often as it does


@dataclass(frozen=True, slots=True)
class Named:
    """A declaration: what stands in it itself, and the names of others in it, as often as they stand there."""

    weight: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What one comes to with all that it names, and how deep those are nested."""

    weight: int
    depth: int

    @property
    def too_far(self) -> bool:
        """Whether it is more than one can be."""
        return self.weight > MAX_WEIGHT or self.depth > MAX_DEPTH


def loops(declared: Mapping[str, Named]) -> list[tuple[str, ...]]:
    """The groups of names that lead back to themselves (Tarjan's components, without recursion)."""
    return [group for group in _groups(declared) if len(group) > 1 or group[0] in declared[group[0]].names]


def reaches(declared: Mapping[str, Named]) -> dict[str, Reach]:
    """What each comes to; none may lead back to itself. Those that are named come first."""
    graph = {name: set(one.names) & declared.keys() for name, one in declared.items()}
    found: dict[str, Reach] = {}
    for name in TopologicalSorter(graph).static_order():
        inner = [found[other] for other in declared[name].names if other in found]
        weight = declared[name].weight + sum(reach.weight for reach in inner)
        depth = 1 + max((reach.depth for reach in inner), default=0)
        found[name] = Reach(min(weight, MAX_WEIGHT + 1), depth)
    return found


def _groups(declared: Mapping[str, Named]) -> Iterator[tuple[str, ...]]:
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: dict[str, None] = {}
    for root in declared:
        walk = [(root, _unseen(root, declared))] if root not in index else []
        while walk:
            name, others = walk[-1]
            low.setdefault(name, index.setdefault(name, len(index)))
            open_.setdefault(name)
            other = next(others, None)
            if other is not None and other not in index:
                walk.append((other, _unseen(other, declared)))
            elif other is not None:
                low[name] = min(low[name], index[other]) if other in open_ else low[name]
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[name])
                if low[name] == index[name]:
                    yield tuple(_popped(open_, name))


def _unseen(name: str, declared: Mapping[str, Named]) -> Iterator[str]:
    return iter([other for other in dict.fromkeys(declared[name].names) if other in declared])


def _popped(open_: dict[str, None], last: str) -> Iterator[str]:
    while True:
        name, _ = open_.popitem()
        yield name
        if name == last:
            return
