"""Folders made to hurt the checker: each ends in diagnostics, soon, and no more of them than a person reads."""

import pytest

from compiler.check import Environment
from compiler.pipeline import check_folder
from dsl import Diagnostic, Source
from runtime.steps import catalog
from tests.dsl.test_hostile import soon

N = 1000
CATALOG = catalog()


def steps(*written: str) -> str:
    return "on webhook {x: int, b: bool, t: text}" + "".join(f"\n  -> {step}" for step in written)


PROGRAMS = {
    "a verb that is unknown at every step": (steps(*["a"] * 2 * N), "E204"),
    "a name that is unknown at every step, among a thousand": (
        steps(*(f"v{n}aaaa = x" for n in range(N)), *(f"log q{n}zzzz" for n in range(N))),
        "E201",
    ),
    "a function that is unknown at every step": (steps(*(f"v{n} = uper(t)" for n in range(N))), "E203"),
    "fields without end that are inferred": (
        "on webhook" + "".join(f"\n -> upsert person by n{n}" for n in range(N)),
        "E105",
    ),
    "fields so alike that each could be a slip": (
        "on webhook" + "".join(f"\n -> format_phone(telefone{n})" for n in range(N)),
        "E202",
    ),
    "defs in a chain": ("".join(f"def f{n + 1}(a: int): int = f{n}(a)\n" for n in range(N)), "E105"),
    "defs that double what they call": (
        "def f0(a: int): int = a\n"
        + "".join(f"def f{n + 1}(a: int): int = f{n}(a) + f{n}(a)\n" for n in range(40))
        + steps("y = f40(x) else { -> y = 1 }", "log y"),
        "E105",
    ),
    "defs in a ring": ("".join(f"def f{n}(a: int): int = f{(n + 1) % N}(a)\n" for n in range(N)), "E222"),
    "types in a chain": ("type t0 = int\n" + "".join(f"type t{n + 1} = {{a: t{n}}}\n" for n in range(N)), "E105"),
    "types that double what they hold": (
        "type t0 = int\n"
        + "".join(f"type t{n + 1} = {{a: t{n}, b: pii t{n}}}\n" for n in range(40))
        + "on webhook {x: t40} -> log x",
        "E105",
    ),
    "types in a ring": ("".join(f"type t{n} = [t{(n + 1) % N}]\n" for n in range(N)), "E221"),
    "flows of one name": ("flow f\non webhook -> log 1\n" * N, "E208"),
    "tests of flows that are not there": (
        "flow a on webhook {n: int} -> log n\n"
        + "".join(f'test "t{n}" for b{n} {{ given {{n: 1}} }}\n' for n in range(N)),
        "E291",
    ),
    "names that paths bind, without end": (steps(*(f"if b {{ -> v{n} = 1 }}" for n in range(N)), "log y"), "E201"),
    "names that branches bind, without end": (
        steps("parallel {" + "".join(f" a{n} {{ -> v{n} = 1 }}" for n in range(N)) + "}", "log y"),
        "E201",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_folder_ends_in_diagnostics_soon(name: str) -> None:
    text, code = PROGRAMS[name]

    def checked() -> tuple[Diagnostic, ...]:
        return check_folder([Source("a.seta", text)], Environment(CATALOG)).diagnostics

    assert code in {found.code for found in soon(checked)}


def test_flow_with_very_many_problems_is_not_checked_to_its_end() -> None:
    found = check_folder([Source("a.seta", PROGRAMS["a verb that is unknown at every step"][0])], Environment(CATALOG))
    told = [(d.code, d.message) for d in found.diagnostics]
    assert len(told) == 1001
    assert told[-1] == ("E110", "after 1,000 problems the rest is not checked")


def test_def_that_comes_to_too_much_is_named_once_and_its_users_are_not() -> None:
    text, _ = PROGRAMS["defs that double what they call"]
    found = check_folder([Source("a.seta", text)], Environment(CATALOG)).diagnostics
    assert [(d.code, d.message) for d in found] == [("E105", "`f9` comes to too much with all that it names")]
