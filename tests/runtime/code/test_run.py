"""What a block gets, gives, prints and how it fails."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from runtime.code import CodePool
from runtime.failures import Kind, StepFailure

Run = Callable[..., Awaitable[bytes]]


async def failure(call: Awaitable[bytes]) -> StepFailure:
    with pytest.raises(StepFailure) as caught:
        await call
    return caught.value


async def test_a_block_gets_its_arguments_and_gives_json(run: Run) -> None:
    source = "return {'total': sum(i['price'] for i in items), 'to': name.upper()}"
    result = await run(source, items=[{"price": 2}, {"price": 3}], name="ana")
    assert json.loads(result) == {"total": 5, "to": "ANA"}


async def test_arguments_keep_their_types(run: Run) -> None:
    args = {"d": Decimal("1.10"), "t": datetime(2026, 1, 2, tzinfo=UTC), "day": date(2026, 1, 2)}
    source = "return [type(x).__name__ for x in (d, t, day, n, yes, text)]"
    result = await run(source, **args, n=None, yes=True, text="é")
    assert json.loads(result) == ["Decimal", "datetime", "date", "NoneType", "bool", "str"]


@pytest.mark.parametrize("digits", ["1.10", "0.1234567890123456789012345678", "1E+20", "-7"])
async def test_a_decimal_comes_back_exact(run: Run, digits: str) -> None:
    result = await run("return d * 1", d=Decimal(digits))
    assert msgspec.json.decode(result, type=Decimal) == Decimal(digits)
    assert str(msgspec.json.decode(result, type=Decimal)) == digits


async def test_a_block_without_return_gives_null(run: Run) -> None:
    assert await run("x = 1") == b"null"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("object()", "Encoding objects of type object is unsupported"),
        ("(x for x in [])", "Encoding objects of type generator is unsupported"),
        ("{'a': [1.0, float('nan')]}", "nan is not a number there"),
        ("float('-inf')", "-inf is not a number there"),
        ("__import__('decimal').Decimal('NaN')", "NaN is not a number there"),
    ],
)
async def test_a_value_that_json_cannot_hold_is_a_failure(run: Run, value: str, reason: str) -> None:
    failed = await failure(run(f"return {value}"))
    assert str(failed) == f"code_result: the result does not fit into JSON: {reason}"
    assert failed.kind is Kind.PERMANENT


@pytest.mark.parametrize("value", ["None", "[None, 'NaN', 1.5]", "{1: None}"])
async def test_a_null_is_not_taken_for_a_number(run: Run, value: str) -> None:
    await run(f"return {value}")


async def test_a_list_that_holds_itself_is_a_failure(run: Run) -> None:
    assert (await failure(run("x = []; x.append(x); return x"))).code == "code_result"


async def test_a_result_over_the_limit_is_a_failure(run: Run) -> None:
    failed = await failure(run("return 'a' * (16 * 1024 * 1024)"))
    assert str(failed) == "code_result: the result has 16,777,218 bytes, over 16 MiB"


async def test_an_exception_is_a_failure_with_the_flows_line(run: Run, printed: list[str]) -> None:
    source = "total = 0\nfor price in prices:\n    total += int(price)"
    failed = await failure(run(source, prices=["1", "x"]))
    message = "ValueError: invalid literal for int() with base 10: 'x'  (flows/erp.seta:14)"
    assert str(failed) == f"code_failed: {message}"
    assert failed.kind is Kind.PERMANENT
    assert "".join(printed).replace("~", "^") == (  # 3.13 marks the call's name otherwise
        "Traceback (most recent call last):\n"
        '  File "flows/erp.seta", line 14, in code\n'
        "    total += int(price)\n"
        "             ^^^^^^^^^^\n"
        "ValueError: invalid literal for int() with base 10: 'x'\n"
    )


async def test_a_long_traceback_is_told_from_its_end(run: Run, printed: list[str]) -> None:
    with pytest.raises(StepFailure):
        await run("raise ValueError('x' * 40_000 + ' the end')")

    assert (len(printed[0]), printed[0][-9:]) == (16_000, " the end\n")


async def test_an_exception_in_a_library_is_said_at_the_blocks_own_line(run: Run) -> None:
    failed = await failure(run("import json\n\ndef read(x):\n    return json.loads(x)\nread('{')"))
    assert failed.message.endswith("(flows/erp.seta:15)")


async def test_sys_exit_is_a_failure_and_not_the_workers_end(run: Run) -> None:
    before = await run("import os; return os.getpid()")
    failed = await failure(run("raise SystemExit(3)"))
    assert failed.message == "SystemExit: 3  (flows/erp.seta:12)"
    assert await run("import os; return os.getpid()") == before


async def test_an_exception_that_cannot_be_printed_is_still_a_failure(run: Run) -> None:
    source = "class Odd(Exception):\n    def __str__(self):\n        return 1\nraise Odd"
    assert (await failure(run(source))).message == "Odd  (flows/erp.seta:15)"


async def test_what_is_printed_is_forwarded_before_the_end(run: Run, printed: list[str]) -> None:
    await run("import sys\nprint('olá')\nprint('erro', file=sys.stderr)\nprint('fim', end='')")
    assert "".join(printed) == "olá\nerro\nfim"


async def test_output_of_a_child_process_is_forwarded(run: Run, printed: list[str]) -> None:
    await run("import os; os.system('echo child')")
    assert "".join(printed) == "child\n"


async def test_output_is_cut_at_its_limit_and_the_next_call_starts_anew(run: Run, printed: list[str]) -> None:
    assert await run("for _ in range(1000): print('x' * 999)\nreturn 1") == b"1"
    text = "".join(printed)
    assert text[65_536:] == "\n[output cut at 64 KiB]\n"
    printed.clear()
    await run("print('again')")
    assert printed == ["again\n"]


async def test_what_a_block_left_behind_prints_is_not_the_next_one_s(
    run: Run, printed: list[str], tmp_path: Path
) -> None:
    source = """
    import os, threading, time
    def late():
        time.sleep(0.1)
        os.write(1, b"late")
        open(done, "w").close()
    threading.Thread(target=late).start()
    """
    await run(source, done=str(tmp_path / "done"))
    async with asyncio.timeout(5):
        while not (tmp_path / "done").exists():  # a thread of another process tells
            await asyncio.sleep(0.01)
    await run("print('mine')")

    assert printed == ["mine\n"]


async def test_streams_that_a_block_has_replaced_or_closed_come_back(run: Run, printed: list[str]) -> None:
    await run("import io, sys\nsys.stdout.close()\nsys.stdout = io.StringIO()")
    await run("print('again')")
    assert printed == ["again\n"]


@pytest.mark.parametrize(
    "source",
    ["os.close(1)\nos.close(2)", "os.closerange(0, 3)", "null = os.open(os.devnull, os.O_WRONLY)\nos.dup2(null, 1)"],
)
async def test_what_a_block_does_to_its_descriptors_is_undone(run: Run, printed: list[str], source: str) -> None:
    assert await run(f"import os\n{source}\nreturn 1") == b"1"
    printed.clear()
    assert await run("import sys\nprint('again')\nprint('erro', file=sys.stderr)\nreturn 2") == b"2"
    assert "".join(printed) == "again\nerro\n"


async def test_a_global_does_not_reach_the_next_call(run: Run) -> None:
    await run("global seen\nseen = 1")
    assert (await failure(run("return seen"))).message.startswith("NameError: ")


async def test_a_block_imports_the_folders_own_python(run: Run, modules: Path) -> None:
    assert await run("from prices import double\nreturn double(price=p)", p=4) == b"8"
    assert not (modules / "__pycache__").exists()  # brief


async def test_renew_makes_blocks_see_changed_modules(pool: CodePool, run: Run, modules: Path) -> None:
    await run("import prices")
    (modules / "prices.py").write_text("def double(price):\n    return 0\n")
    pool.renew()
    assert await run("import prices; return prices.double(4)") == b"0"
