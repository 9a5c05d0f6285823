"""The LALR parser for `grammar.lark`, and its tables where Python keeps what it has compiled."""

import contextlib
import io
import sys
from functools import cache
from hashlib import blake2b
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import NamedTemporaryFile

import lark
from lark import Lark


def grammar_path() -> Path:
    """Beside this module in a wheel, one folder up in a checkout."""
    here = Path(__file__).parent
    beside = here / "grammar.lark"
    return beside if beside.exists() else here.parent / "grammar.lark"


@cache
def lark_parser() -> Lark:
    """Built once, which takes some 0.2 s, and kept beside the bytecode of this module; it holds no state of a parse.

    Who can write there can change the code itself, so that what is read from there is as good as it.
    """
    grammar = grammar_path().read_text(encoding="utf-8")
    tables = _tables(grammar)
    with contextlib.suppress(OSError):
        return Lark.load(io.BytesIO(tables.read_bytes()))
    built = _built(grammar)
    if not sys.dont_write_bytecode:
        _keep(built, tables)
    return built


def keep_tables() -> None:
    """Build the tables and keep them for all who come, as `compileall` does with modules."""
    grammar = grammar_path().read_text(encoding="utf-8")
    _keep(_built(grammar), _tables(grammar))


def _built(grammar: str) -> Lark:
    return Lark(grammar, parser="lalr", propagate_positions=True)


def _tables(grammar: str) -> Path:
    """Where the tables of this grammar are, as this Python and this Lark make them."""
    made_of = "\n".join((grammar, lark.__version__, sys.version))
    name = blake2b(made_of.encode(), digest_size=16).hexdigest()
    return Path(cache_from_source(__file__)).with_name(f"grammar.{name}.tables")


def _keep(built: Lark, tables: Path) -> None:
    """Write tables whole or not at all; where there is no room for them, they are built again the next time."""
    with contextlib.suppress(OSError):
        tables.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=tables.parent, delete=False) as made:
            built.save(made)
        Path(made.name).chmod(0o644)
        Path(made.name).replace(tables)
