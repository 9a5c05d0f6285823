"""The reference itself does what docs/language.md says: small flows with the trace that a reader of it expects."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.compiler.reference.plan import interpret
from tests.compiler.reference.trace import Delivery, Refusal
from tests.compiler.test_generated import compiled, versions


def trace(text: str, body: object = None, answers: Mapping[str, Any] | None = None) -> list[str]:
    """The trace of a flow whose effects give what `answers` says, or null; the generated Python gives the same."""
    given = answers or {}

    def script(step: str, _: object) -> bytes | Refusal:
        answer = given.get(step)
        return answer if isinstance(answer, Refusal) else json.dumps(answer).encode()

    (flow,) = compiled(text)
    delivery = Delivery(json.dumps(body or {}).encode(), script, {"x-id": "7"}, {}, {"erp": "http://erp.example"})
    versions(flow).agree(delivery)
    return interpret(flow.plan, delivery)


def value(expr: str, payload: str = "{}", body: object = None) -> str:
    """What an expression gives, or how it fails."""
    first = trace(f"on webhook {payload} -> log {expr}", body)[0]
    return first.removeprefix("log log ")


BIGGEST = 2**63 - 1
ZERO = f"0.{'0' * 28}"


@pytest.mark.parametrize(
    ("expr", "gives"),
    [
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
        ("-7.5 % 2", "Decimal('-1.5')"),
        ("-6.0 % 3", "Decimal('0.0')"),
        ("0 * -1.5", "Decimal('0.0')"),
        (f"{ZERO} * {ZERO}", "Decimal('0E-28')"),
        (f"{ZERO} / 7", "Decimal('0E-28')"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("- 9223372036854775808 + 1", "-9223372036854775807"),
        ("--9223372036854775808", "failed log 'overflow', 'overflow'"),
        ("-9223372036854775808 - 1", "failed log 'overflow', 'overflow'"),
        ("7 / 2", "Decimal('3.5')"),
        ("2 / 3", "Decimal('0.6666666666666666666666666667')"),
        ("1 / 30", "Decimal('0.0333333333333333333333333333')"),
        ("0.1 + 0.2", "Decimal('0.3')"),
        ("1 + 0.50", "Decimal('1.50')"),
        ("123456789012345678901234567.4 + 0.05", "Decimal('123456789012345678901234567.4')"),
        ("123456789012345678901234567.3 + 0.05", "Decimal('123456789012345678901234567.4')"),
        (f"{BIGGEST} + 1", "failed log 'overflow', 'overflow'"),
        (f"-{BIGGEST} - 2", "failed log 'overflow', 'overflow'"),
        (f"{BIGGEST} * 2", "failed log 'overflow', 'overflow'"),
        (f"{BIGGEST} * 1.0 + 1", "Decimal('9223372036854775808.0')"),
        ("1 / 0", "failed log 'division_by_zero', 'division_by_zero'"),
        ("1 % 0", "failed log 'division_by_zero', 'division_by_zero'"),
        ("1.5 / 0.00", "failed log 'division_by_zero', 'division_by_zero'"),
        ("1d == 24h", "True"),
        ("90s + 1m", "datetime.timedelta(seconds=150)"),
        ("2 * 3h", "datetime.timedelta(seconds=21600)"),
        ("1 == 1.0", "True"),
        ("1 < 1.5 and not (2 <= 1.5)", "True"),
        ("[1, 2] == [1, 2]", "True"),
        ("{a: 1, b: [2]} == {a: 1, b: [2]}", "True"),
        ("{a: 1} in [{a: 2}, {a: 1}]", "True"),
        ("2 in [1, 3]", "False"),
        ("[x * 2 for x in [1, 2, 3] if x != 2]", "[2, 6]"),
        ("[1, 2][2] ?? 9", "9"),
        ('"a" + "b"', "'ab'"),
        ('"{{{run.id}}}\\n"', "'{r1}\\n'"),
        ('headers["X-ID"]', "'7'"),
        ("query.q", "None"),
        ("true or 1 / 0 == 1", "True"),
        ("false and 1 / 0 == 1", "False"),
    ],
)
def test_operators(expr: str, gives: str) -> None:
    assert value(expr) == gives


@pytest.mark.parametrize(
    ("expr", "gives"),
    [
        ("t + 24h - t", "datetime.timedelta(days=1)"),
        ("d + 2d", "datetime.date(2024, 3, 1)"),
        ("d + 1h", "failed log 'not_whole_days', 'not_whole_days'"),
        ("d - d", "datetime.timedelta(0)"),
        ("t > t - 1s", "True"),
        ("t + 30000d * 100", "failed log 'overflow', 'overflow'"),
        ("t", "datetime.datetime(2024, 2, 28, 15, 0, tzinfo=datetime.timezone.utc)"),
        ('"{n} {m}"', "'0.10 3'"),
        ("n + m", "Decimal('3.10')"),
        ("a ?? 1 % 0", "failed log 'division_by_zero', 'division_by_zero'"),
        ("m ?? 1", "3"),
        ("{a, m}", "{'m': 3}"),
        ("r", "{'k-k': 1}"),
        ("r.k", "1"),
        ("r.class", "None"),
        ("o.x ?? 5", "5"),
        ("payload.m", "3"),
        ("j.a.b", "None"),
        ("j.a[0]", "Decimal('1.5')"),
        ('j["a b"]', "None"),
    ],
)
def test_values_of_a_payload(expr: str, gives: str) -> None:
    payload = """{
        t: datetime, d: date, n: decimal, m: int, a: int?, o: {x: int}?, j: json,
        r: {"k-k" as k: int, class: text?}
    }"""
    body = {"t": "2024-02-28T12:00:00-03:00", "d": "2024-02-28", "n": "0.10", "m": 3, "r": {"k-k": 1}}
    assert value(expr, payload, {**body, "j": {"a": [1.5]}}) == gives


def test_defaults_stand_for_null_and_empty_text_is_absence_unless_the_type_is_text() -> None:
    text = 'on webhook {n: int = 4, t: text = "x", e: email?} -> log {n, t, e}'
    assert trace(text, {"n": None, "t": "", "e": ""}) == ["log log {'n': 4, 't': ''}", "end"]


def test_a_failed_step_runs_its_else_with_the_failure_in_scope_and_a_failure_there_goes_to_the_handler() -> None:
    text = """
    on webhook
      -> get "https://a.example/x" as r else { -> log "{error.step} {error.code} {error.message}" -> fail "enough" }
      -> log "never"
    on error
      -> log error
      -> x = 1 / 0
    """
    assert trace(text, answers={"get_r": Refusal("http_500", "no luck")}) == [
        "step get_r 'get', 'idempotent', ['https://a.example/x'], [None]",
        "log get_r/else/log 'get_r http_500 no luck'",
        "failed get_r/else/fail 'failed', 'enough'",
        "log on_error/log {'attempt': 1, 'code': 'failed', 'message': 'enough', 'step': 'get_r/else/fail'}",
        "dead on_error/x 'division_by_zero', 'division_by_zero'",
    ]


def test_a_handler_that_stops_settles_the_run() -> None:
    assert trace('on webhook -> fail "no" on error -> stop') == ["failed fail 'failed', 'no'", "settled"]


def test_a_failure_in_a_condition_or_a_subject_is_that_of_its_step() -> None:
    assert trace("on webhook -> if 1 / 0 > 1 { -> log 1 }")[-1].startswith("failed if 'division_by_zero'")
    assert trace("on webhook -> match 1 % 0 { 1 => { } else => { -> log 1 } }")[-1].startswith("failed match '")
    assert trace("on webhook -> for x in [1 % 0] { -> log x }")[-1].startswith("failed for 'division_by_zero'")


def test_all_branches_of_parallel_finish_and_the_first_failure_in_text_order_counts() -> None:
    text = """
    on webhook {n: int}
      -> parallel {
           a { -> log 1 -> if n > 0 { -> fail "a" } }
           b { -> if n > 0 { -> fail "b" } }
           c { -> log 3 }
         }
      -> log 4
    """
    assert trace(text, {"n": 1}) == [
        "parallel 0 | log parallel/a/log 1",
        "parallel 2 | log parallel/c/log 3",
        "failed parallel/a/if/fail 'failed', 'a'",
    ]


def test_what_branches_bind_stays_visible() -> None:
    text = """
    on webhook {n: int}
      -> parallel {
           a { -> if n > 0 { -> x = n + 1 } else { -> fail "n" } }
           b { -> get "https://b.example/x" as y else { -> fail "y" } }
           c { -> match n { 1 => { -> z = "one" } else => { -> z = "more" } } }
         }
      -> log {x, y, z}
    """
    assert trace(text, {"n": 1}, {"parallel/b/get_y": True})[-2:] == ["log log {'x': 2, 'y': True, 'z': 'one'}", "end"]


def test_what_all_arms_of_a_match_bind_leaves_a_branch() -> None:
    text = """
    on webhook {o: "x" | "y"}
      -> parallel { a { -> match o { "x" => { -> k = 1 } "y" => { -> k = 2 } } } }
      -> log k
    """
    assert trace(text, {"o": "y"}) == ["log log 2", "end"]


def test_a_zero_stays_within_the_places_of_a_decimal() -> None:
    text = 'on webhook {n: decimal} -> z = n * n -> log "{z}"'
    assert trace(text, {"n": "0.000000000000000"}) == [f"log log '0.{'0' * 28}'", "end"]
    assert trace(text, {"n": "0e28"}) == ["log log '0'", "end"]


def test_steps_of_a_loop_carry_the_index_and_the_first_failure_ends_it() -> None:
    text = """
    on webhook {xs: [[int]]}
      -> for x in xs {
           -> for y in x max 2 { -> log y }
           -> post "https://e.example/x"
         }
    """
    answers = {"for/post[0]": 1, "for/post[1]": Refusal("http_400", "bad")}
    assert trace(text, {"xs": [[5], [6, 7], [8]]}, answers) == [
        "for for 3, 1000, 1",
        "for for/for[0] 1, 2, 1",
        "log for/for/log[0][0] 5",
        "step for/post[0] 'post', 'keyed', ['https://e.example/x'], [None]",
        "for for/for[1] 2, 2, 1",
        "log for/for/log[1][0] 6",
        "log for/for/log[1][1] 7",
        "step for/post[1] 'post', 'keyed', ['https://e.example/x'], [None]",
        "failed for/post[1] 'http_400', 'bad'",
    ]


def test_more_items_than_max_fail_before_the_first() -> None:
    text = "on webhook {xs: [int]} -> for x in xs max 2 parallel 4 { -> log x }"
    assert trace(text, {"xs": [1, 2, 3]}) == ["for for 3, 2, 4", "failed for 'too_many', 'too_many'"]


def test_find_runs_its_else_only_when_nothing_is_found() -> None:
    text = """
    on webhook {t: phone}
      -> find person by t as p else { -> log "nobody" -> stop }
      -> log p.nome
    """
    body = {"t": "+5511987654321"}
    found, nothing, broken = {"id": "p", "name": None}, None, Refusal("db", "x")
    assert trace(text, body, {"find_person_p": found})[1:] == ["log log None", "end"]
    assert trace(text, body, {"find_person_p": nothing})[1:] == ["log find_person_p/else/log 'nobody'", "stop"]
    assert trace(text, body, {"find_person_p": broken})[1:] == ["failed find_person_p 'db', 'x'"]


def test_waits_are_told_with_their_ends_and_events_with_their_keys() -> None:
    text = """
    on webhook {d: date, n: decimal}
      -> wait 90s
      -> wait until d
      -> wait for pago by n within 2h as p: {v: decimal} else { -> log error.code -> stop }
      -> emit pago by "k" with {v: p.v}
    """
    waits = [
        "sleep wait 90000",
        "sleep until wait_until datetime.datetime(2024, 2, 28, 3, 0, tzinfo=datetime.timezone.utc)",
        "wait for wait_for_pago 'pago', '0.10', 7200000",
    ]
    body = {"d": "2024-02-28", "n": "0.10"}
    late = Refusal("timeout", "nothing came")
    assert trace(text, body, {"wait_for_pago": {"v": 2.5}}) == [
        *waits,
        "emit emit_pago 'pago', 'k', {'v': Decimal('2.5')}",
        "end",
    ]
    assert trace(text, body, {"wait_for_pago": late}) == [*waits, "log wait_for_pago/else/log 'timeout'", "stop"]


def test_the_key_and_the_answer_of_a_delivery_are_told_before_the_run() -> None:
    text = 'on webhook dedupe by headers["x-id"] for 1h answer 202 with {run: run.id} -> log 1'
    assert trace(text) == ["dedupe  '7', 3600000", "answer  202, {'run': 'r1'}", "log log 1", "end"]
