"""The modules beside the flows: found, imported, and looked through for what is marked."""

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from runtime.extend.marks import MARK

PACKAGE = "seta"


class OwnPythonError(Exception):
    """The folder's own Python cannot be used; each line of the message says where, why and what to write."""


class Marked(NamedTuple):
    """Something that a decorator has marked, and where it is."""

    made: Any
    mark: Any
    place: str


def own_files(folder: Path) -> list[Path]:
    """The modules of a folder that import `seta`, in order of name, without tests and what begins with `_`."""
    return [file for file in sorted(folder.glob("*.py")) if not _is_left_out(file.name) and _imports_seta(file)]


def _is_left_out(name: str) -> bool:
    return name.startswith(("_", "test_")) or name.endswith("_test.py") or name == "conftest.py"


def _imports_seta(file: Path) -> bool:
    """Whether a file is own Python: it says so by what it imports. One that cannot be read as Python may be."""
    data = file.read_bytes()
    if PACKAGE.encode() not in data:
        return False
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return True
    return any(_is_ours(node) for node in ast.walk(tree))


def _is_ours(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name == PACKAGE for name in names)
        case ast.ImportFrom(module=module, level=0):
            return module == PACKAGE
        case _:
            return False


def marked(folder: Path) -> list[Marked]:
    """Import the modules of a folder afresh and give all that is marked in them. Raises OwnPythonError."""
    files = own_files(folder)
    if not files:
        return []
    _make_way(folder)
    found = [one for file in files for one in _marked_in(_import(file), file)]
    return sorted(found, key=lambda one: one.place)


class _Beside(MetaPathFinder):
    """Finds modules beside the flows, after all others: what is installed is never hidden by a file of the user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002  # Python's signature
    ) -> ModuleSpec | None:
        """Look for a module of the folder."""
        return PathFinder.find_spec(fullname, [str(self.folder)]) if path is None else None


def _make_way(folder: Path) -> None:
    """Forget the modules that were imported before, from this folder or another, and look for new ones here."""
    for finder in [one for one in sys.meta_path if isinstance(one, _Beside)]:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if _lies_in(module, finder.folder)]:
            del sys.modules[name]
    importlib.invalidate_caches()
    sys.meta_path.append(_Beside(folder))


def _lies_in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)


def _import(file: Path) -> ModuleType:
    name = file.stem
    if not name.isidentifier():
        raise OwnPythonError(f"{_shown(file)}: no module can be called {name}: use letters, digits and `_`")
    if (taken := importlib.util.find_spec(name)) is not None and taken.origin != str(file.resolve()):
        raise OwnPythonError(f"{_shown(file)}: {name} is a module of Python or of a package already: rename the file")
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever stands at the top of a module
        raise OwnPythonError(_not_imported(file, error)) from error
    finally:
        sys.dont_write_bytecode = written


def _not_imported(file: Path, error: BaseException) -> str:
    """Why a module cannot be imported, with the innermost line of the folder that led there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(Path(error.filename))}:{error.lineno}: this is not Python: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent == file.resolve().parent]
    place = f"{_shown(Path(inside[-1].filename))}:{inside[-1].lineno}" if inside else _shown(file)
    return f"{place}: the module cannot be imported: {type(error).__name__}: {error}"


def _marked_in(module: ModuleType, file: Path) -> Iterator[Marked]:
    for made in {id(value): value for value in vars(module).values()}.values():
        mark = getattr(made, MARK, None)
        if mark is not None and getattr(made, "__module__", None) == module.__name__:
            code = getattr(made, "__code__", None)
            yield Marked(made, mark, f"{_shown(file)}:{code.co_firstlineno if code else 1}")


def _shown(file: Path) -> str:
    """A path as messages show it: from the working directory where the file lies below it."""
    absolute, here = file.resolve(), Path.cwd().resolve()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else file.as_posix()
