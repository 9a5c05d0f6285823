"""What must have come of a flow of loops and branches: told from its text and the fates of its steps alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from tests.faults.simulation.growth import Grown, Made
from tests.faults.simulation.trees import Do, Each, Fail, Node, Together, Wait, fate


@dataclass
class Expected:
    """What is recorded at the end, and how the flow fails."""

    rows: dict[str, str] = field(default_factory=dict)  # step -> kind
    begun: dict[str, int] = field(default_factory=dict)  # loop that failed -> how many of its items had begun
    failure: str | None = None  # the step


class Reference:
    """Goes through a flow in the order of its text. Of what happened it looks at one thing: which items have begun."""

    def __init__(self, grown: Grown) -> None:
        self._seed = grown.seed
        self._seen = [*grown.rows, *(call.name for call in grown.calls)]
        self.expected = Expected()
        self.expected.failure = self._nodes(grown.flow, "")

    def _nodes(self, nodes: Sequence[Node], path: str) -> str | None:
        return next((failure for node in nodes if (failure := self._node(node, path)) is not None), None)

    def _node(self, node: Node, path: str) -> str | None:
        name = node.id + path
        match node:
            case Do():
                wrong = fate(self._seed, name).wrong
                self.expected.rows[name] = "failed" if wrong else "result"
                if wrong and node.otherwise:
                    return self._nodes(node.otherwise, path)
                return name if wrong else None
            case Wait():
                self.expected.rows[name] = "result"
                return None
            case Fail():
                return name if fate(self._seed, name).wrong else None
            case Together():
                failures = [self._nodes(branch, path) for branch in node.branches]
                return next((failure for failure in failures if failure is not None), None)
            case Each():
                return self._each(node, path)

    def _each(self, loop: Each, path: str) -> str | None:
        """Items begin in order, all of those before the first that fails; of those after it, some."""
        name, first = loop.id + path, None
        begun = self._begun(loop, path) if loop.at_once > 1 else 0
        for index in range(loop.items):
            if first is not None and index >= begun:
                break
            failure = self._nodes(loop.body, f"{path}[{index}]")
            first = failure if first is None else first
        if first is not None and loop.at_once > 1:
            self.expected.rows[name] = "result"
            self.expected.begun[name] = begun
        return first

    def _begun(self, loop: Each, path: str) -> int:
        """How many had certainly begun: of the last of them something was seen."""
        below, within = f"{loop.id}/", f"{path}["
        own = [name.partition("[") for name in self._seen if name.startswith(below)]
        rests = [bracket + rest for _, bracket, rest in own]
        indices = [int(rest.removeprefix(within).partition("]")[0]) for rest in rests if rest.startswith(within)]
        return 1 + max(indices, default=-1)


def check(grown: Grown) -> None:
    """Raise AssertionError where a promise is broken."""
    calls: dict[str, list[Made]] = defaultdict(list)
    for call in grown.calls:
        calls[call.name].append(call)
    steps = {node.id: node for node in _dos(grown.flow)}
    for name, made in calls.items():
        _calls_are_in_order(steps[name.split("[")[0]], made, torn=bool(grown.refused))
    keys = {name: {call.key for call in made} for name, made in calls.items()}
    assert all(len(its) == 1 for its in keys.values()), "a step has two keys"
    assert len({key for its in keys.values() for key in its}) == len(keys), "a key is of two steps"
    _items_begin_as_they_may(grown)
    if grown.state == "parked":
        _somebody_has_to_say(grown, steps, calls)
    else:
        _it_ends_as_it_must(grown)


def _dos(nodes: Sequence[Node]) -> Iterator[Do]:
    for node in nodes:
        match node:
            case Do():
                yield node
                yield from _dos(node.otherwise)
            case Each():
                yield from _dos(node.body)
            case Together():
                for branch in node.branches:
                    yield from _dos(branch)
            case _:
                pass


def _calls_are_in_order(step: Do, made: Sequence[Made], *, torn: bool) -> None:
    for call in made:
        assert (call.recorded == "started") == (step.effect == "once"), f"{call} while that is recorded"
        assert call.recorded not in {"result", "failed"}, f"{call} after its end"
    for call in made[:-1]:
        lost = torn or call.life != made[-1].life  # what it was told may be on no disk
        assert lost or call.told in {"refused", "lost"}, f"{call} is repeated"
        unknown = step.effect == "once" and not step.again and call.told != "refused"
        assert not unknown, f"{call} is repeated, and nobody knows whether it happened"


def _items_begin_as_they_may(grown: Grown) -> None:
    at_once = {node.id: node.at_once for node in _loops(grown.flow)}
    known: set[tuple[str, int]] = set()
    failed: set[str] = set()
    running: Counter[tuple[int, str]] = Counter()
    for item in grown.items:
        place = item.life, item.loop
        if item.what == "begins":
            assert (item.loop, item.index) in known or item.loop not in failed, f"{item} after a failure"
            assert item.index == 0 or (item.loop, item.index - 1) in known, f"{item} out of its turn"
            known.add((item.loop, item.index))
            running[place] += 1
            assert running[place] <= at_once[item.loop.partition("[")[0]], f"{item} has no place"
        elif item.what == "fails":
            failed.add(item.loop)
        if item.what != "begins":
            running[place] -= 1


def _loops(nodes: Sequence[Node]) -> Iterator[Each]:
    for node in nodes:
        match node:
            case Each():
                yield node
                yield from _loops(node.body)
            case Together():
                for branch in node.branches:
                    yield from _loops(branch)
            case _:
                pass


def _somebody_has_to_say(grown: Grown, steps: dict[str, Do], calls: dict[str, list[Made]]) -> None:
    told = msgspec.json.decode(grown.error)
    step = steps[told["step"].split("[")[0]]
    assert told["code"] == "unknown", f"parked: {told}"
    assert step.effect == "once", f"{step} is parked"
    assert not step.again, f"{step} is parked"
    assert grown.rows[told["step"]][0] == "started"
    assert calls[told["step"]][-1].told in {"cut", "lost", "done", "wrong", "refused"}


def _it_ends_as_it_must(grown: Grown) -> None:
    expected = Reference(grown).expected
    found = {step: kind for step, (kind, _) in grown.rows.items()}
    assert found == expected.rows, f"recorded, or missing: {sorted(found.items() ^ expected.rows.items())}"
    for loop, begun in expected.begun.items():
        assert int(grown.rows[loop][1]) >= begun, f"of {loop} more had begun than is known"
    assert grown.state == ("done" if expected.failure is None else "dead"), grown.error
    if expected.failure is not None:
        assert msgspec.json.decode(grown.error)["message"] == expected.failure
