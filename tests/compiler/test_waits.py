"""What is read behind a durable wait is told by name, whatever way leads there."""

import pytest

from compiler.check import Environment
from compiler.pipeline import compile_folder
from compiler.waits import Waiting, waits
from dsl import Source
from runtime.steps import catalog

HEAD = "on webhook {telefone: phone, nome: text?, id: text, xs: [text]}\n"


def waiting(steps: str) -> list[Waiting]:
    """The waits of a flow with these steps."""
    folder = compile_folder([Source("a.seta", HEAD + steps)], Environment(catalog(), frozenset({"erp"})))
    assert not folder.broken, folder.diagnostics
    return waits(folder.flows[0])


def needs(steps: str) -> list[tuple[str, ...]]:
    """What each wait of a flow with these steps needs."""
    return [one.needs for one in waiting(steps)]


def test_a_wait_needs_what_is_read_later_and_nothing_else() -> None:
    steps = '-> upsert person by telefone with {nome} -> log id -> wait 2d -> send hsm "x" to person with {id}'
    assert waiting(steps) == [Waiting("wait", ("payload.id", "person"), ("person",))]


def test_personal_fields_of_the_payload_are_told() -> None:
    assert waiting("-> wait 2d -> log telefone") == [Waiting("wait", ("payload.telefone",), ("payload.telefone",))]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("-> wait 1h", [()]),
        ("-> a = id -> wait 1h -> a = 2 -> log a", [()]),  # the first one is not read
        ("-> a = id -> wait 1h -> if nome == none { -> log a } else { -> stop }", [("a", "payload.nome")]),
        ("-> if nome == none { -> wait 1h -> stop } -> log id", [()]),
        ("-> if nome == none { -> wait 1h } -> log id", [("payload.id",)]),
        ('-> wait 1h -> get "https://x.example" as r else { -> log id -> stop } -> log r.a', [("payload.id",)]),
        ("-> wait for pago by id within 2h as p: {v: int} else { -> log id -> stop } -> log p.v", [("payload.id",)]),
        ("-> wait until run.at -> wait 1h -> log id", [("payload.id",), ("payload.id",)]),
        ("-> for x in xs { -> wait 1h -> log x }", [("payload.xs", "x")]),
        ("-> for x in xs { -> log x -> wait 1h } -> log id", [("payload.id", "payload.xs")]),
        ("-> wait 1h -> log [x for x in xs]", [("payload.xs",)]),
        ("-> wait 1h -> log telefone on error -> log id", [("payload.id", "payload.telefone")]),
        ("-> wait 1h on error -> log error.message", [()]),
    ],
)
def test_paths_loops_and_failures_count(steps: str, expected: list[tuple[str, ...]]) -> None:
    assert needs(steps) == expected


def test_a_wait_in_a_branch_keeps_what_the_others_read_and_have_bound() -> None:
    steps = '-> parallel { a { -> wait 1h -> x = id } b { -> y = nome ?? id } } -> log "{x}{y}"'
    assert needs(steps) == [("payload.id", "payload.nome", "y")]
