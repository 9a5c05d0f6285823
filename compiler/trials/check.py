"""Checks tests against the flows that they are of, and gives each as the data that runs it."""

from collections.abc import Iterator, Mapping

from compiler.check.bodies import accepted
from compiler.ir.trials import Advance, Delivery, Json, Trial, TrialStep
from compiler.reports import Reports, listed
from compiler.trials.expectations import Expectations
from compiler.trials.mocks import mock
from compiler.trials.steps import Known, Steps
from compiler.trials.values import Values
from dsl import Diagnostic, Source, has_errors, nodes

REFUSED = 422  # what the door answers to a body that does not fit


def check_trials(
    files: list[nodes.File], flows: Mapping[str, Known]
) -> tuple[tuple[Trial, ...], tuple[Diagnostic, ...]]:
    """The tests of a folder that can be run, and all there is to say of them; `flows` are those of the folder."""
    trials: list[Trial] = []
    diagnostics: list[Diagnostic] = []
    titles: dict[tuple[str, str], Source] = {}
    for file in files:
        for test in file.items:
            if isinstance(test, nodes.Test):
                reports = Reports(file.source, file.unread)
                trial = _Checker(test, file, flows, reports).trial(titles)
                diagnostics.extend(reports.diagnostics)
                trials.extend([trial] if trial is not None and not has_errors(reports.diagnostics) else [])
    return tuple(trials), tuple(diagnostics)


class _Checker:
    """Checks one test."""

    def __init__(self, test: nodes.Test, file: nodes.File, flows: Mapping[str, Known], reports: Reports) -> None:
        self._test = test
        self._file = file
        self._flows = flows
        self._reports = reports

    def trial(self, titles: dict[tuple[str, str], Source]) -> Trial | None:
        """The test as data; None where its flow is not there, or has errors of its own."""
        test, source = self._test, self._file.source
        flow = self._subject()
        if flow is None:
            return None
        title = test.title.static or ""
        if (flow, title) in titles:
            message = f"{flow} has a test of this title already, in {titles[flow, title].path}"
            self._reports.add("E208", test.title.span, message, "a second one of that title")
        titles.setdefault((flow, title), source)
        self._order()
        used = self._used(flow)
        if used is None:
            return None
        return Trial(source, test.title.span, title, flow, tuple(self._steps(flow, used)))

    # --- flows

    def _subject(self) -> str | None:
        """The flow that the test is of: the one it names, or the only one of its file."""
        if self._test.flow is not None:
            return self._flow(self._test.flow)
        here = [name for name, known in self._flows.items() if known.source is self._file.source]
        if len(here) == 1:
            return here[0]
        title = self._test.title.span
        message = "a test says which flow it is of, where its file has not exactly one"
        label = f"this file has {listed(here)}" if here else "this file has no flow"
        end = title.end - title.start
        written = self._reports.source.slice(title)
        fixes = [self._reports.replace(f"of {name}", title, f"{written} for {name}") for name in here if end]
        self._reports.add("E291", title, message, label, fixes=fixes)
        return None

    def _flow(self, name: nodes.Name) -> str | None:
        if name.text in self._flows:
            return name.text
        if name.text in (self._reports.unread or ()):
            return None  # it may well be declared in what could not be read
        meant = self._reports.nearest(name.text, self._flows)
        fixes = []
        if meant is not None:
            fixes.append(self._reports.replace(f"replace `{name.text}` by `{meant}`", name.span, meant, safe=True))
        self._reports.add(
            "E291",
            name.span,
            f"there is no flow `{name.text}` in this folder",
            f"did you mean `{meant}`?" if meant else "unknown flow",
            notes=[f"its flows are {listed(sorted(self._flows))}"] if self._flows else [],
            fixes=fixes,
        )
        return None

    def _used(self, subject: str) -> dict[str, Known] | None:
        """The flows that the test delivers to, its own first; None where one is unknown or has errors."""
        used = {subject: self._flows[subject]}
        whole = True
        for step in self._test.steps:
            if isinstance(step, nodes.Given) and step.flow is not None:
                name = self._flow(step.flow)
                whole = whole and name is not None
                used |= {} if name is None else {name: self._flows[name]}
        return used if whole and all(known.sound for known in used.values()) else None

    # --- steps

    def _order(self) -> None:
        """Something is delivered, and before anything is expected of it."""
        given = [step for step in self._test.steps if isinstance(step, nodes.Given)]
        if not given:
            message = "this test delivers nothing, so nothing happens in it"
            self._reports.add("E292", self._test.title.span, message, "say `given {…}`")
            return
        for step in self._test.steps:
            if step is given[0]:
                return
            if isinstance(step, nodes.Expect):
                message = "nothing has been delivered yet, so there is nothing to expect"
                self._reports.add("E292", step.span, message, "comes after `given {…}`")

    def _steps(self, flow: str, used: Mapping[str, Known]) -> Iterator[TrialStep]:
        steps = Steps(used, self._reports)
        expectations = Expectations(used[flow], steps, self._reports)
        for number, step in enumerate(self._test.steps):
            match step:
                case nodes.Given():
                    name = flow if step.flow is None else step.flow.text
                    yield self._given(step, name, used[name], fitting=not self._is_refused(number))
                case nodes.Mock():
                    yield from mock(step, steps, self._reports)
                case nodes.Advance():
                    yield from self._advance(step)
                case nodes.Expect():
                    yield from expectations.of(step)

    def _is_refused(self, number: int) -> bool:
        """Whether the test expects the door to refuse the delivery of this number."""
        for step in self._test.steps[number + 1 :]:
            match step:
                case nodes.Given():
                    return False
                case nodes.Expect(negated=False, what=nodes.Respond(status=status)) if status == REFUSED:
                    return True
                case _:
                    pass
        return False

    def _given(self, step: nodes.Given, name: str, known: Known, *, fitting: bool) -> Delivery:
        values, form = Values(self._reports, fitting=fitting), _is_form(step, known)
        body = values.constant(step.body) if form else values.payload(step.body, known.facts.fields, name)
        headers = self._texts(step.headers, {name.lower() for name in known.facts.headers}, name, "header")
        query = self._texts(step.query, known.facts.query, name, "query parameter")
        return Delivery(step.span, name, body, {key.lower(): value for key, value in headers.items()}, query, form)

    def _texts(self, record: nodes.Record | None, read: set[str], flow: str, what: str) -> dict[str, str]:
        """Headers or query parameters: texts under names that the flow reads."""
        if record is None:
            return {}
        found = Values(self._reports).constant(record)
        texts: dict[str, str] = {}
        for entry in record.entries:
            key = entry.key.text
            value: Json = found.get(key) if isinstance(found, Mapping) else None
            if not isinstance(value, str):
                self._reports.add("E294", entry.value.span, f"the {what} `{key}` is text", "text is required")
                continue
            texts[key] = value
            if (key.lower() if what == "header" else key) not in read:
                message = f"{flow} does not read the {what} `{key}`"
                notes = [f"it reads {listed(sorted(read))}"] if read else []
                self._reports.add("W211", entry.key.span, message, "has no effect", notes=notes)
        return texts

    def _advance(self, step: nodes.Advance) -> Iterator[Advance]:
        if isinstance(step.duration, nodes.DurationLit):
            yield Advance(step.span, step.duration.milliseconds)
            return
        self._reports.add("E215", step.duration.span, "`advance` takes a duration such as 30s or 2d", "not a duration")


def _is_form(step: nodes.Given, known: Known) -> bool:
    """Whether a delivery is a form as it is sent: text, to a flow that takes forms and no text."""
    kinds = accepted(known.expanded.flow.trigger)
    return isinstance(step.body, nodes.Text) and "form" in kinds and "text" not in kinds
