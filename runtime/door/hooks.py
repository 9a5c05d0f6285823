"""Which address belongs to which flow."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from runtime.door.bodies import Screen
from runtime.door.gate import Gate, Gates
from runtime.door.rates import Bucket, buckets
from runtime.program import Program

_HEX: Final = 24  # 96 bits: nobody guesses an address
NO_RATES: Final[Mapping[str, str]] = MappingProxyType({})
_PATH_CHARACTERS: Final = "/:@!$&'()*+,;=~-._"  # a path may hold them as they are (RFC 3986, 3.3)


def hook_path(url_key: bytes, flow: str) -> str:
    """Derive the address of a flow that names none: as stable as the key, and known only to who has it."""
    digest = hmac.digest(url_key, flow.encode(), sha256)
    return f"/v1/{digest.hex()[:_HEX]}"


class Hook(msgspec.Struct, frozen=True, gc=False):
    """A flow at its address. `path` is as it stands in a request: percent-encoded."""

    flow: str
    path: str
    program: Program
    screen: Screen
    gate: Gate
    bucket: Bucket | None = None  # None: it takes all that comes


Table = Mapping[bytes, Hook]


def addresses(url_key: bytes, programs: Iterable[Program]) -> dict[str, Program]:
    """Give each flow its address: the one that it names, or one of its own.

    Raises ValueError where two flows name the same one.
    """
    found: dict[str, Program] = {}
    for program in programs:
        path = quote(program.path or hook_path(url_key, program.flow), safe=_PATH_CHARACTERS)
        if path in found:
            raise ValueError(f"the flows {found[path].flow} and {program.flow} share the path {path}")
        found[path] = program
    return found


def make_table(url_key: bytes, programs: Iterable[Program], gates: Gates, rates: Mapping[str, str] = NO_RATES) -> Table:
    """List all addresses of a server. Raises ValueError where two flows name the same one."""
    by_path = addresses(url_key, programs)
    taking = buckets(rates, (program.flow for program in by_path.values()))
    hooks = (
        Hook(program.flow, path, program, Screen.of(program.payload), gates.gate(program), taking.get(program.flow))
        for path, program in by_path.items()
    )
    return MappingProxyType({hook.path.encode(): hook for hook in hooks})


class Hooks:
    """The table in force. A reload puts another one in its place, which is one assignment."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.retired: frozenset[bytes] = frozenset()  # addresses that once were served, and are not any more

    def put_in_force(self, table: Table, retired: Iterable[str]) -> None:
        """Serve these addresses from now on; requests that are under way end as they began."""
        self.table, self.retired = table, frozenset(path.encode() for path in retired)
