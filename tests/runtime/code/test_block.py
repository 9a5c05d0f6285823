"""Compiling a block: what is allowed, and where an error is said to be."""

import marshal
from collections.abc import Callable
from types import FunctionType

import pytest

from runtime.code import Block, compile_block


def compiled(source: str, *params: str) -> Block:
    return compile_block(source, params, "flows/erp.seta", 12)


def function(block: Block) -> Callable[..., object]:
    return FunctionType(marshal.loads(block.code), {})  # noqa: S302  # made here


def refusal(source: str, *params: str) -> tuple[str, str | None, int | None, int | None]:
    with pytest.raises(SyntaxError) as caught:
        compiled(source, *params)
    error = caught.value
    return error.msg, error.filename, error.lineno, error.offset


@pytest.mark.parametrize(
    "source",
    [
        "return a + b\n",
        "    return a + b\n",
        "\n  # why\n\n      c = a + b\n      return c\n   ",
        "\tif a:\n\t\treturn a + b\n",
        "# at the margin\n    return a + b",
    ],
)
def test_a_body_may_stand_at_any_indentation(source: str) -> None:
    assert function(compiled(source, "a", "b"))(1, 2) == 3


@pytest.mark.parametrize("source", ["", "\n\n", "   # nothing yet\n", "pass"])
def test_a_body_without_return_gives_none(source: str) -> None:
    assert function(compiled(source))() is None


def test_a_string_of_several_lines_is_kept_as_written() -> None:
    assert function(compiled('    return """a\n  b\nc"""\n'))() == "a\n  b\nc"


def test_a_parameter_is_found_under_the_name_that_python_gives_it() -> None:
    assert function(compiled("    return nº", "nº"))(7) == 7


def test_code_of_the_same_text_and_place_is_the_same() -> None:
    assert compiled("return 1\n") == compiled("return 1\n")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = (1\n", ("'(' was never closed", 12, 5)),
        ("    x = 1\n    y = )\n", ("unmatched ')'", 13, 9)),
        ("    x = [(1,\n      2]\n", None),
        ("    if a:\n    return 1\n", None),
        ("    x = 1\n  y = 2\n", None),
        ("    x = 1\ny = 2\n", ("unindent does not match the block's first line", 13, 1)),
        ("    x = 1\n    await x\n", ("'await' outside async function", 13, 5)),
        ("    x = 1\n    yield x\n", ("'yield' cannot stand in a code block", 13, 5)),
        ("    break\n", ("'break' outside loop", 12, 5)),
    ],
)
def test_an_error_is_at_its_place_in_the_flow(source: str, expected: tuple[str, int, int] | None) -> None:
    message, filename, line, column = refusal(source)
    assert filename == "flows/erp.seta"
    if expected is None:  # versions word it differently
        assert line == 13
    else:
        assert (message, line, column) == expected


def test_a_message_that_names_a_line_names_the_flows_line() -> None:
    message, *_ = refusal("    x = 1\n    if x:\n    return 1\n")
    assert message == "expected an indented block after 'if' statement on line 13"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (["from"], "'from' is a word of Python's own"),
        (["a", "a"], "duplicate argument 'a' in function definition"),
    ],
)
def test_a_parameter_that_python_cannot_have_is_an_error(params: list[str], message: str) -> None:
    assert refusal("return 1", *params)[:3] == (message, "flows/erp.seta", 11)


def test_a_null_byte_is_a_syntax_error() -> None:
    assert "null bytes" in refusal("x = '\0'\n")[0]


def test_code_nested_too_deeply_is_a_syntax_error() -> None:
    refusal("return " + "(" * 5000 + ")" * 5000)
    refusal("return " + "-" * 200_000 + "1")
