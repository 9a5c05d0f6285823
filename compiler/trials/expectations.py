"""`expect`: what flows send, how they answer, and how their runs end."""

from collections.abc import Iterator, Mapping

from compiler.catalog import Verb
from compiler.check.commands import word
from compiler.ir import Hole
from compiler.ir.trials import Events, ExpectAnswer, Expectation, ExpectEnd, ExpectSent, Lines, Said
from compiler.reports import Reports, listed
from compiler.trials.steps import CODE, Found, Known, Steps, is_emit, named
from compiler.trials.values import Values
from dsl import Span, nodes

_ACCEPTED, _LATER, _REFUSED, _FAILED = 200, 202, 422, 500
_SLOTS = (nodes.By, nodes.To)


class Expectations:
    """Checks what a test expects of the flow that it is of."""

    def __init__(self, known: Known, steps: Steps, reports: Reports) -> None:
        self._known = known
        self._steps = steps
        self._reports = reports
        self._values = Values(reports)

    def of(self, step: nodes.Expect) -> Iterator[Expectation]:
        """The expectation as data, where it can be met."""
        match step.what:
            case nodes.Command() as command if is_emit(command):
                yield from self._event(step, command)
            case nodes.Command(verb=nodes.Name(text="log"), noun=None) as command:
                yield from self._line(step, command)
            case nodes.Command() as command:
                yield from self._call(step, command)
            case nodes.Respond(status=status, body=body):
                self._status(step.what)
                yield ExpectAnswer(
                    step.span, step.negated, status, None if body is None else self._values.constant(body)
                )
            case nodes.Stop():
                if not any(isinstance(node, nodes.Stop) for node in nodes.walk(self._known.expanded.flow)):
                    self._never(step.span, "has no `stop`", [])
                yield ExpectEnd(step.span, step.negated, "stop")
            case nodes.Failure(code=code):
                yield ExpectEnd(step.span, step.negated, "fail", None if code is None else code.static)

    # --- answers

    def _status(self, answer: nodes.Respond) -> None:
        possible = self._possible()
        if answer.status not in possible:
            notes = [f"it is answered with {listed(str(status) for status in sorted(possible))}"]
            self._never(answer.span, f"is never answered with {answer.status}", notes)

    def _possible(self) -> set[int]:
        """The statuses of a flow, of the door in its place, and of a body that does not fit."""
        flow = self._known.expanded.flow
        if self._known.facts.responds:
            own = {node.status for node in nodes.walk(flow) if isinstance(node, nodes.Respond)}
            return {*own, _LATER, _REFUSED, _FAILED}
        answers = (clause.status for clause in flow.trigger.clauses if isinstance(clause, nodes.Answer))
        return {next(answers, _ACCEPTED), _REFUSED}

    def _never(self, span: Span, what: str, notes: list[str]) -> None:
        message = f"{self._known.expanded.name} {what}"
        self._reports.add("E297", span, message, "this cannot come", notes=notes)

    # --- what is sent

    def _event(self, step: nodes.Expect, command: nodes.Command) -> Iterator[ExpectSent]:
        event = command.noun.text if command.noun is not None else ""
        events = self._steps.emitted()
        if event not in events:
            meant = self._reports.nearest(event, events)
            label = f"did you mean `{meant}`?" if meant else "no such event"
            notes = [f"emitted are {listed(dict.fromkeys(events))}"] if events else []
            self._reports.add("E295", command.head, f"nobody here emits `{event}`", label, notes=notes)
            return
        said = [
            Said(clause.span, word(clause), int(isinstance(clause, nodes.With)), self._values.constant(clause.value))
            for clause in self._clauses(command, {"by", "with"}, "emit")
        ]
        yield ExpectSent(step.span, step.negated, Events(f"emit {event}", event), tuple(said))

    def _line(self, step: nodes.Expect, command: nodes.Command) -> Iterator[ExpectSent]:
        if not self._steps.log():
            self._reports.add("E295", command.head, "nothing here is logged", "no `log` in the flows of this test")
            return
        text = None
        if command.literal is not None:
            text = tuple(part if isinstance(part, str) else Hole() for part in command.literal.parts)
        clauses = self._clauses(command, {"with"} if text is None else set(), "log")
        said = (Said(clause.span, "with", 0, self._values.constant(clause.value)) for clause in clauses)
        written = named("log", command.literal, self._reports.source)
        yield ExpectSent(step.span, step.negated, Lines(written, text), tuple(said))

    def _call(self, step: nodes.Expect, command: nodes.Command) -> Iterator[ExpectSent]:
        found = self._steps.find(command.verb, command.noun, command.literal)
        if found is None:
            return
        calls, chosen = found
        verb = chosen[0].verb
        if verb is CODE:
            message = "code sends nothing: expect what comes of its result"
            self._reports.add("E295", command.head, message, "nothing to expect")
            return
        taken = {slot.clause for slot in verb.slots} | ({"with"} if verb.with_ else set())
        said = []
        for clause in self._clauses(command, taken, verb.title):
            if isinstance(clause, nodes.With):
                said.append(self._with(clause, verb, chosen))
            elif isinstance(clause, _SLOTS):
                index = [slot.clause for slot in verb.slots].index(word(clause))
                said.append(Said(clause.span, word(clause), index, self._values.constant(clause.value)))
        yield ExpectSent(step.span, step.negated, calls, tuple(said))

    def _clauses(
        self, command: nodes.Command, taken: set[str], title: str
    ) -> Iterator[nodes.By | nodes.To | nodes.With]:
        """The clauses that say something of what was sent, each once."""
        seen: dict[str, nodes.Clause] = {}
        for clause in command.clauses:
            first = seen.setdefault(word(clause), clause)
            if first is not clause:
                related = [(first.span, "first given here")]
                self._reports.add("E207", clause.span, f"`{word(clause)}` is given twice", "again", related=related)
            elif isinstance(clause, nodes.By | nodes.To | nodes.With) and word(clause) in taken:
                yield clause
            else:
                message = f"`expect {title}` takes no `{word(clause)}`"
                notes = [f"it takes {listed(sorted(taken))}"] if taken else []
                self._reports.add("E206", clause.span, message, "not expected here", notes=notes)

    def _with(self, clause: nodes.With, verb: Verb, chosen: list[Found]) -> Said:
        """The fields of a `with` under the names that they are sent by; a name that no step sends is a slip."""
        value = self._values.constant(clause.value)
        names = {alias: field.name for field in verb.fields for alias in (*field.aliases, field.name)}
        if isinstance(clause.value, nodes.Record) and isinstance(value, Mapping):
            self._keys(clause.value, verb, names, chosen)
            value = {names.get(key, key): part for key, part in value.items()}
        return Said(clause.span, "with", len(verb.slots), value)

    def _keys(self, record: nodes.Record, verb: Verb, names: dict[str, str], chosen: list[Found]) -> None:
        known = {*names} if verb.with_ == "fields" else _sent(chosen)
        for entry in record.entries:
            key = entry.key.text
            if known is not None and key not in known:
                meant = self._reports.nearest(key, known)
                self._reports.add(
                    "E210",
                    entry.key.span,
                    f"`{chosen[0].written}` is never sent with `{key}`",
                    f"did you mean `{meant}`?" if meant else "no such field",
                    notes=[f"it is sent with {listed(sorted(known))}"] if known else [],
                )


def _sent(chosen: list[Found]) -> set[str] | None:
    """The keys that steps send; None where one sends a value that is not written out as a record."""
    keys: set[str] = set()
    for found in chosen:
        for clause in found.step.clauses:
            if isinstance(clause, nodes.With):
                if not isinstance(clause.value, nodes.Record):
                    return None
                keys |= {entry.key.text for entry in clause.value.entries}
    return keys
