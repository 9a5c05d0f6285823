"""What a reviewer is shown of a flow: a long form that means the same, all steps, trees without places."""

import re
from pathlib import Path

import pytest

import runtime.code
from compiler import ir
from compiler.catalog import CODE_FAILURES
from compiler.explain import caller, long_form, step_lines, tree
from compiler.pipeline import Compiled, compile_folder, used_entries
from dsl import Source, nodes, parse
from runtime.steps import code
from tests.compiler.environment import ENVIRONMENT
from tests.compiler.test_generated import FLOWS, compiled

ONE_LINE = 'on webhook -> format_phone(telefone) -> upsert person -> send hsm "retomada"'


def declared(source: Source) -> str:
    """The types and defs of a file."""
    parsed = parse(source)
    assert parsed.file is not None
    items = (item for item in parsed.file.items if isinstance(item, nodes.TypeDef | nodes.Def))
    return "\n".join(source.slice(item.span) for item in items)


def again(flow: Compiled) -> Compiled:
    """A flow compiled from its long form."""
    others = "\n".join({declared(source): None for source in (flow.source, *flow.declaring)})
    folder = compile_folder([Source("long.seta", long_form(flow)), Source("declared.seta", others)], ENVIRONMENT)
    return next(found for found in folder.flows if found.name == flow.name)


@pytest.mark.parametrize("name", FLOWS)
def test_the_long_form_means_the_same_and_leaves_nothing_to_fill_in(name: str) -> None:
    flow = FLOWS[name].flow
    longer = again(flow)
    assert longer.fills == ()
    assert ir.canonical(longer.plan.ops) == ir.canonical(flow.plan.ops)
    assert (longer.hash == flow.hash) is not bool(flow.expanded.lenient)  # what only `upsert` infers rejects nothing
    assert long_form(again(longer)) == long_form(longer)


def test_the_long_form_of_one_line() -> None:
    (flow,) = compiled(ONE_LINE, "retomada.seta")
    assert long_form(flow).splitlines() == [
        "flow retomada",
        "on webhook {telefone: scalar, nome: text?, nome_completo: text?, name: text?, email: email?, e_mail: email?}",
        "  -> telefone = format_phone(telefone)",
        "  -> upsert person by telefone with {name: nome ?? nome_completo ?? name, email: email ?? e_mail} as person",
        '  -> send hsm "retomada" to person',
    ]


@pytest.mark.parametrize("name", FLOWS)
def test_every_step_of_a_plan_has_one_line_in_text_order(name: str) -> None:
    flow = FLOWS[name].flow
    lines = step_lines(flow, ENVIRONMENT.catalog)
    assert [line.id for line in lines] == [op.step for op in ir.all_steps(flow.plan)]
    assert len({line.id for line in lines}) == len(lines)
    assert all(line.kind and line.does and "\n" not in line.does for line in lines)


@pytest.mark.parametrize("name", FLOWS)
def test_trees_show_no_places_and_are_the_same_wherever_the_flow_stands(name: str) -> None:
    flow = FLOWS[name].flow
    source = Source(flow.source.path, "\n\n" + flow.source.text)
    (moved,) = (each for each in compile_folder([source], ENVIRONMENT).flows if each.name == flow.name)
    for here, there in ((flow.expanded.flow, moved.expanded.flow), (flow.plan, moved.plan)):
        assert tree(here) == tree(there)
        assert not re.search(r"\bSpan\(", tree(here))


def test_what_comes_of_a_failure_is_told_by_step() -> None:
    (flow,) = compiled("""
        on webhook {t: text}
          -> get "https://a.example/x" else { -> post "https://b.example/x" }
          -> put "https://a.example/x" retry 1 every 1s..2s
        on error
          -> delete "https://a.example/x"
    """)
    assert {line.id: line.failure for line in step_lines(flow, ENVIRONMENT.catalog)} == {
        "get": "whatever may pass is repeated: 5 tries, 1s..5m; then its `else`",
        "get/else/post": "repeated only if surely not done: 5 tries, 1s..5m; a lost answer: `on error`",
        "put": "whatever may pass is repeated: 2 tries, 1s..2s; then `on error`",
        "on_error/delete": "whatever may pass is repeated: 5 tries, 1s..5m; then dead letter",
    }


@pytest.mark.parametrize(
    ("trigger", "who"),
    [
        ("webhook", "whoever knows its address, which nobody can guess"),
        ('webhook "/a" open', "anybody"),
        (
            'webhook "/a" signed github(secret.NEW, secret.OLD)',
            "who sends HMAC-SHA256 of the body in X-Hub-Signature-256, with secret.NEW, secret.OLD",
        ),
        ('webhook token header "X-Token" (secret.T)', "who sends a token in X-Token, with secret.T"),
        (
            'webhook "/a" basic(secret.USER, secret.PASSWORD)',
            "who sends user and password in Authorization, with secret.USER, secret.PASSWORD",
        ),
    ],
)
def test_reviewer_is_told_who_may_call(trigger: str, who: str) -> None:
    folder = compile_folder([Source("a.seta", f"flow a\non {trigger} {{n: int}}\n  -> log n\n")], ENVIRONMENT)
    assert [caller(flow, ENVIRONMENT.catalog) for flow in folder.flows] == [who]


def test_plan_keeps_the_names_of_secrets_and_what_its_scheme_is() -> None:
    signed = 'flow a\non webhook "/a" signed stripe(secret.K, tolerance: 1m) {n: int}\n  -> log n\n'
    [one] = compile_folder([Source("a.seta", signed)], ENVIRONMENT).flows
    assert one.plan.guard == ir.Guard("stripe", (("secret", "K"),), (("tolerance", 60_000),))
    assert one.plan.secrets == ("K",)
    stripe = ENVIRONMENT.catalog.schemes["stripe"]
    assert used_entries(one, ENVIRONMENT.catalog) == [stripe]
    [other] = compile_folder([Source("a.seta", signed.replace("1m", "2m"))], ENVIRONMENT).flows
    assert one.hash != other.hash


def test_every_point_that_may_fail_is_told_with_its_codes() -> None:
    (flow,) = compiled("""
        def parte(n: int, de: int): decimal = n / de
        on webhook {n: int, d: decimal, xs: [int], dia: date, quando: datetime, t: text, b: bool}
          -> certo = t + "x"
          -> parcela = parte(n, n) else { -> stop }
          -> metade = n / 2
          -> log n % n
          -> if n + 1 > 2 or b { -> stop n * n }
          -> match n - 1 { 1 => { -> log "um" } else => { } }
          -> match -d { 1 => { } else => { -> log -n } }
          -> for x in xs { -> emit pago by x + 1 with {dia: dia + 1d, outro: dia + 1h} }
          -> for x in [1, 2] { -> log x }
          -> parallel { a { -> y = d * d } b { -> fail "{n}" } }
    """)
    assert {line.id: line.failure for line in step_lines(flow, ENVIRONMENT.catalog)} == {
        "certo": "",
        "parte_parcela": "may fail (division_by_zero): its `else`",
        "parte_parcela/else/stop": "",
        "metade": "",
        "log": "may fail (division_by_zero): dead letter",
        "if": "may fail (overflow): dead letter",
        "if/stop.value": "may fail (overflow): dead letter",
        "if/stop": "",
        "match": "may fail (overflow): dead letter",
        "match/1/log": "",
        "match~2": "",
        "match~2/else/log": "may fail (overflow): dead letter",
        "for": "may fail (too_many): dead letter",
        "for/emit_pago": "may fail (not_whole_days, overflow): dead letter",
        "for~2": "",
        "for~2/log": "",
        "parallel": "",
        "parallel/a/y": "may fail (overflow): dead letter",
        "parallel/b/fail": "fails: dead letter",
    }


def test_waits_answers_and_effects_tell_how_their_values_may_fail() -> None:
    (flow,) = compiled("""
        on webhook {n: int, t: text, quando: datetime}
          -> respond 200 {n: n + 1}
          -> wait 2h * n
          -> wait until quando + 2h
          -> wait for pago by n + 1 within 2h as p: {valor: int}
          -> wait for pago by t within 2h else { -> fail "{p.valor}" }
          -> post "https://a.example/x" with {valor: parse_int(t)}
    """)
    assert {line.id: line.failure for line in step_lines(flow, ENVIRONMENT.catalog)} == {
        "respond": "may fail (overflow): dead letter",
        "wait": "may fail (overflow): dead letter",
        "wait_until": "may fail (overflow): dead letter",
        "wait_for_pago": "may fail (overflow, result, timeout): dead letter",
        "wait_for_pago~2": "may fail (timeout): its `else`",
        "wait_for_pago~2/else/fail": "fails: dead letter",
        "post": "its values may fail (not_a_number, overflow): dead letter; "
        "repeated only if surely not done: 5 tries, 1s..5m; a lost answer: dead letter",
    }


def test_a_step_is_told_with_the_codes_of_its_values_and_of_its_effect() -> None:
    text = """\
flow a
on webhook {n: int, telefone: phone}
  -> x = n / 2 + 1
  -> code(n): int ```python
     return n
     ``` as m
  -> send hsm "oi" to telefone with {x: x * 2.5, m}
  -> fail "sempre"
"""
    (flow,) = compiled(text)
    told = {line.id: line.codes for line in step_lines(flow, ENVIRONMENT.catalog)}
    assert told == {
        "x": ("overflow",),
        "code_m": CODE_FAILURES,
        "send_hsm": ("no_person", "no_phone", "opted_out", "overflow", "timeout"),
        "fail": ("failed",),
    }


def test_the_codes_of_code_are_those_that_its_processes_fail_with() -> None:
    files = [*Path(runtime.code.__file__).parent.glob("*.py"), Path(code.__file__)]
    used = {found for file in files for found in re.findall(r'"(code_[a-z]+)"', file.read_text())}
    assert tuple(sorted(used)) == CODE_FAILURES
