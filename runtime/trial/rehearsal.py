"""One run of a flow for a person to look at: nothing is sent, and whatever it waits for passes at once."""

from dataclasses import dataclass

from runtime.door import answers
from runtime.door.answers import Answer
from runtime.door.reply import reply
from runtime.journal.rows import RunDetail, RunState
from runtime.trial.calls import Recorder, Sent
from runtime.trial.cast import Cast
from runtime.trial.sending import emitted
from runtime.trial.stage import HeldStage


@dataclass(frozen=True, slots=True)
class Wait:
    """A step at which a run waited, and until when (ms since the Unix epoch)."""

    step: str
    until: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of a run: its records, the answer to the sender, what would have been sent, and its waits."""

    run: RunDetail
    answer: Answer
    sent: tuple[Sent, ...]
    waits: tuple[Wait, ...]


async def rehearse(flow: str, body: bytes, cast: Cast, stage: HeldStage, recorder: Recorder) -> Rehearsal:
    """Deliver a body and follow its run to the end. Raises MisfitError, NotJsonError, Restless."""
    program, start = cast.programs[flow], stage.clock()
    accepted = await stage.deliver(program, body)
    answer: Answer | None = None
    waits: list[Wait] = []
    while (run := await stage.run(accepted.run_id)).run.state is RunState.WAITING and run.wake_at is not None:
        waits.append(Wait(run.run.step, run.wake_at))
        unanswered = accepted.answer is not None and not accepted.answer.done()
        if answer is None and unanswered and run.wake_at - start > program.answer_within:
            answer = answers.later(accepted.run_id)
        await stage.advance(run.wake_at - stage.clock())
    sent = (*recorder.sent.values(), *await emitted(stage))
    return Rehearsal(run, answer or await reply(program, accepted), sent, tuple(waits))
