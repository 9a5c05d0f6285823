"""`expect send hsm …`, `expect not emit …`: whether something was sent.

What one expectation is met by, the next one is not: two of a kind ask for two, and `expect not` that no more came.
"""

from collections.abc import Iterator, Mapping, Sequence

from compiler.catalog import Verb
from compiler.ir import Hole, Setting
from compiler.ir.trials import Events, ExpectSent, Lines
from dsl import Diagnostic
from runtime.journal.rows import Kind
from runtime.shapes import read_json
from runtime.trial.calls import Sent, Step, is_like, reads_like, selected
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
        notes = first_of(_done(step), [shown(sent, play.cast.verbs) for _, sent in free])
        return play.finding(step.span, f"`{step.what.written}` was {_done(step)}", "expected not to be", notes)
    if step.negated:
        return None
    if not free:
        others = [wrong for _, _, wrong in candidates if wrong]
        return await _missing(step, [key for key, _ in fitting], others, play)
    play.taken[free[0][0]] = play.line(step.span)
    return None


def _done(step: ExpectSent) -> str:
    return "logged" if isinstance(step.what, Lines) else "sent"


async def _candidates(step: ExpectSent, play: Play) -> list[tuple[_Key, Sent]]:
    """What was sent by the steps that are meant, or as that event, in its order."""
    match step.what:
        case Lines(text=text):
            lines = (await _lines(play)).items()
            return [(key, sent) for key, sent in lines if text is None or _is_text_like(text, sent.args[0])]
        case Events(name=name):
            return [(n, sent) for n, sent in enumerate(await emitted(play.stage)) if sent.address == name]
        case calls:
            steps = selected(calls, play.cast.steps)
            sent = play.recorder.sent.items()
            return [(key, one) for key, one in sent if one.step in steps and is_like(calls, one.address)]


async def _lines(play: Play) -> dict[_Key, Sent]:
    """The lines in the logs of all runs, in their order; a delivery that comes again has the run of the first."""
    found: dict[_Key, Sent] = {}
    for one in play.delivered:
        run = await play.run_of(one)
        rows = [] if run is None else [row for row in run.steps if row.kind is Kind.LOG]
        for n, row in enumerate(rows):
            step = Step(one.step.flow, row.step)
            found[f"{run.run.id if run else ''} {n}"] = Sent(step, "log", "", [read_json(row.value)])
    return found


def _is_text_like(text: Sequence[str | Setting | Hole], line: object) -> bool:
    return isinstance(line, str) and reads_like(text, line)


async def emitted(stage: Stage) -> list[Sent]:
    """All events as what was sent, in their order."""
    return [Sent(Step("", ""), "emit", name, [key, read_json(value)]) for name, key, value in await stage.events()]


def _wrong(step: ExpectSent, sent: Sent) -> Iterator[str]:
    for said in step.said:
        yield from differences(said.value, sent.args[said.index], said.clause)


async def _missing(step: ExpectSent, taken: list[_Key], others: list[list[str]], play: Play) -> Diagnostic:
    what, done = f"`{step.what.written}`", _done(step)
    if taken:
        lines = ", ".join(str(play.taken[key]) for key in taken)
        return play.finding(step.span, f"{what} was not {done} once more", f"line {lines} expects what was {done}")
    if others:
        notes = first_of(done, ["; ".join(wrong) for wrong in others])
        return play.finding(step.span, f"{what} was {done}, but otherwise", "not like this", notes)
    if isinstance(step.what, Lines):
        told = [shown(line, play.cast.verbs) for line in (await _lines(play)).values()]
        return play.finding(step.span, f"{what} was not logged", "expected here", first_of("logged", told))
    notes = first_of("called", [shown(sent, play.cast.verbs) for sent in play.recorder.sent.values()])
    return play.finding(step.span, f"{what} was not sent", "expected here", notes or ["nothing was called"])


def shown(sent: Sent, verbs: Mapping[str, Verb]) -> str:
    """A call, event or line as a flow would write it."""
    if sent.verb == "log":
        return f"log {written(sent.args[0])}"
    verb = verbs.get(sent.verb)
    clauses = ["by", "with"] if verb is None else [slot.clause for slot in verb.slots] + ["with"] * bool(verb.with_)
    said = [f"{word} {written(arg)}" for word, arg in zip(clauses, sent.args, strict=False) if arg is not None]
    name = sent.address if verb is None or not (verb.literal and sent.address) else f'"{sent.address}"'
    via = "" if sent.via is None else f"via {sent.via}"
    return " ".join(part for part in (sent.verb, name, via, *said) if part)
