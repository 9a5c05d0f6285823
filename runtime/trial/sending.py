"""`expect send hsm …`, `expect not emit …`: whether something was sent.

What one expectation is met by, the next one is not: two of a kind ask for two, and `expect not` that no more came.
"""

from collections.abc import Iterator, Mapping

from compiler.catalog import Verb
from compiler.ir.trials import Events, ExpectSent
from dsl import Diagnostic
from runtime.shapes import read_json
from runtime.trial.calls import Sent, Step, is_like, selected
from runtime.trial.findings import first_of
from runtime.trial.matching import differences, written
from runtime.trial.play import Play
from runtime.trial.stage import Stage

_Key = str | int


async def unmet(step: ExpectSent, play: Play) -> Diagnostic | None:
    """What is not as expected, if anything."""
    candidates = [(key, sent, list(_wrong(step, sent))) for key, sent in await _candidates(step, play)]
    fitting = [(key, sent) for key, sent, wrong in candidates if not wrong]
    free = [(key, sent) for key, sent in fitting if key not in play.taken]
    if step.negated and free:
        notes = first_of("sent", [shown(sent, play.cast.verbs) for _, sent in free])
        return play.finding(step.span, f"`{step.what.written}` was sent", "expected not to be", notes)
    if step.negated:
        return None
    if not free:
        return _missing(step, [key for key, _ in fitting], [wrong for _, _, wrong in candidates if wrong], play)
    play.taken[free[0][0]] = play.line(step.span)
    return None


async def _candidates(step: ExpectSent, play: Play) -> list[tuple[_Key, Sent]]:
    """What was sent by the steps that are meant, or as that event, in its order."""
    match step.what:
        case Events(name=name):
            return [(n, sent) for n, sent in enumerate(await emitted(play.stage)) if sent.address == name]
        case calls:
            steps = selected(calls, play.cast.steps)
            sent = play.recorder.sent.items()
            return [(key, one) for key, one in sent if one.step in steps and is_like(calls, one.address)]


async def emitted(stage: Stage) -> list[Sent]:
    """All events as what was sent, in their order."""
    return [Sent(Step("", ""), "emit", name, [key, read_json(value)]) for name, key, value in await stage.events()]


def _wrong(step: ExpectSent, sent: Sent) -> Iterator[str]:
    for said in step.said:
        yield from differences(said.value, sent.args[said.index], said.clause)


def _missing(step: ExpectSent, taken: list[_Key], others: list[list[str]], play: Play) -> Diagnostic:
    what = f"`{step.what.written}`"
    if taken:
        lines = ", ".join(str(play.taken[key]) for key in taken)
        return play.finding(step.span, f"{what} was not sent once more", f"line {lines} expects what was sent")
    if others:
        notes = first_of("sent", ["; ".join(wrong) for wrong in others])
        return play.finding(step.span, f"{what} was sent, but otherwise", "not like this", notes)
    notes = first_of("called", [shown(sent, play.cast.verbs) for sent in play.recorder.sent.values()])
    return play.finding(step.span, f"{what} was not sent", "expected here", notes or ["nothing was called"])


def shown(sent: Sent, verbs: Mapping[str, Verb]) -> str:
    """A call or event as a flow would write it."""
    verb = verbs.get(sent.verb)
    clauses = ["by", "with"] if verb is None else [slot.clause for slot in verb.slots] + ["with"] * bool(verb.with_)
    said = [f"{word} {written(arg)}" for word, arg in zip(clauses, sent.args, strict=False) if arg is not None]
    name = sent.address if verb is None or not (verb.literal and sent.address) else f'"{sent.address}"'
    via = "" if sent.via is None else f"via {sent.via}"
    return " ".join(part for part in (sent.verb, name, via, *said) if part)
