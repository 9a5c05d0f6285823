"""A folder of flows becomes programs: read, compile, link. Beside the command, only this calls the compiler."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler.catalog import Catalog
from compiler.pipeline import Folder
from dsl import Diagnostic
from runtime.compiling import compile_all
from runtime.context import RemoteVerb
from runtime.extend.loading import Own
from runtime.folder import FolderSettings
from runtime.linking import link
from runtime.program import Program


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
