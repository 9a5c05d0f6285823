"""What the sender of an accepted delivery is told: the run's id, what the flow answers, or that it takes longer."""

import asyncio

from runtime.door import answers
from runtime.door.answers import Answer
from runtime.engine.answers import Accepted, Answered, Unanswered
from runtime.engine.ids import encode
from runtime.program import Program


async def reply(program: Program, accepted: Accepted) -> Answer:
    """The answer to an accepted delivery; for a flow that responds, once it has or is late."""
    if accepted.answer is not None:
        return await _responded(program, accepted.run_id, accepted.answer)
    if accepted.recorded is not None:
        return answers.flow(accepted.recorded)
    if program.answer is not None:
        status, body = program.answer(accepted.run_id)
        return answers.flow(Answered(status, encode(body)))
    return answers.accepted(accepted.run_id)


async def _responded(program: Program, run_id: str, answer: "asyncio.Future[Answered | Unanswered]") -> Answer:
    try:
        async with asyncio.timeout(program.answer_within / 1000):
            found = await answer  # which is cancelled with this, so that the engine knows that nobody waits
    except TimeoutError:
        return answers.later(run_id)
    match found:
        case Answered():
            return answers.flow(found)
        case Unanswered.LATER:
            return answers.later(run_id)
        case Unanswered.FAILED:
            return answers.failed(program.flow, run_id)
