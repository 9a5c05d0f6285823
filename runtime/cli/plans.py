"""What `seta explain` says of a flow, as a document."""

from decimal import Decimal

import msgspec

from compiler.catalog import Catalog, Template
from compiler.egress import egress
from compiler.explain import caller, long_form, python, step_lines
from compiler.pipeline import Compiled, templates
from compiler.types import Default, Written, show
from compiler.waits import waits


class PayloadField(msgspec.Struct, frozen=True):
    """A field of the payload: `key` is its name in JSON; a `lenient` one never rejects a delivery."""

    name: str
    key: str
    type: str
    default: str | int | Decimal | msgspec.Raw | None
    lenient: bool


class FilledIn(msgspec.Struct, frozen=True):
    """Something that the text leaves out."""

    rule: str
    text: str
    says: str


class Step(msgspec.Struct, frozen=True):
    """One step of the plan: with which codes it may fail, and what happens then; both are empty where it cannot."""

    id: str
    kind: str
    does: str
    codes: tuple[str, ...]
    failure: str


class Leaving(msgspec.Struct, frozen=True):
    """Data that leaves at a place of the text (`line:column`), and what of it is personal."""

    at: str
    to: str
    fields: tuple[str, ...]
    personal: tuple[str, ...]


class Waiting(msgspec.Struct, frozen=True):
    """A durable wait, what is read after it, and what of that is personal."""

    step: str
    needs: tuple[str, ...]
    personal: tuple[str, ...]


class Sent(msgspec.Struct, frozen=True):
    """A template of the catalog file that the flow sends; its parameters as `name: type`."""

    template: str
    language: str
    params: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """A flow with all that it means. `path` is None where its address is derived from its name."""

    flow: str
    hash: str
    file: str
    path: str | None
    caller: str
    payload: tuple[PayloadField, ...]
    fills: tuple[FilledIn, ...]
    long_form: str
    steps: tuple[Step, ...]
    leaves: tuple[Leaving, ...]
    waits: tuple[Waiting, ...]
    templates: tuple[Sent, ...]
    python: str


class PlanList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.plan/1"):
    """`seta explain --json`: the flows of a file or a folder."""

    flows: tuple[Plan, ...]


def _in_json(default: Default) -> str | int | Decimal | msgspec.Raw | None:
    return msgspec.Raw(default.json.encode()) if isinstance(default, Written) else default


def plan_of(flow: Compiled, known: Catalog) -> Plan:
    """All that is to be said of a flow."""
    fields = (PayloadField(f.name, f.key, show(f.type), _in_json(f.default), f.lenient) for f in flow.facts.fields)
    return Plan(
        flow=flow.name,
        hash=flow.hash,
        file=flow.source.path,
        path=flow.plan.path,
        caller=caller(flow, known),
        payload=tuple(fields),
        fills=tuple(FilledIn(fill.rule, fill.text.strip(), fill.says) for fill in flow.fills),
        long_form=long_form(flow),
        steps=tuple(Step(step.id, step.kind, step.does, step.codes, step.failure) for step in step_lines(flow, known)),
        leaves=tuple(Leaving(one.step, one.where, one.fields, one.personal) for one in egress(flow)),
        waits=tuple(Waiting(one.step, one.needs, one.personal) for one in waits(flow)),
        templates=tuple(_sent(template) for template in templates(flow.plan, known)),
        python=python(flow),
    )


def _sent(template: Template) -> Sent:
    return Sent(template.name, template.language, tuple(f"{param.name}: {param.type}" for param in template.params))
