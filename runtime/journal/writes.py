"""What the engine asks a journal to write, as data; nothing of how it is kept.

Everything handed to `commit` within one commit is atomic together. Times are milliseconds since the Unix epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import apsw

from runtime.failures import StepFailure
from runtime.journal.rows import Kind, Misfit, RunState, Tombstone

# A local effect: a synchronous function of the open transaction, run under a savepoint of its own. It gives a value
# that msgspec can encode, or raises StepFailure, which undoes what it did and nothing else.
Effect = Callable[[apsw.Connection], object]


@dataclass(slots=True)
class Accept:
    """A delivery becomes a run. `context` is JSON of what else of the request the plan names; `notes` JSON or empty.

    With a `dedupe` key (a hash) that the flow accepted before, and whose window lasts, there is no new run: `first` is
    the run that there was, `answer` the JSON of what it answered, where it did. With a `serial` key (a hash) that an
    earlier open run of the flow has, the run is kept and `busy`: it may not start before that one has ended. With a
    `lender`, the number of a run, the results of that one are lent to it. With `rejected`, the number of a rejected
    delivery, that one goes, whether it becomes a run or is a repeat.
    """

    run_id: str
    key: str  # the run key, from which idempotency keys are made
    flow: str
    plan: str
    received_at: int
    body: bytes
    context: bytes = b""
    notes: bytes = b""
    running: bool = True  # False: no room to run it at once
    keep: int | None = None  # ms after its end that the run is kept; None: as long as `Prune` says
    serial: bytes | None = None
    dedupe: bytes | None = None
    dedupe_until: int = 0  # when the window ends
    lender: int = 0
    rejected: int = 0
    seq: int = 0  # set by the commit
    first: str = ""  # set by the commit
    answer: bytes = b""  # set by the commit
    busy: bool = False  # set by the commit
    gone: bool = False  # set by the commit: there is no such rejected delivery any more; nothing was done
    lost: bool = False  # set by the commit: an error of ours (logged); there is no run


@dataclass(slots=True)
class Record:
    """What a step gave.

    It replaces a `started` or `tried` record of the same step (with another of these only where its attempt is a later
    one, or what came of the same), and an end a `timer`; any other repeat is refused as lost.

    With an `effect`, the effect runs inside the commit and `value` is the JSON of what it gave; if it fails, the
    record becomes a `failed` one whose value is the JSON of {code, message}.
    """

    run: int
    step: str
    kind: Kind
    args: bytes  # hash of the arguments
    at: int
    attempt: int = 1
    value: bytes = b""
    effect: Effect | None = None
    outcome: object = None  # set by the commit: what the effect gave
    failure: StepFailure | None = None  # set by the commit: how the effect failed
    lost: bool = False  # set by the commit: the run is no longer ours or no longer open; nothing was done


@dataclass(slots=True)
class Move:
    """A run that was in memory leaves it, and is no suspect any more.

    `error` is JSON {step, code, message, attempt, where}, or empty.
    """

    run: int
    state: RunState
    at: int
    wake_at: int | None = None
    attempt: int = 0  # attempts made of the step that waits for its next one
    step: str = ""  # the step at which the run stands
    error: bytes = b""
    lost: bool = False  # set by the commit, as for Record


@dataclass(slots=True)
class Wake:
    """Runs that wait may go on: they are accepted again, and keep the turn that they have by having begun."""

    runs: tuple[int, ...]
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was done


@dataclass(slots=True)
class Claim:
    """These runs are in memory, or are taken into it now: all of those that are not `running` in the journal.

    A write for each of them would cost the writer a twentieth of what a flow costs it.
    """

    runs: tuple[int, ...]
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was done


@dataclass(slots=True)
class Try:
    """A suspect is taken into memory, and is running."""

    run: int
    lost: bool = False  # set by the commit: it is not open any more


@dataclass(slots=True)
class LetGo:
    """No run is in memory any more, and nothing died: what is left of those that were has begun and is accepted."""

    lost: bool = False  # set by the commit: an error of ours (logged); nothing was done


@dataclass(slots=True)
class Cancel:
    """A run that is open or parked ends here. `error`, as in `Move`; empty: what was known of it stays."""

    run: int
    at: int
    step: str = ""
    error: bytes = b""
    lost: bool = False  # set by the commit: it has ended already; nothing was done


@dataclass(slots=True)
class Reopen:
    """A run that is in `state`, parked or dead, is accepted again, and goes on from its records.

    Records of the steps in `undo` go, with the lines that their attempts logged, and all of steps whose names begin
    with one of `below`. A step in `results`, which is recorded, gets the JSON that is given as its result.
    """

    run: int
    state: RunState
    undo: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    results: tuple[tuple[str, bytes], ...] = ()
    lost: bool = False  # set by the commit: it is in another state; nothing was done


@dataclass(slots=True)
class Release:
    """So many of the runs that a restore parked are accepted again."""

    limit: int = 1000
    released: int = 0  # set by the commit
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was done


@dataclass(slots=True)
class KeepPlan:
    """Keep the sources of a plan, so that its runs can end on it. Keeping it again says that runs may begin on it."""

    plan: str
    flow: str
    bundle: bytes  # JSON: what the loader needs to compile it again
    at: int
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class KeepGeneration:
    """What is served from now on, and after a restart that finds nothing that compiles: JSON of the rooms above."""

    document: bytes
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class KeepClock:
    """Keep what the steady clock is made of (JSON); with `wake`, all that waits is due, to look at the wall clock."""

    document: bytes
    wake: bool = False
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class Await:
    """A step waits for an event, or goes on waiting: written anew each time that its run comes by.

    An event counts that was committed after the run was accepted and not after `until`, whose number is above `after`
    and which was still kept when the step began to wait. Its record is then a result (JSON {event, value}); without one
    it is a failure `timeout` once `at` has reached `until`, and a timer before. What an earlier write of the same step
    said of `until` and `after` holds.
    """

    run: int
    step: str
    args: bytes
    event: str
    key: str
    at: int
    until: int
    after: int = 0  # the number of an event
    number: int = 0  # set by the commit: of the event, or 0
    value: bytes = b""  # set by the commit: of the event
    failure: StepFailure | None = None  # set by the commit
    lost: bool = False  # set by the commit, as for Record


@dataclass(slots=True)
class Emit:
    """A step's event is kept, and every run that waits for its name and key is due at once. Records a result."""

    run: int
    step: str
    args: bytes
    event: str
    key: str
    value: bytes  # JSON
    at: int
    expires_at: int
    woken: int = 0  # set by the commit: how many runs
    failure: StepFailure | None = None  # set by the commit
    lost: bool = False  # set by the commit, as for Record


@dataclass(slots=True)
class KeepAnswer:
    """A run's answer (JSON) also answers the repeats of its delivery."""

    run_id: str
    answer: bytes
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class Reject:
    """Keep deliveries of a flow that did not fit, oldest first. Then the oldest of the flow go, down to its bounds."""

    flow: str
    misfits: tuple[Misfit, ...]
    most: int = 1000
    most_bytes: int = 64 << 20  # of bodies and what is kept of requests
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class Rejudge:
    """A rejected delivery does not fit another plan either: these are its problems now."""

    number: int
    plan: str
    problems: bytes
    lost: bool = False  # set by the commit: it is not there any more


@dataclass(slots=True)
class Erase:
    """Forget a slice of what is kept of a person. What is not there any more is passed over.

    These are numbers of runs that have ended, which go with all that is kept of them, of rejected deliveries and of
    events; and ids of runs whose answers are forgotten, so that a repeat gets the id alone.
    """

    runs: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    answers: tuple[str, ...] = ()
    beside: Effect | None = None  # forgets what other rooms keep
    seconds: float = 0.01  # after which no other run is begun, and nothing that comes after runs
    live: list[int] = field(default_factory=list)  # set by the commit: of the runs those that have not ended; they stay
    more: bool = False  # set by the commit: some is left
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was forgotten


@dataclass(slots=True)
class KeepTombstone:
    """Keep a tombstone under the hash of its key."""

    tombstone: Tombstone
    hash: bytes
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was kept


@dataclass(slots=True)
class Prune:
    """Forget a slice of what is over: dedupe keys, events that nobody waits for, rejected deliveries, runs.

    Of a run goes all that is kept of it.
    A run is over `keep` after its end; by itself after 30 days, or 90 where it is dead. Of the plans, those that are
    not among `plans` go after their last run; None keeps all. Then the file gives back what much of it is free.
    """

    at: int
    plans: frozenset[str] | None = None  # on which new runs may begin
    slice: int = 200
    seconds: float = 0.01  # after which no other piece of work is begun
    more: bool = False  # set by the commit: there may be more of them
    lost: bool = False  # set by the commit: an error of ours (logged); nothing was forgotten


Write = (
    Accept
    | Record
    | Move
    | Wake
    | Claim
    | Try
    | LetGo
    | Cancel
    | Reopen
    | Release
    | KeepPlan
    | KeepGeneration
    | KeepClock
    | Await
    | Emit
    | KeepAnswer
    | Reject
    | Rejudge
    | Erase
    | KeepTombstone
    | Prune
)
