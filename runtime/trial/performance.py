"""One test, step by step: deliveries come in, time goes on, and what came of it is compared with what was expected."""

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter

import msgspec

from compiler.ir.trials import Advance, Delivery, ExpectAnswer, Expectation, ExpectEnd, ExpectSent, Mock
from dsl import Diagnostic
from runtime.door import answers
from runtime.door.forms import read_form
from runtime.door.texts import UnreadableError
from runtime.engine.ids import encode
from runtime.journal.rows import RunDetail
from runtime.program import Request
from runtime.shapes import MisfitError
from runtime.trial.calls import NOT_MOCKED, Step
from runtime.trial.ending import BAD_ENDS, not_ended, unanswered
from runtime.trial.findings import failure_of, way
from runtime.trial.play import Delivered, Play
from runtime.trial.sending import unmet


async def perform(play: Play) -> tuple[Diagnostic, ...]:
    """Run a test; all that is not as it says. What explains the rest comes first. Raises Restless."""
    unmet_ones: list[Diagnostic] = []
    for step in play.trial.steps:
        match step:
            case Delivery():
                await _deliver(step, play)
            case Advance():
                await _advance(step, play)
            case Mock():
                pass  # it holds from the start
            case _:
                found = await _expect(step, play)
                unmet_ones += [] if found is None else [found]
    findings = [*_unmocked(play), *await _bad_ends(play), *unmet_ones, *_unused(play)]
    if not findings:
        return ()
    ways = [way(run) for one in play.delivered if (run := await play.run_of(one)) is not None]
    return (replace(findings[0], notes=(*findings[0].notes, *ways)), *findings[1:])


async def _expect(step: Expectation, play: Play) -> Diagnostic | None:
    match step:
        case ExpectSent():
            return await unmet(step, play)
        case ExpectAnswer():
            return await unanswered(step, play)
        case ExpectEnd():
            return await not_ended(step, play)


async def _deliver(step: Delivery, play: Play) -> None:
    program, at = play.cast.programs[step.flow], play.stage.clock()
    headers = {name: step.headers[name] for name in program.headers if name in step.headers}
    query = {name: step.query[name] for name in program.query if name in step.query}
    try:
        body = encode(read_form(str(step.body).encode()) if step.form else step.body)
        accepted = await play.stage.deliver(program, body, Request(headers, query, step.form))
    except UnreadableError as error:
        play.delivered.append(Delivered(step, program, None, at, answers.unreadable(step.flow, "form", str(error))))
    except MisfitError as misfit:
        play.delivered.append(Delivered(step, program, None, at, answers.misfit(step.flow, misfit.problems)))
    else:
        play.delivered.append(Delivered(step, program, accepted, at))


async def _advance(step: Advance, play: Play) -> None:
    """Let time go on; on the way, senders who have waited long enough are told that it takes longer."""
    end = play.stage.clock() + step.milliseconds
    waiting = [(until, one) for one in play.delivered if (until := one.patience) is not None and until <= end]
    for until, one in sorted(waiting, key=itemgetter(0)):
        await play.stage.advance(until - play.stage.clock())
        if one.patience is not None and one.accepted is not None:
            one.told = answers.later(one.accepted.run_id)
    await play.stage.advance(end - play.stage.clock())


# --- what no expectation is needed for


async def _bad_ends(play: Play) -> list[Diagnostic]:
    """Deliveries that were refused and runs that failed, where the test does not say so."""
    found = []
    for one in play.delivered:
        run = await play.run_of(one)
        if not one.expected and run is None:
            found.append(_refused(one, play))
        elif not one.expected and run is not None and run.run.state in BAD_ENDS:
            found.extend([_failed(one, run, play)] if failure_of(run).code != NOT_MOCKED else [])
    return found


class _Refusal(msgspec.Struct):
    detail: str
    problems: list[dict[str, str]] = []


def _refused(one: Delivered, play: Play) -> Diagnostic:
    body = b"" if one.told is None else one.told.body
    refusal = msgspec.json.decode(body, type=_Refusal)
    notes = [f"at {p['pointer'] or '/'}: expected {p['expected']}, got {p['got']}" for p in refusal.problems]
    notes = [*notes, "a test of that says `expect respond 422`"] if notes else [refusal.detail]
    return play.finding(one.step.span, f"the door refuses this delivery to {one.step.flow}", "refused", notes)


def _failed(one: Delivered, run: RunDetail, play: Play) -> Diagnostic:
    failure = failure_of(run)
    label = play.cast.labels.get(Step(one.step.flow, failure.step.partition("[")[0]))
    related = [] if label is None else [replace(label, text="failed here")]
    message = f"the run of {one.step.flow} failed as {failure.code}: {failure.message}"
    note = f'a test of that says `expect fail "{failure.code}"`'
    return play.finding(one.step.span, message, "of this delivery", [note], related)


def _unmocked(play: Play) -> Iterator[Diagnostic]:
    """Steps that need a result and got none: the run may have failed for that alone."""
    for call in {call.spec.id: call for call in play.recorder.unmocked}.values():
        sent = play.recorder.sent[call.key]
        title = f'{sent.verb} "{sent.address}"' if sent.address else sent.verb
        related = [replace(play.cast.labels[sent.step], text="needs a result")]
        message = f"nothing says what `{title}` gives"
        notes = [f"add to the test: mock {title} = …"]
        yield play.finding(play.trial.span, message, "no mock for it", notes, related)


def _unused(play: Play) -> Iterator[Diagnostic]:
    """Mocks that nothing came to: the test does not test what it seems to."""
    for mock in play.recorder.script.unused:
        yield play.finding(mock.span, f"no call of `{mock.calls.written}` came to this mock", "never used")
