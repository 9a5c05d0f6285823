"""Finds the steps that a test names, as flows write them: by verb and noun, and by the text after them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compiler.catalog import CODE_FAILURES, EffectClass, Verb
from compiler.check import Facts
from compiler.check.addresses import is_setting
from compiler.expand import Expanded
from compiler.ir import Hole, Setting
from compiler.ir.trials import Calls
from compiler.reports import Reports, listed
from dsl import Source, Span, nodes

# What a test may say of `code`, which the language has itself.
CODE = Verb("code", "", EffectClass.IDEMPOTENT, "", result="json", failures=CODE_FAILURES)


@dataclass(frozen=True, slots=True)
class Known:
    """A flow that a test may deliver to. One that is not `sound` has errors of its own, which come first."""

    source: Source
    expanded: Expanded
    facts: Facts
    sound: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A step with an effect that a flow has."""

    flow: str
    source: Source
    step: nodes.Command | nodes.CodeStep
    verb: Verb
    facts: Facts

    @property
    def written(self) -> str:
        """As a test names it."""
        return named(self.titles[-1], self.literal, self.source)

    @property
    def titles(self) -> tuple[str, ...]:
        """The words for it; code may be told from other code by the name of its result."""
        if not isinstance(self.step, nodes.CodeStep):
            return (self.verb.title,)
        bound = next((c.name.text for c in self.step.clauses if isinstance(c, nodes.As)), None)
        return (CODE.title,) if bound is None else (CODE.title, f"{CODE.title} {bound}")

    @property
    def literal(self) -> nodes.Text | None:
        """The text after the words."""
        return self.step.literal if isinstance(self.step, nodes.Command) else None

    @property
    def place(self) -> tuple[str, Span]:
        """Where a plan has it."""
        return self.flow, self.step.span


class Steps:
    """The steps of the flows that a test delivers to."""

    def __init__(self, flows: Mapping[str, Known], reports: Reports) -> None:
        self._flows = flows
        self._reports = reports
        self.all = [found for name, known in flows.items() for found in _effects(name, known)]

    def log(self) -> bool:
        """Whether a flow logs anything; code may, by printing."""
        walked = (node for known in self._flows.values() for node in nodes.walk(known.expanded.flow))
        return any(isinstance(node, nodes.Log | nodes.CodeStep) for node in walked)

    def emitted(self) -> list[str]:
        """The events that the flows emit."""
        walked = (node for known in self._flows.values() for node in nodes.walk(known.expanded.flow))
        return [n.noun.text for n in walked if isinstance(n, nodes.Command) and is_emit(n) and n.noun is not None]

    def find(
        self, verb: nodes.Name, noun: nodes.Name | None, literal: nodes.Text | None
    ) -> tuple[Calls, list[Found]] | None:
        """The steps of these words; None, and a report, where there is none."""
        title = verb.text if noun is None else f"{verb.text} {noun.text}"
        source = self._reports.source
        written = named(title, literal, source)
        alike = [found for found in self.all if title in found.titles]
        chosen = alike if literal is None else [found for found in alike if _may_be(found, literal, source)]
        if not chosen:
            last = literal or noun or verb
            self._none(verb.span.to(last.span), written)
            return None
        parts = None if literal is None else tuple(_parts(literal))
        return Calls(written, frozenset(found.place for found in chosen), parts), chosen

    def _none(self, span: Span, written: str) -> None:
        names = list(dict.fromkeys(found.written for found in self.all))
        meant = self._reports.nearest(written, names) or self._reports.nearest(
            written, [found.verb.title for found in self.all]
        )
        fixes = [self._reports.replace(f"replace it by `{meant}`", span, meant)] if meant else []
        of = listed(self._flows)
        self._reports.add(
            "E295",
            span,
            f"{of} {'has' if len(self._flows) == 1 else 'have'} no step `{written}`",
            f"did you mean `{meant}`?" if meant else "no such step",
            notes=[f"its steps are {listed(names)}" if names else f"{of} sends nothing and asks nobody"],
            fixes=fixes,
        )


def is_emit(step: nodes.Command) -> bool:
    """Whether a command sends an event, which is no verb of the catalog."""
    return step.verb.text == "emit" and step.noun is not None


def _effects(name: str, known: Known) -> Iterator[Found]:
    for node in nodes.walk(known.expanded.flow):
        if isinstance(node, nodes.Command) and (verb := known.facts.verbs.get(id(node))) is not None:
            yield Found(name, known.source, node, verb, known.facts)
        elif isinstance(node, nodes.CodeStep):
            yield Found(name, known.source, node, CODE, known.facts)


def named(title: str, literal: nodes.Text | None, source: Source) -> str:
    return title if literal is None else f'{title} "{_text(literal, source)}"'


def _text(literal: nodes.Text, source: Source) -> str:
    """A text with its holes as they are written."""
    return "".join(p if isinstance(p, str) else source.slice(p.span) for p in literal.parts)


def _may_be(found: Found, literal: nodes.Text, source: Source) -> bool:
    """Whether a call of a step may be what a test means: a hole is the same hole, or what stands in its place."""
    address = _address(found)
    if not isinstance(address, nodes.Text):
        return address is not None
    parts = []
    for part in address.parts:
        written = part if isinstance(part, str) else found.source.slice(part.span)
        hole = isinstance(part, nodes.Hole) and not is_setting(part.path)
        parts.append(f"(?:{re.escape(written)}|[^{{}}]+)" if hole else re.escape(written))
    return re.fullmatch("".join(parts), _text(literal, source)) is not None


def _address(found: Found) -> nodes.Expr | None:
    """The text after verb and noun, or what a request is sent `to`, which may be any value."""
    if found.literal is not None or found.verb.literal != "url":
        return found.literal
    return next((clause.value for clause in found.step.clauses if isinstance(clause, nodes.To)), None)


def _parts(literal: nodes.Text) -> Iterator[str | Setting | Hole]:
    for part in literal.parts:
        match part:
            case str():
                yield part
            case nodes.Hole(path=nodes.FieldOf(name=name)) if is_setting(part.path):
                yield Setting(name.text)
            case _:
                yield Hole()
