"""What the flows of a folder need from the machine, and what of it is missing.

`seta serve` refuses to start without it; whoever wants to know beforehand asks the same functions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.connections.declared import Connection
from runtime.folder import FolderError
from runtime.loader import Loaded
from runtime.program import Program
from runtime.schemes import SecretError, make_lock


@dataclass(frozen=True, slots=True)
class Need:
    """A secret: the name under which it is looked up, where it is, and what to say of it.

    One that no flow needs yet may be missing. One in a header has to be what a header can carry.
    """

    name: str
    place: str
    what: str
    else_where: str = ""  # what else can be done where it is missing
    header: bool = False
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The secrets that are there, and a sentence for each that is missing and needed. None tells a value."""

    secrets: dict[str, str]
    missing: tuple[str, ...]


def secrets(loaded: Loaded, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What flows and connections need. Raises FolderError, with all that is missing."""
    found = find(loaded, folder, environment)
    if found.missing:
        raise FolderError("; ".join(found.missing))
    return found.secrets


def find(loaded: Loaded, folder: Path, environment: Mapping[str, str]) -> Found:
    """Look for what flows and connections need."""
    of_flows, of_connections = (look(loaded, folder, environment) for look in (for_flows, for_connections))
    return Found({**of_flows.secrets, **of_connections.secrets}, (*of_flows.missing, *of_connections.missing))


def for_flows(loaded: Loaded, folder: Path, environment: Mapping[str, str]) -> Found:
    """Look for the secrets that flows name. They stand under their names."""
    programs = loaded.programs.values()
    names = sorted({name for program in programs for name in program.secrets})
    found = _look(_of_flows(names, loaded.settings.secrets), folder, environment)
    unfit = (why for program in programs for why in _unfit(program, found.secrets))
    return Found(found.secrets, (*found.missing, *dict.fromkeys(unfit)))


def for_connections(loaded: Loaded, folder: Path, environment: Mapping[str, str]) -> Found:
    """Look for the secrets of connections. They stand under their places."""
    used = {name for program in loaded.programs.values() for name in program.connections}
    return _look(_of_connections(loaded.settings.connections, used), folder, environment)


def for_one(name: str, connection: Connection, folder: Path, environment: Mapping[str, str]) -> Found:
    """Look for the secrets of one connection. They stand under their places."""
    return _look(_of_connections({name: connection}, {name}), folder, environment)


def _of_flows(names: Iterable[str], places: Mapping[str, str]) -> Iterator[Need]:
    for name in names:
        place = places.get(name, f"env:SETA_SECRET_{name}")
        yield Need(name, place, f"the secret {name}", ", or say in seta.toml under [secrets] where it is")


def _of_connections(connections: Mapping[str, Connection], used: set[str]) -> Iterator[Need]:
    for name, connection in sorted(connections.items()):
        for place in connection.places():
            what = f"a secret of the connection {name}"
            yield Need(place, place, what, header=connection.in_headers, needed=name in used)


def _unfit(program: Program, found: Mapping[str, str]) -> Iterator[str]:
    """Try the secrets of a flow's guard: its scheme may want them written in one way."""
    guard = program.guard
    if guard is None or not found.keys() >= set(guard.secrets.values()):
        return
    try:
        make_lock(guard.scheme, guard.chosen(found), guard.options)
    except SecretError as error:
        name = guard.secrets[error.param]
        yield f"the secret {name} {error}: `{guard.scheme}` of the flow {program.flow} cannot use it"


def _look(needs: Iterable[Need], folder: Path, environment: Mapping[str, str]) -> Found:
    secrets: dict[str, str] = {}
    missing: dict[str, None] = {}
    for need in needs:
        value, why = _secret(need, folder, environment)
        if not why:
            secrets[need.name] = value
        elif need.needed:
            missing[why] = None
    return Found(secrets, tuple(missing))


def _secret(need: Need, folder: Path, environment: Mapping[str, str]) -> tuple[str, str]:
    """The secret; or why there is none."""
    kind, _, where = need.place.partition(":")
    value = ""
    if kind == "env":
        value, where = environment.get(where, ""), f"the environment variable {where}"
    elif kind == "file":
        try:
            value = (folder / where).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            return "", f"{need.what} cannot be read from {where}: {error}"
    else:
        return "", f"seta.toml: {need.what} is env:NAME or file:PATH, not {kind}:…"
    if not value:
        return "", f"{need.what} is missing: set {where}{need.else_where}"
    if need.header and not (value.isascii() and value.isprintable()):
        return "", f"{need.what} in {where} has characters that no header can carry"
    return value, ""
