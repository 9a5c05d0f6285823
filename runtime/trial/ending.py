"""`expect respond …`, `expect stop`, `expect fail`: what became of the last delivery."""

from typing import Any

from compiler.ir.trials import ExpectAnswer, ExpectEnd
from dsl import Diagnostic
from runtime.door.reply import reply
from runtime.journal.rows import RunDetail, RunState
from runtime.shapes import read_json
from runtime.trial.findings import ending, failure_of
from runtime.trial.matching import differences, written
from runtime.trial.play import Delivered, Play

BAD_ENDS = (RunState.DEAD, RunState.PARKED)


async def unanswered(step: ExpectAnswer, play: Play) -> Diagnostic | None:
    """What is not as expected of the answer to the last delivery, if anything."""
    last = play.last
    answer = await _answer(last)
    if answer is None:
        message = f"nobody has answered with {step.status} yet"
        return None if step.negated else play.finding(step.span, message, "the sender still waits")
    status, body = answer
    wrong = [] if step.body is None else list(differences(step.body, body, ""))
    met = status == step.status and not wrong
    if met != step.negated:
        last.expected = last.expected or (last.accepted is None and not step.negated)
        return None
    message = f"the answer is {status}" + ("" if body is None else f" {written(body)}")
    if step.negated:
        return play.finding(step.span, message, "expected not to be")
    label = f"expected {step.status}" if status != step.status else "; ".join(wrong)
    return play.finding(step.span, message, label)


async def _answer(delivered: Delivered) -> tuple[int, Any] | None:
    """Status and body of what the sender was told; None as long as it waits."""
    told = delivered.told
    if told is None and delivered.accepted is not None and delivered.patience is None:
        told = await reply(delivered.program, delivered.accepted)
    if told is None:
        return None
    return told.start["status"], read_json(told.body) if told.body else None


async def not_ended(step: ExpectEnd, play: Play) -> Diagnostic | None:
    """What is not as expected of the end of the last delivery's run, if anything."""
    last = play.last
    run = await play.run_of(last)
    met = run is not None and _ends_so(step, run)
    if met != step.negated:
        last.expected = last.expected or (met and step.how == "fail")
        return None
    what = "stopped itself" if step.how == "stop" else "failed"
    code = f" as {step.code}" if step.code else ""
    message = f"the run of {last.step.flow} has {'' if step.negated else 'not '}{what}{code}"
    return play.finding(step.span, message, "the door refused the delivery" if run is None else ending(run))


def _ends_so(step: ExpectEnd, run: RunDetail) -> bool:
    if step.how == "stop":
        return run.run.state is RunState.STOPPED
    return run.run.state in BAD_ENDS and step.code in (None, failure_of(run).code)
