"""One `code` block, compiled so that its positions are those of the flow's own file."""

import ast
import inspect
import keyword
import marshal
import unicodedata
from dataclasses import dataclass
from types import CodeType
from typing import Final, cast

_NO_FILE: Final = "<code block>"


@dataclass(frozen=True, slots=True)
class Block:
    """A compiled block, good for the very Python that compiled it: do not store it."""

    source: str  # as in the file, indented or not
    params: tuple[str, ...]
    filename: str  # as tracebacks show it
    first_line: int  # where `source` begins in that file; at least 2, for the fence stands above it
    code: bytes  # the function's code object, marshalled


def compile_block(source: str, params: tuple[str, ...], filename: str, first_line: int) -> Block:
    """Compile `source` as the body of a function of `params`; SyntaxError has the file's line."""
    try:
        tree = _function(source, filename, first_line)
        _declare(_definition(tree), params, filename)
        module = compile(tree, filename, "exec", dont_inherit=True, optimize=0)
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; nested too deeply
        where = (filename, first_line, 1, None)
        raise SyntaxError(str(error) or "the code is nested too deeply", where) from error
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    if code.co_flags & inspect.CO_GENERATOR:
        raise _refusal("'yield' cannot stand in a code block", filename, _first_yield(tree))
    return Block(source, params, filename, first_line, marshal.dumps(code))


def _function(source: str, filename: str, first_line: int) -> ast.Module:
    """Parse to `def code(): …`, which takes the place of the line above the source.

    Indentation is kept and blank lines stand for the rest of the file, so that lines and columns,
    also those that Python's messages name, need no correction.
    """
    head = "\n" * (first_line - 2) + "def code():"
    if _is_indented(source):
        tree = _parsed(f"{head}\n{source}", filename)
        if len(tree.body) > 1:
            message = "unindent does not match the block's first line"
            raise _refusal(message, filename, tree.body[1], IndentationError)
        return tree
    tree = _parsed(f"{head} ...", filename)
    statements = _parsed("\n" * (first_line - 1) + source, filename).body
    _definition(tree).body = statements or _definition(tree).body
    return tree


def _parsed(text: str, filename: str) -> ast.Module:
    """Parse under a name that no file has: Python looks into a file of that name to count an error's columns.

    What is there may be another text by now, for a run ends on the plan that it began with.
    """
    try:
        return ast.parse(text, _NO_FILE)
    except SyntaxError as error:
        error.filename = filename
        raise


def _is_indented(source: str) -> bool:
    starts = (line for line in source.split("\n") if line.strip() and line.lstrip()[0] != "#")
    return next(starts, "").startswith((" ", "\t"))


def _definition(tree: ast.Module) -> ast.FunctionDef:
    return cast("ast.FunctionDef", tree.body[0])


def _declare(function: ast.FunctionDef, params: tuple[str, ...], filename: str) -> None:
    for param in params:
        name = unicodedata.normalize("NFKC", param)  # as Python does to the names in the body
        if keyword.iskeyword(name):
            raise _refusal(f"'{param}' is a word of Python's own", filename, function)
        function.args.args.append(ast.arg(name))
    ast.fix_missing_locations(function)


def _first_yield(tree: ast.Module) -> ast.expr:
    return next(node for node in ast.walk(tree) if isinstance(node, ast.Yield | ast.YieldFrom))


def _refusal(
    message: str,
    filename: str,
    node: ast.stmt | ast.expr,
    kind: type[SyntaxError] = SyntaxError,
) -> SyntaxError:
    return kind(message, (filename, node.lineno, node.col_offset + 1, None))
