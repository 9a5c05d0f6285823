"""`code` runs a flow's own Python in a process of its own."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runtime import shapes
from runtime.code import CodePool, compile_block
from runtime.connections.person import Person
from runtime.context import Call, RemoteVerb
from runtime.failures import StepFailure
from runtime.steps import code

MakeCall = Callable[..., Call]


@pytest.fixture
async def verb() -> AsyncIterator[RemoteVerb]:
    pool = CodePool(size=1, environment={"PATH": str(Path("/usr/bin"))})
    yield code.verb(pool)
    await pool.close()


@pytest.fixture
def coded(call: MakeCall) -> MakeCall:
    """Make a call of a `code` step from its Python and its parameters."""

    def make(source: str, within: int | None = None, result: Any = None, **args: Any) -> Call:
        block = compile_block(source, tuple(args), "flows/erp.seta", 2)
        return call(*args.values(), verb="code", effect="idempotent", block=block, within=within, result=result)

    return make


async def test_parameters_come_by_name_with_their_types(verb: RemoteVerb, coded: MakeCall) -> None:
    source = "return [a + a, str(b), when.year, [type(x).__name__ for x in (a, b, when, none)]]"
    at = datetime(2026, 1, 2, tzinfo=UTC)
    result = await verb.perform(coded(source, a=1, b=Decimal("1.10"), when=at, none=None))

    assert result == [2, "1.10", 2026, ["int", "Decimal", "datetime", "NoneType"]]


async def test_records_come_as_dicts_with_none_for_what_is_absent(verb: RemoteVerb, coded: MakeCall) -> None:
    result = await verb.perform(
        coded("return [dict, person]", dict={"inner": [Person("b")]}, person=Person("a", "Ana"))
    )

    absent = {"phone": None, "email": None, "tags": None, "opt_out": None, "via": None}
    assert result == [{"inner": [{"id": "b", "name": None, **absent}]}, {"id": "a", "name": "Ana", **absent}]


async def test_numbers_of_an_untyped_result_are_exact(verb: RemoteVerb, coded: MakeCall) -> None:
    assert await verb.perform(coded("return {'a': x / 3}", x=Decimal(1))) == {"a": Decimal("0." + "3" * 28)}


async def test_what_is_printed_goes_to_the_run(verb: RemoteVerb, coded: MakeCall, logged: list[str]) -> None:
    await verb.perform(coded("print('hello')"))

    assert "".join(logged) == "hello\n"


async def test_a_typed_result_is_read_as_its_type(verb: RemoteVerb, coded: MakeCall) -> None:
    kind = shapes.record("R", shapes.field("score", shapes.integer)).kind()
    result = await verb.perform(coded("return {'score': 7}", result=shapes.reader(kind)))

    assert result.score == 7


async def test_a_result_that_does_not_fit_names_the_place(verb: RemoteVerb, coded: MakeCall) -> None:
    kind = shapes.record("R", shapes.field("score", shapes.integer), shapes.field("ok", shapes.boolean)).kind()
    with pytest.raises(StepFailure) as failed:
        await verb.perform(coded("return {'score': 'hush'}", result=shapes.reader(kind)))

    assert str(failed.value) == (
        "code_result: what the code returned does not fit: at /score int is expected, not text; "
        "at /ok bool is expected, not nothing"
    )


async def test_the_code_has_the_time_that_the_step_has(verb: RemoteVerb, coded: MakeCall) -> None:
    with pytest.raises(StepFailure, match=r"^code_timeout: the code ran for longer than 0\.2 s$"):
        await verb.perform(coded("while True: pass", within=200))


async def test_an_exception_of_the_code_is_a_failure(verb: RemoteVerb, coded: MakeCall) -> None:
    with pytest.raises(StepFailure, match=r"^code_failed: ZeroDivisionError"):
        await verb.perform(coded("return 1 / 0"))
