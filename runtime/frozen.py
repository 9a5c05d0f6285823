"""The folder's Python and its catalog file: what the one says that the other does not."""

from collections.abc import Iterable
from pathlib import Path

from compiler.catalog import Catalog
from compiler.own import NAME, Own, own_entries, problem, titled
from compiler.own import Python as Signature
from runtime.extend.frozen import frozen
from runtime.extend.loading import Own as Python
from runtime.extend.loading import own_python, ready
from runtime.extend.modules import OwnPythonError
from runtime.folder import folder_catalog

WRITE = "seta catalog --write"


def in_file_and_python(folder: Path, known: Catalog) -> tuple[list[Own], list[tuple[Own, str]]]:
    """What the catalog file lists, and the signatures of the folder's Python with their places.

    The Python runs in a process of its own. Raises FolderError and OwnPythonError.
    """
    listed = own_entries(folder_catalog(folder, known))
    found: list[tuple[Own, str]] = [*frozen(folder)]
    _refuse(_unusable(found, known))
    return listed, found


def together(listed: Iterable[Own], found: Iterable[tuple[Own, str]]) -> list[Own]:
    """What the catalog file has to list: the templates that it does, and what the Python says."""
    return [*(entry for entry in listed if not isinstance(entry, Signature)), *(entry for entry, _ in found)]


def loaded_python(folder: Path, known: Catalog) -> Python:
    """The Python of a folder, imported here. Raises FolderError, and OwnPythonError where the file says otherwise."""
    listed = own_entries(folder_catalog(folder, known))
    placed = own_python(folder)
    found: list[tuple[Own, str]] = [(one.entry, one.place) for one in placed]
    _refuse([*_unusable(found, known), *differences(listed, found)])
    return ready(placed)


def differences(listed: Iterable[Own], found: Iterable[tuple[Own, str]]) -> list[str]:
    """What the catalog file and the Python say otherwise, in order of name."""
    in_file = {titled(entry): entry for entry in listed if isinstance(entry, Signature)}
    in_python = {titled(entry): (entry, place) for entry, place in found}
    said: list[str] = []
    for name in sorted(in_file.keys() | in_python.keys()):
        if name not in in_python:
            said.append(f"{name} is in {NAME}, and no module of the folder defines it")
        elif name not in in_file:
            said.append(f"{in_python[name][1]}: {name} is not in {NAME}")
        elif in_file[name] != in_python[name][0]:
            said.append(f"{in_python[name][1]}: {name} is not as {NAME} has it")
    return [f"{line}: run `{WRITE}`" for line in said]


def _unusable(found: Iterable[tuple[Own, str]], known: Catalog) -> list[str]:
    return [f"{place}: {wrong}" for entry, place in found if (wrong := problem(entry, known)) is not None]


def _refuse(problems: list[str]) -> None:
    if problems:
        raise OwnPythonError("\n".join(problems))
