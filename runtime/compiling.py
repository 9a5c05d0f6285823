"""A folder of flows, compiled or only checked: every file together with those around it."""

from collections.abc import Iterable
from pathlib import Path

from compiler.catalog import Catalog
from compiler.ir.trials import Trial
from compiler.pipeline import Compiled, Folder, check_folder, compile_folder
from dsl import Diagnostic, has_errors
from runtime.door.rates import ALL_OTHERS
from runtime.folder import FolderError, FolderSettings, folder_catalog, folder_settings, read_flows, shown


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
    folder = Folder(compiled.flows, (*unreadable, *compiled.diagnostics), compiled.trials)
    _check_rates(settings, (flow.name for flow in folder.flows), folder.diagnostics)
    return folder


def _check_rates(settings: FolderSettings, flows: Iterable[str], found: tuple[Diagnostic, ...]) -> None:
    """Refuse a rate of no flow, once all flows are known: those that have errors are not among them."""
    unknown = settings.rates.keys() - {*flows, ALL_OTHERS}
    if unknown and not has_errors(found):
        raise FolderError(f"seta.toml: [rates] names {', '.join(sorted(unknown))}, but there is no such flow")


def flows_of(path: Path, compiled: Folder) -> tuple[Compiled, ...]:
    """The flows that a file or folder holds, of those of its folder."""
    if not path.is_file():
        return compiled.flows
    return tuple(flow for flow in compiled.flows if flow.source.path == shown(path))


def trials_of(path: Path, compiled: Folder) -> tuple[Trial, ...]:
    """The tests that a file or folder holds, of those of its folder."""
    if not path.is_file():
        return compiled.trials
    return tuple(trial for trial in compiled.trials if trial.source.path == shown(path))


def check_path(path: Path, catalog: Catalog, settings: FolderSettings) -> tuple[Diagnostic, ...]:
    """Everything that there is to say of the flows of a folder or of one file. Raises FolderError."""
    sources, unreadable = read_flows(path)
    checked = check_folder(sources, settings.environment(catalog))
    diagnostics = (*unreadable, *checked.diagnostics)
    _check_rates(settings, (expanded.name for _, expanded, _ in checked.flows), diagnostics)
    return _of(path, diagnostics) if path.is_file() else diagnostics


def _of(file: Path, diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    return tuple(d for d in diagnostics if d.primary.source.path == shown(file))
