"""A test under way: what was delivered, what was sent, and what is not as expected."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from compiler.ir.trials import Delivery, Trial
from dsl import Diagnostic, Label, Span
from runtime.door.answers import Answer
from runtime.engine.answers import Accepted
from runtime.journal.rows import RunDetail
from runtime.program import Program
from runtime.trial.calls import Recorder
from runtime.trial.cast import Cast
from runtime.trial.findings import instant
from runtime.trial.stage import START, HeldStage


@dataclass(slots=True)
class Delivered:
    """A delivery, and what came of it: a run, or the door's refusal.

    `told` is what the door said by itself: its refusal, or that an answer takes longer. `expected` says that the test
    wants the delivery to end badly.
    """

    step: Delivery
    program: Program
    accepted: Accepted | None
    at: int
    told: Answer | None = None
    expected: bool = False

    @property
    def patience(self) -> int | None:
        """When the door stops waiting for an answer; None where it does not wait."""
        if self.told is not None or self.accepted is None or self.accepted.answer is None:
            return None
        return None if self.accepted.answer.done() else self.at + self.program.answer_within


@dataclass(slots=True)
class Play:
    """What the steps of one test share. `taken` has the line of the expectation that something was sent for."""

    trial: Trial
    cast: Cast
    stage: HeldStage
    recorder: Recorder
    delivered: list[Delivered] = field(default_factory=list)
    taken: dict[str | int, int] = field(default_factory=dict)

    @property
    def last(self) -> Delivered:
        """The last delivery to the flow that the test is of, or to any."""
        own = [one for one in self.delivered if one.step.flow == self.trial.flow]
        return (own or self.delivered)[-1]

    async def run_of(self, delivered: Delivered) -> RunDetail | None:
        """The run of a delivery; None where it was refused."""
        return None if delivered.accepted is None else await self.stage.run(delivered.accepted.run_id)

    def line(self, span: Span) -> int:
        """The line of the test's file on which something begins."""
        return self.trial.source.position(span.start).line

    def finding(
        self, span: Span, message: str, label: str, notes: Iterable[str] = (), related: Iterable[Label] = ()
    ) -> Diagnostic:
        """Something that is not as the test says, at a place of it."""
        now = self.stage.clock()
        moved = [f"it was {instant(now)}"] if now != START else []
        return Diagnostic("", message, Label(self.trial.source, span, label), tuple(related), (*notes, *moved))
