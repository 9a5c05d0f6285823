"""All of a folder's own Python: its signatures, and what runs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.catalog import Entry, Function, Verb
from runtime.context import RemoteVerb
from runtime.extend.functions import OwnFunction
from runtime.extend.marks import FunctionMark, VerbMark
from runtime.extend.modules import Marked, OwnPythonError, marked
from runtime.extend.signatures import SignatureError, function_entry, verb_entry
from runtime.extend.verbs import OwnVerb
from runtime.shapes import Kind


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry of the catalog and where its Python is."""

    entry: Function | Verb
    place: str
    made: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Own:
    """The Python of a folder, ready to be called."""

    functions: Mapping[str, OwnFunction]
    titles: Mapping[str, OwnVerb]

    def function(self, name: str, shape: Kind) -> Callable[..., Any]:
        """A function as a plan calls it. Raises KeyError where it is not there."""
        return self.functions[name].giving(shape)

    def verbs(self, secrets: Mapping[str, str]) -> dict[str, RemoteVerb]:
        """What each verb does, under its title in the catalog."""
        return {title: verb.ready(secrets) for title, verb in self.titles.items()}

    def has(self, entry: Entry) -> bool:
        """Whether an entry is not the folder's own, or its Python is here."""
        match entry:
            case Function(own=True):
                return entry.name in self.functions
            case Verb(own=True):
                return entry.title in self.titles
            case _:
                return True


def own_python(folder: Path) -> list[Placed]:
    """Import the modules of a folder and read the signatures. Raises OwnPythonError with every problem there is."""
    placed: list[Placed] = []
    problems: list[str] = []
    for one in marked(folder):
        try:
            placed.append(Placed(_entry(one), one.place, one.made))
        except SignatureError as error:
            problems.append(f"{one.place}: {one.made.__name__}: {error}")
    problems.extend(_twice(placed))
    if problems:
        raise OwnPythonError("\n".join(problems))
    return placed


def _entry(one: Marked) -> Function | Verb:
    match one.mark:
        case FunctionMark():
            return function_entry(one.made, one.mark)
        case VerbMark():
            return verb_entry(one.made, one.mark)
        case _:
            raise SignatureError("the mark `__seta__` is not one of seta's decorators")


def _twice(placed: Iterable[Placed]) -> list[str]:
    first: dict[str, str] = {}
    problems = []
    for one in placed:
        before = first.setdefault(_name(one.entry), one.place)
        if before != one.place:
            problems.append(f"{one.place}: {_name(one.entry)} is there already, at {before}: choose another name")
    return problems


def ready(placed: Iterable[Placed]) -> Own:
    """Own Python that can be called."""
    placed = list(placed)
    functions = {one.entry.name: OwnFunction(one.made) for one in placed if isinstance(one.entry, Function)}
    verbs = {one.entry.title: OwnVerb(one.made, one.entry) for one in placed if isinstance(one.entry, Verb)}
    return Own(functions, verbs)


def _name(entry: Function | Verb) -> str:
    return entry.title if isinstance(entry, Verb) else entry.name
