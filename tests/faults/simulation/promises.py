"""What must be true of every simulation, whatever happened in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

import msgspec

from tests.faults.simulation.play import LIMITS, ROOM, Crash, Piece, Ran
from tests.faults.simulation.world import Asked, Attempt

ENDS = {"done", "dead", "stopped", "parked"}
EPSILON = 0.002  # seconds: the journal counts in ms

FLOWS = """
flow steps
on webhook dedupe by n for 7d {n: int}
  -> put "a" with {n}
  -> wait 10s
  -> post "b" with {n}
  -> send "c" with {n}

flow branches
on webhook {n: int}
  -> post "d" with {n} retry 6 every 1s..1m
  -> parallel {
       x { -> put "e" with {n} }
       y { -> wait 1m -> put "f" with {n} }
     }
  -> send "g" with {n}

flow turns
on webhook serial by k concurrency 2 {n: int, k: text}
  -> put "h" with {n}
  -> wait 5s
  -> put "i" with {n}

flow waits
on webhook {n: int}
  -> wait for paid by n within 2m as _paid: {n: int} else { -> put "late" with {n} -> stop }
  -> put "settled" with {n}

flow pays
on webhook {n: int}
  -> emit paid by n with {n}

flow kills
on webhook {n: int}
  -> put "j" with {n}
  -> if n % 4 == 0 { -> put "boom" with {n} }
  -> put "k" with {n}
"""

# Why runs end otherwise.
CODES = {
    "dead": {"connect", "http_404", "http_429", "no_answer", "poison", "timeout"},
    "parked": {"unknown"},
    "stopped": {""},
}
# What happens in a run of each flow that comes to a good end.
STEPS = {
    ("steps", "done"): ("put", "post", "send"),
    ("branches", "done"): ("post", "parallel/x/put", "parallel/y/put", "send"),
    ("turns", "done"): ("put", "put~2"),
    ("waits", "done"): ("put",),
    ("waits", "stopped"): ("wait_for_paid/else/put",),
    ("pays", "done"): (),
    ("kills", "done"): ("put", "put~2"),
}
# Flow, a step, one that comes so many seconds later.
WAITS = (("steps", "put", "post", 10), ("branches", "post", "parallel/y/put", 60), ("turns", "put", "put~2", 5))
EVENT_SECONDS = 120
AT_ONCE = 2  # runs of `turns`
IN_A_ROW = 5  # connections that fail before a host is left alone
FIRST_PAUSE, LONGEST_PAUSE = 1, 60  # seconds
TRIES = 5
STRIKES = 3
DEATHS = 5  # of the server, of a run that kills: two beside others, and three alone


def check(piece: Piece) -> None:
    """Raise AssertionError where a promise is broken."""
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in piece.attempts:
        attempts[attempt.run].append(attempt)
    _every_run_ends(piece)
    _repeats_have_one_run(piece)
    _keys_are_of_one_step(piece.attempts)
    _once_is_once(piece.attempts)
    _the_places_are_enough(piece)
    _repeats_have_a_reason(piece)
    for run in piece.runs:
        _good_ends_have_happened(run, attempts[run.id])
        _waits_last(run, attempts[run.id])
        _tries_are_used_up(run, attempts[run.id])
    _turns_are_kept(piece, attempts)
    _hosts_are_left_alone(piece.asked)
    _what_kills_is_found(piece)


def _every_run_ends(piece: Piece) -> None:
    found = {run.id: run.state for run in piece.runs}
    lost = {run for run in piece.accepted.values() if run not in found}
    assert not lost, f"accepted and lost: {lost}"
    still = {run for run, state in found.items() if state not in ENDS}
    assert not still, f"these do not end: {still}"


def _repeats_have_one_run(piece: Piece) -> None:
    bodies = [run.body for run in piece.runs if run.flow == "steps"]
    numbers = [msgspec.json.decode(body)["n"] for body in bodies]
    assert len(numbers) == len(set(numbers)), "a repeat has a run of its own"


def _keys_are_of_one_step(attempts: Iterable[Attempt]) -> None:
    keys: dict[str, tuple[object, ...]] = {}
    steps: dict[tuple[str, str], str] = {}
    for attempt in attempts:
        asked = (attempt.run, attempt.step, attempt.args)
        assert keys.setdefault(attempt.key, asked) == asked, f"the key {attempt.key} is not of one step"
        assert steps.setdefault(asked[:2], attempt.key) == attempt.key, f"{asked[:2]} has two keys"


def _once_is_once(attempts: Iterable[Attempt]) -> None:
    happened = [attempt.key for attempt in attempts if attempt.step == "send" and attempt.happened]
    assert len(happened) == len(set(happened)), "what must not happen twice did"


def _good_ends_have_happened(run: Ran, attempts: list[Attempt]) -> None:
    happened = {attempt.step for attempt in attempts if attempt.happened}
    missing = set(STEPS.get((run.flow, run.state), ())) - happened
    assert not missing, f"{run} has ended well without {missing}"
    assert run.code in CODES.get(run.state, {""}), f"{run} has ended for a reason that there is not"


def _waits_last(run: Ran, attempts: list[Attempt]) -> None:
    for flow, before, after, seconds in WAITS:
        ends = [one.until for one in attempts if one.step == before and one.happened and one.told == "done"]
        starts = [one.at for one in attempts if one.step == after]
        if flow == run.flow and starts:
            assert min(starts) >= min(ends) + seconds - EPSILON, f"{run} did not wait"
    late = [one.at for one in attempts if one.step == "wait_for_paid/else/put"]
    assert not late or min(late) >= run.received + EVENT_SECONDS - EPSILON, f"{run} did not wait for its event"


def _tries_are_used_up(run: Ran, attempts: list[Attempt]) -> None:
    if run.code in {"connect", "http_429"}:
        failed = Counter(one.key for one in attempts if one.told == run.code)
        tried = Counter(one.key for one in attempts if one.key in failed)
        assert max(tried.values()) >= TRIES, f"{run} was given up early"


def _repeats_have_a_reason(piece: Piece) -> None:
    """Whoever has its answer does not ask again, nor earlier than it was told; unless its record may be lost."""
    disturbed = sorted((*piece.refused, *piece.deaths, *piece.deposed.values()))
    by_key: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in piece.of_owners():
        by_key[attempt.key].append(attempt)
    for first, second in (pair for attempts in by_key.values() for pair in pairwise(attempts)):
        assert first.life != second.life or first.until <= second.at, f"{first} goes on beside {second}"
        if not any(first.at <= at <= second.at for at in disturbed):
            assert first.told != "done", f"{first} was repeated for nothing"
            assert second.at >= first.not_before - EPSILON, f"{first} was repeated too early"


def _the_places_are_enough(piece: Piece) -> None:
    flows = {run.id: run.flow for run in piece.runs}
    for life in {attempt.life for attempt in piece.attempts}:
        mine = [attempt for attempt in piece.attempts if attempt.life == life]
        turns = [attempt for attempt in mine if flows.get(attempt.run) == "turns"]
        assert _at_once(turns) <= AT_ONCE, "more runs of a flow at once than it says"
        for one in mine:
            beside = {other.run for other in mine if other.at <= one.at < other.until}
            assert len(beside) <= LIMITS.running, "more runs at once than there are places"


def _at_once(attempts: Iterable[Attempt]) -> int:
    changes = sorted(
        change for attempt in attempts for change in ((attempt.at, 1), (max(attempt.at, attempt.until), -1))
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _turns_are_kept(piece: Piece, attempts: Mapping[str, list[Attempt]]) -> None:
    """Of the calls that a server makes while the folder is its own."""
    last: dict[str, float] = {}
    for run in piece.runs:
        if run.flow != "turns":
            continue
        mine = [one for one in attempts[run.id] if one.at < piece.deposed.get(one.life, inf)]
        key = msgspec.json.decode(run.body)["k"]
        if mine:
            begins = min(one.at for one in mine)
            assert begins >= last.get(key, 0.0) - EPSILON, f"{run} did not wait for its turn"
            last[key] = max(min(one.until, piece.deposed.get(one.life, inf)) for one in mine)


@dataclass
class _Way:
    """What a life knows of a host, as docs/running.md says."""

    failed: int = 0  # connections in a row
    pause: float = 0.0
    alone_until: float = 0.0
    under_way: list[Attempt] = field(default_factory=list)
    probe: Attempt | None = None

    def begins(self, one: Asked) -> None:
        """One may ask."""
        assert len(self.under_way) < ROOM, f"{one} has no room"
        if self.failed >= IN_A_ROW:
            assert self.probe is None, f"{one} asks beside another"
            assert one.at >= self.alone_until, f"{one} does not leave its host alone"
            self.probe = one.attempt
        self.under_way.append(one.attempt)

    def held(self, one: Asked) -> None:
        """One may not ask."""
        shut = self.failed >= IN_A_ROW and (self.probe is not None or one.at < self.alone_until)
        assert shut or len(self.under_way) >= ROOM, f"{one} is held for nothing"

    def ends(self, one: Asked) -> None:
        """It was answered, or not."""
        self.under_way.remove(one.attempt)
        probed = self.probe is one.attempt
        self.probe = None if probed else self.probe
        if one.attempt.told == "connect":
            self.failed += 1
            if probed or self.failed == IN_A_ROW:
                self.pause = min(LONGEST_PAUSE, 2 * self.pause or FIRST_PAUSE)
                self.alone_until = one.at + self.pause
        elif one.attempt.told != "cut":
            self.failed, self.pause = 0, 0.0


def _hosts_are_left_alone(asked: Iterable[Asked]) -> None:
    ways: dict[tuple[int, str], _Way] = defaultdict(_Way)
    for one in asked:
        way = ways[one.life, one.host]
        {"begins": way.begins, "held": way.held, "ends": way.ends}[one.what](one)


def _what_kills_is_found(piece: Piece) -> None:
    crashes: dict[str, list[Crash]] = defaultdict(list)
    for crash in piece.crashes:
        crashes[crash.run].append(crash)
    killed = [*(set(piece.deaths) - {crash.at for crash in piece.crashes}), *piece.deposed.values()]  # by nobody's run
    for run in piece.runs:
        if run.id in crashes:
            assert run.code == "poison", f"{run} kills"
            others = sum(run.received <= at <= run.ended + EPSILON for at in killed)
            assert len(crashes[run.id]) + others >= STRIKES, f"{run} was given up early"
            deaths = others + sum(run.received <= crash.at <= run.ended + EPSILON for crash in piece.crashes)
            assert deaths > STRIKES, f"{run} was given up early"  # at the first one nobody is suspected yet
        elif run.code == "poison":
            assert len(killed) > STRIKES, f"{run} kills nobody"
    for run_id, mine in crashes.items():
        leaves = max((one.at for one in piece.asked if one.attempt.run == run_id and one.what == "held"), default=0.0)
        suspected = [crash for crash in mine if crash.at > leaves]
        if any(suspected[0].at <= at <= suspected[-1].at for at in piece.refused):
            continue  # a run that was set back is beside it, as far as the journal knows
        assert len(suspected) <= DEATHS, f"{run_id} kills too often"
        for crash in suspected[2:]:
            beside = [one for one in piece.attempts if one.life == crash.life and one.at <= crash.at <= one.until]
            assert {one.run for one in beside} == {run_id}, f"{run_id} is not alone when it kills again"
