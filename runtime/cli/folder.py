"""Loading flows for a command, and telling people what is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dsl import Severity
from runtime.cli.problems import Problem, refuse, show_problems
from runtime.extend.loading import Own
from runtime.extend.modules import OwnPythonError
from runtime.folder import FolderError, folder_of
from runtime.frozen import loaded_python
from runtime.loader import Loaded, load
from runtime.needs import secrets
from runtime.reload.compiling import Refused, refusal
from runtime.steps import catalog

_PASSED_TO_CODE: Final = ("PATH", "LANG", "TZ")


def load_or_refuse(flows: Path, color: str, own: Own | None = None) -> Loaded:
    """Load a folder; where it has errors, print them and end with exit code 1."""
    loaded = _load(flows, color, own)
    if isinstance(loaded, Refused):
        raise Problem(loaded.why)
    return loaded


def load_to_serve(flows: Path, color: str, environment: Mapping[str, str]) -> Loaded | Refused:
    """Load a folder with its own Python and look for its secrets; where it has errors, print them."""
    try:
        loaded = _load(flows, color, loaded_python(flows, catalog()))
        if isinstance(loaded, Loaded):
            secrets(loaded, flows, environment)
    except (FolderError, OwnPythonError) as error:
        return Refused(str(error))
    return loaded


def _load(flows: Path, color: str, own: Own | None) -> Loaded | Refused:
    try:
        loaded = load(flows, catalog(), own)
    except FolderError as error:
        return Refused(str(error))
    refused = refusal(flows, loaded.folder)
    if refused is not None and loaded.folder.broken:
        show_problems(loaded.diagnostics, color)
    return refused or loaded


def load_whole_or_refuse(path: Path, color: str) -> Loaded:
    """Load a folder, or the one around a file, to run something of it here; the errors of all of it end with code 1."""
    try:
        loaded = load(path, catalog(), python_or_refuse(folder_of(path)))
    except FolderError as error:
        raise Problem(str(error)) from error
    if loaded.folder.broken:
        refuse([found for found in loaded.diagnostics if found.severity is Severity.ERROR], color)
    return loaded


def python_or_refuse(flows: Path) -> Own:
    """The folder's own Python; where it cannot be used, or is not as its catalog file says, end with exit code 1."""
    try:
        return loaded_python(flows, catalog())
    except (FolderError, OwnPythonError) as error:
        raise Problem(str(error)) from error


def secrets_or_refuse(loaded: Loaded, flows: Path) -> dict[str, str]:
    """The secrets of flows and connections; where needed ones are missing, say which and end with exit code 1."""
    try:
        return secrets(loaded, flows, os.environ)
    except FolderError as error:
        raise Problem(str(error)) from error


def code_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the Python of flows sees of the environment."""
    return {name: environment[name] for name in _PASSED_TO_CODE if name in environment}
