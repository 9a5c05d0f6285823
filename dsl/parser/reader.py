"""Text of a file to nodes and problems."""

from dataclasses import dataclass

from dsl.build import Reading, build
from dsl.diagnostics import Diagnostic, in_order
from dsl.nodes import File
from dsl.parser.limits import unfit
from dsl.parser.recovery import read_tree
from dsl.parser.scan import comments, docs, names
from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of a file, and every problem of its syntax."""

    file: File | None
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Parsed:
    """Nodes of a file and the problems of its syntax; no file where nothing could be read at all."""
    problem = unfit(source)
    if problem is not None:
        return Parsed(None, (problem,))
    read = read_tree(source)
    found = comments(source.text)
    r = Reading(source, docs(source, found))
    edition, items = build(r, read.tree)
    whole = Span(0, len(source.text))
    dropped = (names(source.text, span) for span in r.dropped)
    file = File(whole, source, edition, items, found, read.unread.union(*dropped))
    return Parsed(file, in_order([*read.problems, *r.problems]))
