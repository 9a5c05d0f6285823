"""A folder of flows becomes programs: read, compile, link. Beside the command, only this calls the compiler."""

import linecache
import marshal
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Final, Literal

import msgspec

from compiler.catalog import Catalog, Entry, Verb
from compiler.check import Environment
from compiler.codegen import ANSWER, DEDUPE, FLOW, ON_ERROR, PAYLOAD, SERIAL, byte_position
from compiler.ir import Plan, WaitFor, all_steps
from compiler.ir.trials import Trial
from compiler.own import NAME, CatalogFileError, read_catalog_file
from compiler.pipeline import Compiled, Folder, check_folder, compile_folder, used_entries
from dsl import Diagnostic, Source, read_source
from runtime import shapes, values
from runtime.code import compile_block
from runtime.context import Hole, Policy, RemoteVerb, Setting, StepSpec
from runtime.engine.engine import UnknownPlan
from runtime.extend.loading import Own
from runtime.failures import StepFailure
from runtime.functions import FUNCTIONS
from runtime.program import ANSWER_WITHIN, Dedupe, Guard, Place, Program, Request
from runtime.schemes import SecretError, make_lock


class FolderError(Exception):
    """The folder itself cannot be used: it is not there, or a file that is no flow is wrong. The message says how."""


class FolderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`seta.toml` beside the flows."""

    config: dict[str, str] = {}
    secrets: dict[str, str] = {}  # name -> where it is: env:NAME or file:PATH
    region: str = "BR"
    timezone: str = "America/Sao_Paulo"

    def environment(self, catalog: Catalog) -> Environment:
        """What flows of the folder are checked against."""
        return Environment(catalog, frozenset(self.config), self.region, self.timezone)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A folder, compiled and linked. `programs` is empty of the flows that have errors."""

    programs: dict[str, Program]
    folder: Folder
    config: Mapping[str, str]
    settings: FolderSettings
    catalog: Catalog  # with what the catalog file adds
    own: Own | None = None  # the folder's Python, where it is loaded

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All problems and remarks of the folder."""
        return self.folder.diagnostics

    def own_verbs(self, secrets: Mapping[str, str]) -> Mapping[str, RemoteVerb]:
        """What the verbs of the folder's Python do, under their titles."""
        return {} if self.own is None else self.own.verbs(secrets)


def load(path: Path, known: Catalog, own: Own | None = None) -> Loaded:
    """Compile and link all flows of a folder, or of the one around a file; its catalog file adds to what is known.

    Without the folder's own Python, nothing that uses it can be run. Raises FolderError.
    """
    compiled, catalog, settings = compile_all(path, known)
    programs = {flow.name: link(flow, catalog, settings, own) for flow in compiled.flows}
    return Loaded(programs, compiled, settings.config, settings, catalog, own)


def compile_all(path: Path, known: Catalog) -> tuple[Folder, Catalog, FolderSettings]:
    """Compile all flows of a folder, or of the one around a file; its catalog file adds to what is known."""
    settings = folder_settings(path)
    catalog = folder_catalog(path, known)
    return _compile(path, catalog, settings), catalog, settings


def compile_path(path: Path, catalog: Catalog, settings: FolderSettings) -> Folder:
    """The flows of a folder or of one file, which is compiled in its folder. Raises FolderError."""
    compiled = _compile(path, catalog, settings)
    if not path.is_file():
        return compiled
    return Folder(flows_of(path, compiled), _of(path, compiled.diagnostics), trials_of(path, compiled))


def _compile(path: Path, catalog: Catalog, settings: FolderSettings) -> Folder:
    sources, unreadable = read_flows(path)
    compiled = compile_folder(sources, settings.environment(catalog))
    return Folder(compiled.flows, (*unreadable, *compiled.diagnostics), compiled.trials)


def flows_of(path: Path, compiled: Folder) -> tuple[Compiled, ...]:
    """The flows that a file or folder holds, of those of its folder."""
    if not path.is_file():
        return compiled.flows
    return tuple(flow for flow in compiled.flows if flow.source.path == _shown(path))


def trials_of(path: Path, compiled: Folder) -> tuple[Trial, ...]:
    """The tests that a file or folder holds, of those of its folder."""
    if not path.is_file():
        return compiled.trials
    return tuple(trial for trial in compiled.trials if trial.source.path == _shown(path))


def check_path(path: Path, catalog: Catalog, settings: FolderSettings) -> tuple[Diagnostic, ...]:
    """Everything that there is to say of the flows of a folder or of one file. Raises FolderError."""
    sources, unreadable = read_flows(path)
    diagnostics = (*unreadable, *check_folder(sources, settings.environment(catalog)).diagnostics)
    return _of(path, diagnostics) if path.is_file() else diagnostics


def _of(file: Path, diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    return tuple(d for d in diagnostics if d.primary.source.path == _shown(file))


def read_flows(path: Path) -> tuple[list[Source], list[Diagnostic]]:
    """The texts of a folder, or of the one around a file; and the problems of what is no text. Raises FolderError."""
    sources: list[Source] = []
    unreadable: list[Diagnostic] = []
    for file in _together(path):
        read = read_source(_shown(file), _bytes(file))
        sources.append(read) if isinstance(read, Source) else unreadable.append(read)
    return sources, unreadable


def folder_of(path: Path) -> Path:
    """The folder that a path is in: itself, or for a file the nearest one above with a seta.toml, else its own."""
    if not path.is_file():
        return path
    above = path.absolute().parents
    return next((folder for folder in above if (folder / "seta.toml").is_file()), above[0])


def _together(path: Path) -> list[Path]:
    """The files that are one namespace with a path. Without a seta.toml, a file's are those beside it."""
    folder = folder_of(path)
    if not path.is_file() or (folder / "seta.toml").is_file():
        return flow_files(folder)
    return sorted({path.absolute(), *_files(folder.glob("*.seta"))})


def flow_files(path: Path) -> list[Path]:
    """The `.seta` files of a folder, in order of name. Raises FolderError where there is no such folder."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FolderError(f"there is no folder {path}: name the folder of your flows with --flows")
    return sorted(_files(path.rglob("*.seta")))


def _files(found: Iterable[Path]) -> list[Path]:
    return [path for path in found if not path.is_dir()]  # `.seta/` is the data directory


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FolderError(f"{file} cannot be read: {error.strerror}") from error


def _shown(file: Path) -> str:
    """A path as messages show it: from the working directory where the file lies below it."""
    absolute = file.absolute()
    here = Path.cwd()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else file.as_posix()


def folder_settings(path: Path) -> FolderSettings:
    """The `seta.toml` of a folder, or the defaults. Raises FolderError."""
    file = folder_of(path) / "seta.toml"
    if not file.is_file():
        return FolderSettings()
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), FolderSettings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FolderError(f"{_shown(file)}: {error}") from error


def folder_catalog(path: Path, known: Catalog) -> Catalog:
    """What is known, with what the catalog file of a folder adds. Raises FolderError."""
    file = folder_of(path) / NAME
    if not file.is_file():
        return known
    try:
        return read_catalog_file(_bytes(file), known)
    except CatalogFileError as error:
        raise FolderError(f"{_shown(file)}:{error.line}: {error.message}") from error


def secrets(loaded: Loaded, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets that the flows of a folder name, from where seta.toml says or from `SETA_SECRET_NAME`.

    Raises FolderError where one is missing or empty; the message names it, and never its value.
    """
    names = sorted({name for program in loaded.programs.values() for name in program.secrets})
    found = {name: _secret(name, loaded.settings.secrets.get(name), folder, environment) for name in names}
    for program in loaded.programs.values():
        _fit(program, found)
    return found


def _fit(program: Program, found: Mapping[str, str]) -> None:
    """Try the secrets of a flow's guard: its scheme may want them written in one way."""
    guard = program.guard
    if guard is None:
        return
    try:
        make_lock(guard.scheme, guard.chosen(found), guard.options)
    except SecretError as error:
        name = guard.secrets[error.param]
        raise FolderError(
            f"the secret {name} {error}: `{guard.scheme}` of the flow {program.flow} cannot use it"
        ) from None


def _secret(name: str, place: str | None, folder: Path, environment: Mapping[str, str]) -> str:
    kind, _, where = (place or f"env:SETA_SECRET_{name}").partition(":")
    value = ""
    if kind == "env":
        value = environment.get(where, "")
    elif kind == "file":
        try:
            value = (folder / where).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise FolderError(f"the secret {name} cannot be read from {where}: {error}") from error
    else:
        raise FolderError(f"seta.toml: the secret {name} is env:NAME or file:PATH, not {kind}:…")
    if not value:
        where = f"the environment variable {where}" if kind == "env" else where
        raise FolderError(f"the secret {name} is missing: set {where}, or say in seta.toml under [secrets] where it is")
    return value


# --- linking


class _Bundle(msgspec.Struct, frozen=True):
    """What is kept with a plan, so that its runs can end on it: its file and those that declare for it."""

    flow: str
    file: str
    sources: dict[str, str]  # path -> text
    config: list[str]
    region: str
    timezone: str
    entries: list[Entry]


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
    )


def _bundle(flow: Compiled, catalog: Catalog, settings: FolderSettings) -> _Bundle:
    sources = {source.path: source.text for source in (flow.source, *flow.declaring)}
    entries = [entry for entry in used_entries(flow, catalog) if isinstance(entry, Entry)]
    config = sorted(settings.config)
    return _Bundle(flow.name, flow.source.path, sources, config, settings.region, settings.timezone, entries)


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


_PLANS: Final = 1000  # in memory, or as many as the folder has


class Programs:
    """The programs of a server by plan: those of its folder, and older ones made again from their bundles."""

    def __init__(self, programs: Mapping[str, Program], own: Own | None = None) -> None:
        self._own = own
        self._by_plan = {program.plan: program for program in programs.values()}

    def add(self, programs: Mapping[str, Program], own: Own | None) -> None:
        """Take in what a reload has brought.

        The oldest of many plans are forgotten, and all older ones where the folder has functions of its own: they are
        made again from what the journal keeps, with the Python of today.
        """
        self._own = own
        if own is not None and own.functions:
            self._by_plan.clear()
        for program in programs.values():
            self._by_plan.pop(program.plan, None)
            self._by_plan[program.plan] = program
        for plan in list(self._by_plan)[: -max(len(programs), _PLANS)]:
            del self._by_plan[plan]

    def find(self, plan: str, bundle: bytes | None) -> Program:
        """The program of a plan. Raises UnknownPlan where it is not loaded and cannot be made from the bundle."""
        if (known := self._by_plan.get(plan)) is not None:
            return known
        if bundle is None:
            raise UnknownPlan("the plan's sources are not in the journal")
        program = relink(bundle, self._own)
        if program is None or program.plan != plan:
            raise UnknownPlan("this version of Seta makes another plan of the sources that the run began with")
        self._by_plan[plan] = program
        return program


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
    settings = FolderSettings(dict.fromkeys(kept.config, ""), region=kept.region, timezone=kept.timezone)
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
    tries: int | None = None, low: int = 1_000, high: int = 300_000, unknown: Literal["park", "retry"] = "park"
) -> Policy:
    return Policy(tries or Policy().tries, low, max(low, high), asked=tries is not None, unknown=unknown)


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
