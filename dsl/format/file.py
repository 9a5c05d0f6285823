"""A whole file, from its tree or from its text."""

from dsl.diagnostics import Diagnostic, Label, has_errors
from dsl.format.doc import HARD, Doc, spaced
from dsl.format.items import item
from dsl.format.layout import render
from dsl.format.tokens import INT, Tokens
from dsl.nodes import File
from dsl.parser import parse
from dsl.parser.limits import unfit
from dsl.source import Source, Span


def format_text(source: Source) -> str | tuple[Diagnostic, ...]:
    """The text of a file as it is laid out, or the problems of its syntax."""
    parsed = parse(source)
    if parsed.file is None or has_errors(parsed.diagnostics):
        return parsed.diagnostics
    text = format_file(parsed.file)
    return text if unfit(Source(source.path, text)) is None else (_too_large(source),)


def format_file(file: File) -> str:
    """The text of a file that was read without a problem: its words and comments, and new blanks between them."""
    tokens = Tokens(file)
    parts: list[Doc] = []
    if file.edition is not None:
        parts += [_above(tokens, first=True), spaced(tokens.take("lang"), tokens.take(INT))]
    for node in file.items:
        parts += [_above(tokens, first=not parts), item(tokens, node)]
    end = tokens.gap() if parts else tokens.gap().beginning
    text = render((*parts, end.comments)).strip("\n")
    return f"{text}\n" if text else ""


def _above(tokens: Tokens, *, first: bool) -> Doc:
    """What stands above an item: an empty line, and its comments."""
    gap = tokens.gap().beginning if first else tokens.gap().parting
    return (gap.comments, gap.line(HARD))


def _too_large(source: Source) -> Diagnostic:
    notes = ("with its new blanks it would be more than a file may be", "a folder may hold any number of files")
    return Diagnostic("E105", "this file is too large to be laid out", Label(source, Span(0, 0)), notes=notes)
