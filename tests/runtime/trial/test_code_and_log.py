"""Tests of flows that mock code and expect lines of the log."""

from pathlib import Path

from tests.runtime.trial.conftest import outcomes

ERP = """\
flow erp
on webhook dedupe by id for 1h {id: text, valor: decimal}
  -> code(valor): {score: int} ```python
     raise RuntimeError("the code has run")
     ``` as s
  -> log "pedido {id} com {s.score}"
  -> log {id, score: s.score}

"""


async def test_mock_stands_for_code_and_each_line_meets_one_expectation(folder: Path) -> None:
    found = await outcomes(
        folder,
        ERP
        + """
test "mocked" for erp {
  given {id: "A-1", valor: 10}
  given {id: "A-1", valor: 10}
  mock code s = {score: 7}
  expect log "pedido A-1 com {score}"
  expect log with {score: 7}
  expect not log
}

test "fails as it is mocked" for erp {
  given {id: "A-1", valor: 10}
  mock code = fail("code_timeout")
  expect fail "code_timeout"
  expect not log
}

test "runs where it is not mocked" for erp {
  given {id: "A-1", valor: 10}
  expect fail "code_failed"
}
""",
    )
    assert found.failed == []


async def test_lines_that_are_there_are_told_where_one_is_missing(folder: Path) -> None:
    found = await outcomes(
        folder,
        ERP
        + """
test "wrong" for erp {
  given {id: "A-1", valor: 10}
  mock code s = {score: 7}
  expect log "pedido A-2"
  expect log with {score: 8}
  expect not log "pedido A-1 com 7"
}
""",
    )
    lines = found.told("wrong").splitlines()
    assert [line for line in lines if line.startswith(("error", "   = logged"))] == [
        'error: `log "pedido A-2"` was not logged',
        '   = logged: log "pedido A-1 com 7"',
        '   = logged: log {id: "A-1", score: 7}',
        "error: `log` was logged, but otherwise",
        '   = logged: with is "pedido A-1 com 7", expected {score: 8}',
        "   = logged: with.score is 7, expected 8",
        'error: `log "pedido A-1 com 7"` was logged',
        '   = logged: log "pedido A-1 com 7"',
    ]


async def test_duration_is_the_same_in_what_code_gives_what_a_service_gives_and_an_event(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow avisa
on webhook {id: text, prazo: duration}
  -> emit aviso by id with {prazo}

flow prazos
on webhook {id: text}
  -> code(): {escrito: duration, contado: duration} ```python
     from datetime import timedelta
     return {"escrito": "90m", "contado": timedelta(minutes=90)}
     ``` as c
  -> get "https://erp.example/prazo" as r: {prazo: duration}
  -> wait for aviso by id within 1h as aviso: {prazo: duration}
  -> log {iguais: c.escrito == c.contado and r.prazo == c.contado and aviso.prazo == c.contado}

test "one and a half hours" for prazos {
  given {id: "1"}
  mock get "https://erp.example/prazo" = {prazo: 90m}
  given avisa {id: "1", prazo: 90m}
  expect log with {iguais: true}
}
""",
    )
    assert found.failed == []
