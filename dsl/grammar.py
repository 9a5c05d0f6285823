"""The LALR parser for `grammar.lark`."""

from functools import cache
from pathlib import Path

from lark import Lark


def grammar_path() -> Path:
    """Beside this module in a wheel, one folder up in a checkout."""
    here = Path(__file__).parent
    beside = here / "grammar.lark"
    return beside if beside.exists() else here.parent / "grammar.lark"


@cache
def lark_parser() -> Lark:
    """Built once: it takes some 0.2 s, and holds no state of a parse."""
    return Lark(grammar_path().read_text(encoding="utf-8"), parser="lalr", propagate_positions=True)
