"""Compiled flows become programs: their code is run once, and what it needs is put into its reach."""

import linecache
import marshal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import CodeType, SimpleNamespace
from typing import Any, Literal

import msgspec

from compiler.catalog import Catalog, Entry, Verb
from compiler.codegen import ANSWER, DEDUPE, FLOW, ON_ERROR, PAYLOAD, SERIAL, byte_position
from compiler.contract import contract_of
from compiler.ir import Effect, Plan, WaitFor, all_steps
from compiler.pipeline import Compiled, compile_folder, used_entries
from dsl import Source
from runtime import shapes, values
from runtime.code import compile_block
from runtime.connections.declared import Connection
from runtime.context import Hole, Policy, Setting, StepSpec, Template, Whole
from runtime.engine.engine import UnknownPlan
from runtime.extend.loading import Own
from runtime.failures import StepFailure
from runtime.folder import FolderSettings, HttpSettings
from runtime.functions import FUNCTIONS
from runtime.program import ANSWER_WITHIN, Contract, Dedupe, Guard, Place, Program, Reply, Request
from runtime.steps import plain


class _Bundle(msgspec.Struct, frozen=True):
    """What is kept with a plan, so that its runs can end on it: its file and those that declare for it."""

    flow: str
    file: str
    sources: dict[str, str]  # path -> text
    config: list[str]
    region: str
    timezone: str
    entries: list[Entry]
    connections: dict[str, Connection] = {}
    http: HttpSettings = HttpSettings()


_read_bundle = msgspec.json.Decoder(_Bundle).decode


@dataclass(frozen=True, slots=True)
class Prepared:
    """A flow as far as it can be made anywhere: another process may make it. `code` is for the very same Python."""

    flow: str
    hash: str
    plan: Plan
    path: str
    text: str
    code: bytes
    places: tuple[Place, ...]
    sources: bytes
    contract: Contract


def link(flow: Compiled, catalog: Catalog, settings: FolderSettings, own: Own | None = None) -> Program:
    """Make a compiled flow runnable."""
    return finish(prepare(flow, catalog, settings), own)


def prepare(flow: Compiled, catalog: Catalog, settings: FolderSettings) -> Prepared:
    """Do all of linking that takes long."""
    code = compile(flow.module, f"{flow.source.path}@{flow.hash[:8]}", "exec")
    return Prepared(
        flow.name,
        flow.hash,
        flow.plan,
        flow.source.path,
        flow.source.text,
        marshal.dumps(code),
        _places(flow),
        msgspec.json.encode(_bundle(flow, catalog, settings)),
        _contract(flow),
    )


def finish(flow: Prepared, own: Own | None = None) -> Program:
    """Do the rest of linking, in the process that runs the flow."""
    code: CodeType = marshal.loads(flow.code)  # noqa: S302  # of `prepare`
    filename = code.co_filename
    lines = [f"{line}\n" for line in flow.text.split("\n")]  # as linecache has them: each with its end
    linecache.cache[filename] = (len(flow.text), None, lines, filename)
    names = _namespace(own)
    exec(code, names)  # noqa: S102  # built from nodes by our own compiler, never from text
    plan = flow.plan
    return Program(
        flow=flow.flow,
        plan=flow.hash,
        path=plan.path,
        limit=plan.limit,
        responds=plan.responds,
        payload=names[PAYLOAD],
        run=names[FLOW],
        filename=flow.path,
        places=flow.places,
        code=code,
        sources=flow.sources,
        handler=names.get(ON_ERROR),
        headers=plan.headers,
        query=plan.query,
        secrets=plan.secrets,
        connections=_connections(plan),
        dedupe=Dedupe(_key(names[DEDUPE]), plan.dedupe.window) if plan.dedupe is not None else None,
        serial=_key(names[SERIAL]) if plan.serial is not None else None,
        concurrency=plan.concurrency,
        keep=plan.keep,
        waits=max((op.within for op in all_steps(plan) if isinstance(op, WaitFor)), default=0),
        answer=_answer(names, plan),
        answer_within=plan.answer_within or ANSWER_WITHIN,
        accept=plan.accept,
        cors=plan.cors,
        guard=_guard(plan),
        contract=flow.contract,
    )


def _connections(plan: Plan) -> tuple[str, ...]:
    chosen = (op.connection for op in all_steps(plan) if isinstance(op, Effect))
    return tuple(sorted({connection.name for connection in chosen if connection is not None}))


def _bundle(flow: Compiled, catalog: Catalog, settings: FolderSettings) -> _Bundle:
    sources = {source.path: source.text for source in (flow.source, *flow.declaring)}
    entries = [entry for entry in used_entries(flow, catalog) if isinstance(entry, Entry)]
    config = sorted(settings.config)
    return _Bundle(
        flow.name,
        flow.source.path,
        sources,
        config,
        settings.region,
        settings.timezone,
        entries,
        settings.connections,
        settings.http,
    )


def _key(function: Callable[[Any, "_Delivery"], Any]) -> Callable[[Any, Request], str | None]:
    """A key of deliveries as text, from what the flow computes."""

    def key(payload: Any, request: Request) -> str | None:
        found = function(payload, _Delivery(request))
        return None if found is None else values.text_of(found)

    return key


def _answer(names: Mapping[str, Any], plan: Plan) -> Callable[[str], tuple[int, Any]] | None:
    if plan.answer is None:
        return None
    status, body = plan.answer.status, names[ANSWER]
    return lambda run_id: (status, body(SimpleNamespace(run=SimpleNamespace(id=run_id))))


def _guard(plan: Plan) -> Guard | None:
    if plan.guard is None:
        return None
    return Guard(plan.guard.scheme, dict(plan.guard.secrets), dict(plan.guard.options))


def _contract(flow: Compiled) -> Contract:
    told = contract_of(flow)
    replies = tuple(Reply(reply.status, reply.schema, reply.doc) for reply in told.replies)
    return Contract(told.doc, dict(told.fields), replies)


class _Delivery:
    """The context of a function of the delivery alone."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def header(self, name: str) -> str | None:
        return self._request.headers.get(name)

    def query(self, name: str) -> str | None:
        return self._request.query.get(name)


def _places(flow: Compiled) -> tuple[Place, ...]:
    found = []
    for op in all_steps(flow.plan):
        at = flow.source.position(op.span.start)
        start, end = (byte_position(flow.source, offset) for offset in (op.span.start, op.span.end))
        found.append(Place(op.step, at.line, at.column, start, end))
    return tuple(found)


def relink(bundle: bytes, own: Own | None = None) -> Program | None:
    """Compile a kept plan again; None where it no longer compiles.

    Its catalog entries are those that it began with; the folder's Python is today's. Raises UnknownPlan where that
    lacks something.
    """
    try:
        kept = _read_bundle(bundle)
    except msgspec.ValidationError as error:
        raise UnknownPlan(f"another version of Seta has kept the plan: {error}") from error
    _check_python(kept.entries, own)
    catalog = Catalog.of(kept.entries)
    settings = FolderSettings(
        dict.fromkeys(kept.config, ""),
        region=kept.region,
        timezone=kept.timezone,
        connections=kept.connections,
        http=kept.http,
    )
    sources = [Source(path, text) for path, text in kept.sources.items()]
    compiled = compile_folder(sources, settings.environment(catalog))
    flow = next((f for f in compiled.flows if f.name == kept.flow and f.source.path == kept.file), None)
    return link(flow, catalog, settings, own) if flow is not None else None


def _check_python(entries: Iterable[Entry], own: Own | None) -> None:
    for entry in entries:
        if own is not None and not own.has(entry):
            name = entry.title if isinstance(entry, Verb) else entry.name
            raise UnknownPlan(f"the plan calls {name}, which the folder's Python does not have any more")


# --- what generated modules see


def _policy(
    tries: int | None = None,
    low: int = 1_000,
    high: int = 300_000,
    unknown: Literal["park", "retry"] = "park",
    *,
    asked: bool = False,
) -> Policy:
    return Policy(tries or Policy().tries, low, max(low, high), asked=asked or tries is not None, unknown=unknown)


def _step(step: str, verb: str, effect: str, **rest: Any) -> StepSpec:
    return StepSpec(step, verb, effect, **rest)  # type: ignore[arg-type]  # the compiler knows the three classes


def _namespace(own: Own | None) -> dict[str, Any]:
    names = {"__builtins__": {}, **_NAMES}
    return names if own is None else {**names, "own": own.function}


def _not_loaded(name: str, shape: shapes.Kind) -> Callable[..., Any]:  # noqa: ARG001  # as `Own.function`
    def call(**_: Any) -> Any:
        raise RuntimeError(f"{name} is the folder's Python, which is not loaded here")

    return call


_FUNCTIONS: dict[str, Callable[..., Any]] = {signature.name: function for signature, function in FUNCTIONS}

_NAMES: dict[str, Any] = {
    "record": shapes.record,
    "field": shapes.field,
    "enum": shapes.enum,
    "array": shapes.array,
    "own": _not_loaded,
    "maybe": shapes.maybe,
    "nested": lambda shape: shape.kind(),
    "reader": shapes.reader,
    "text_kind": shapes.text,
    "bool_kind": shapes.boolean,
    "int_kind": shapes.integer,
    "decimal_kind": shapes.decimal,
    "scalar_kind": shapes.scalar,
    "json_kind": shapes.anything,
    "email_kind": shapes.email,
    "url_kind": shapes.url,
    "datetime_kind": shapes.moment,
    "date_kind": shapes.day,
    "duration_kind": shapes.span,
    "cpf_kind": shapes.nominal("cpf", _FUNCTIONS["cpf"]),
    "cnpj_kind": shapes.nominal("cnpj", _FUNCTIONS["cnpj"]),
    "ranged": shapes.ranged,
    "whole": shapes.whole,
    "read_json": shapes.read_json,
    "Failure": StepFailure,
    "phone_kind": lambda region: shapes.nominal("phone", partial(_FUNCTIONS["format_phone"], region=region)),
    "step": _step,
    "policy": _policy,
    "setting": Setting,
    "hole": Hole,
    "whole_url": Whole,
    "template": Template,
    "block": compile_block,
    "exact": Decimal,
    "add": values.add,
    "subtract": values.subtract,
    "multiply": values.multiply,
    "divide": values.divide,
    "modulo": values.modulo,
    "negative": values.negative,
    "text_of": values.text_of,
    "member": values.member,
    "maybe_member": values.maybe_member,
    "as_json": partial(plain, absent=False),
    "element": values.element,
    "given": values.given,
    "either": values.either,
    "either_lazily": values.either_lazily,
    "same": values.same,
    "holds": values.holds,
    "failed": values.failed,
    "instant": values.instant,
    "moment": values.moment,
    "duration": values.duration,
    "milliseconds": values.milliseconds,
    **_FUNCTIONS,
}
