"""What the tests of this room read with."""

from pathlib import Path

from dsl import Source, Span, parse
from dsl.nodes import File, Node, children

PROGRAMS = sorted((Path(__file__).parent / "corpus" / "programs").glob("*.seta"))


def program(name: str) -> str:
    """The text of a program that has no mistake."""
    return next(path for path in PROGRAMS if path.stem == name).read_text(encoding="utf-8")


def read(text: str) -> File:
    """The tree of a text that has no mistake."""
    parsed = parse(Source("a.seta", text))
    assert parsed.diagnostics == ()
    assert parsed.file is not None
    return parsed.file


def step(text: str) -> Node:
    """The only step of a flow, from its text."""
    flow = read(f"on webhook -> {text}").items[0]
    chain = getattr(flow, "chain")  # noqa: B009 (an item of any kind)
    assert len(chain.steps) == 1
    found = chain.steps[0]
    assert isinstance(found, Node)
    return found


def outline(source: Source, node: Node) -> str:
    """Each node under a node on its own line: its type and the text it stands for."""
    return "\n".join(_lines(source, node, 0))


def _lines(source: Source, node: Node, depth: int) -> list[str]:
    shown = " ".join(source.slice(node.span).split())[:72]
    lines = [f"{'  ' * depth}{type(node).__name__} {shown}".rstrip()]
    for child in children(node):
        lines += _lines(source, child, depth + 1)
    return lines


def said(text: str) -> list[tuple[str, str, str]]:
    """What is said of a text: code, `line:column`, and the marked text."""
    source = Source("a.seta", text)
    return [(d.code, where(source, d.primary.span), source.slice(d.primary.span)) for d in parse(source).diagnostics]


def where(source: Source, span: Span) -> str:
    """The place of a span as messages show it."""
    position = source.position(span.start)
    return f"{position.line}:{position.column}"
