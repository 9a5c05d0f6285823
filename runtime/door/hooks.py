"""Which address belongs to which flow."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from runtime.door.bodies import Screen
from runtime.program import Program

_HEX: Final = 24  # 96 bits: nobody guesses an address
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


Table = Mapping[bytes, Hook]


def make_hook(url_key: bytes, program: Program) -> Hook:
    """Give a flow its address: the one that it names, or one of its own."""
    path = program.path or hook_path(url_key, program.flow)
    return Hook(
        program.flow,
        quote(path, safe=_PATH_CHARACTERS),
        program,
        Screen.of(program.payload),
    )


def make_table(url_key: bytes, programs: Iterable[Program]) -> Table:
    """List all addresses of a server. Raises ValueError where two flows name the same one."""
    table: dict[bytes, Hook] = {}
    for hook in (make_hook(url_key, program) for program in programs):
        if hook.path.encode() in table:
            raise ValueError(f"the flows {table[hook.path.encode()].flow} and {hook.flow} share the path {hook.path}")
        table[hook.path.encode()] = hook
    return MappingProxyType(table)


class Hooks:
    """The table in force. A reload puts another one in its place, which is one assignment."""

    def __init__(self, table: Table) -> None:
        self.table = table
