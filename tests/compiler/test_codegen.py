"""Generated Python: what it looks like, that it is the same every time, that no text of a flow becomes code."""

import ast
import json
import keyword
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from compiler.codegen import HELPERS
from compiler.pipeline import Compiled, compile_folder
from dsl import Source
from runtime.context import Policy, StepSpec
from runtime.failures import StepFailure
from runtime.linking import link
from runtime.program import Program
from tests.compiler.environment import ENVIRONMENT, SETTINGS
from tests.compiler.reference.python import Recorder, finish, record
from tests.compiler.reference.trace import Delivery
from tests.compiler.test_generated import CORPUS, ROOT, compiled, versions


def flow(text: str) -> Compiled:
    """The only flow of a text."""
    (found,) = compiled(text)
    return found


def delivery(body: str = "{}") -> Delivery:
    """A delivery whose effects all give an empty record."""
    return Delivery(body.encode(), lambda _, __: b"{}", {}, {}, {"erp": "http://erp.example"})


def program(text: str) -> Program:
    return link(flow(text), ENVIRONMENT.catalog, SETTINGS)


# --- what it looks like


@pytest.mark.parametrize("file", ["flows/retomada.seta", "flows/erp.seta", "tests/compiler/corpus/good/language.seta"])
def test_python_of_a_flow(file: str, snapshot: SnapshotAssertion) -> None:
    source = Source(Path(file).name, (ROOT / file).read_text(encoding="utf-8"))
    flows = compile_folder([source], ENVIRONMENT).flows
    assert "\n\n".join(ast.unparse(each.module) for each in flows) == snapshot


def test_the_compiler_keeps_names_from_exactly_what_a_module_may_call() -> None:
    names = program("on webhook -> log 1").run.__globals__.keys()
    own = {"PAYLOAD", "FLOW", "f", "__builtins__"}
    assert names - own - ENVIRONMENT.catalog.functions.keys() == HELPERS - {"p", "ctx"}


# --- the same every time

_DUMP = """
import ast, sys
from tests.compiler.test_codegen import everything
sys.stdout.write("\\n".join(everything()))
"""


def everything() -> Iterator[str]:
    """The Python of every flow of the corpus with all positions, and the hashes of its plans."""
    for file in sorted(CORPUS.rglob("*.seta")):
        for each in compile_folder([Source(file.name, file.read_text(encoding="utf-8"))], ENVIRONMENT).flows:
            yield f"{each.hash} {ast.dump(each.module, include_attributes=True)}"


def test_python_is_the_same_in_every_process() -> None:
    here = "\n".join(everything())
    assert here
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        there = subprocess.run(
            [sys.executable, "-c", _DUMP], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        assert there.stdout.decode() == here


# --- where it stands in the text


def failing(text: str, body: str = "{}") -> StepFailure:
    """The failure that ends a flow."""
    linked = program(text)
    run = linked.run(linked.payload.decode(body.encode()).payload, Recorder(linked, delivery(body)))
    with pytest.raises(StepFailure) as caught:
        finish(run)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        'on webhook {n: int}\n  -> log {ação: "é bom", preço: «7 / n»}',
        "on webhook {n: int}\n  ->   x = «1 % n»  # não",
        'on webhook {n: int}\n  -> log "çã" -> log [1, «2 / n», 3]',
        "on webhook {n: int} -> if true { -> if «1 / n» > 0.5 { -> log 1 } }",
        "on webhook {n: int} -> for é in [n] { -> log «5 % é» }",
        'on webhook {n: int} -> parallel { não { -> log "ü" -> y = «5 % n» } }',
        'on webhook {n: int} -> x = "ção" ?? "" -> y = [«5 % z» for z in [n]]',
        'on webhook {n: int}\n  -> «fail "não"»',
    ],
)
def test_a_traceback_shows_the_line_of_the_flow_with_carets_under_what_failed(text: str) -> None:
    before, marked, _ = re.split("[«»]", text)
    written = re.sub("[«»]", "", text)
    failure = failing(written, '{"n": 0}')
    line = written.splitlines()[before.count("\n")]
    shown = "".join(traceback.format_exception(failure)).splitlines()
    number = max(at for at, found in enumerate(shown) if ".seta@" in found)
    assert shown[number].startswith('  File "f.seta@')
    assert f", line {before.count(chr(10)) + 1}, in " in shown[number]
    assert shown[number + 1].strip() == line.strip()
    carets = shown[number + 2]
    under = len(shown[number + 1]) - len(shown[number + 1].lstrip()) - (len(line) - len(line.lstrip()))
    column = under + len(before.rpartition("\n")[2])
    assert re.fullmatch(r" *[~^]+", carets)
    assert (len(carets) - len(carets.lstrip()), len(carets)) == (column, column + len(marked))


def test_a_failure_inside_a_def_of_another_file_is_told_of_the_step_that_calls_it() -> None:
    sources = [
        Source("a.seta", "def f(n: int): decimal = 1 / n\n"),
        Source("b.seta", "flow b\non webhook {n: int}\n  -> log 1\n  -> x = f(n)\n  -> log x"),
    ]
    (found,) = compile_folder(sources, ENVIRONMENT).flows
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), delivery('{"n": 0}'))[-1].startswith("failed f_x ")
    versions(found).agree(delivery('{"n": 0}'))


# --- text stays text

HOSTILE = (
    '"); raise SystemExit("',
    "'''",
    '"""',
    "{x}",
    "{{",
    "\\",
    "\n  import os",
    "__import__('os').system('x')",
    "%s %(x)s",
    "\u2028",
    "# comment",
    "None",
    "🎈\u200d",
)
_NODES = (
    ast.Module, ast.Assign, ast.Expr, ast.Return, ast.Raise, ast.Pass, ast.If, ast.Try, ast.ExceptHandler,
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Call, ast.keyword, ast.Await,
    ast.Name, ast.Attribute, ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.ListComp, ast.comprehension, ast.IfExp,
    ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.cmpop, ast.boolop, ast.unaryop, ast.operator, ast.expr_context,
)  # fmt: skip


def names_of(module: ast.Module) -> set[str]:
    """Every name that code of a module has."""
    found: set[str] = set()
    for node in ast.walk(module):
        assert isinstance(node, _NODES)
        for field in ("id", "attr", "arg", "name"):
            if isinstance(name := getattr(node, field, None), str):
                found.add(name)
    return found


def quoted(text: str) -> str:
    """A text as a literal, all of its characters escaped that may be."""
    return '"' + "".join(f"\\u{{{ord(char):x}}}" if not char.isalnum() else char for char in text) + '"'


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_flow_only_ever_becomes_a_constant(text: str) -> None:
    literal = quoted(text)
    found = flow(
        f"""
        on webhook dedupe by t for 1h answer 200 with {{a: {literal}}} {{
            {literal} as t: text = {literal}, e: {literal} | "x"
        }}
          -> log {{{literal}: {literal}, b: "{{t}}{literal[1:]}}}
          -> match t {{ {literal} => {{ -> log 1 }} else => {{ -> fail {literal} }} }}
          -> match e {{ {literal} => {{ -> log 2 }} "x" => {{ }} }}
          -> send hsm {literal} to format_phone("11 98765-4321")
          -> get "https://a.example/{literal[1:-1]}" with {{{literal}: 1}} as r: {{{literal} as k: int}}
          -> emit pago by {literal} with {{x: headers[{literal}]}}
          -> code(t): {literal} ```python
             return t + '\"\"\"'
             ``` as s
          -> log s
    """
    )
    allowed = HELPERS | ENVIRONMENT.catalog.functions.keys() | set(dir(Recorder))
    for name in names_of(found.module) - allowed:
        assert re.fullmatch(r"\w+", name)
    assert any(isinstance(node, ast.Constant) and node.value == text for node in ast.walk(found.module))


# --- names stay apart

_ROOTS = {"payload", "headers", "query", "run", "secret", "config", "error"}
_VALUES = {"true", "false", "none", "not", "True", "False", "None"}  # read as values, or refused as slips for them
_WORDS = {"as", "def", "else", "fail", "flow", "from", "given", "if", "in", "match", "on", "test", "type", "with"}
_MAGIC = {"__init__", "__class__", "__dict__", "__post_init__", "__slots__", "__weakref__", "__struct_fields__", "__"}
_CLOSE = {"self", "_", "class_", "None_", "fn", "f_n", "PAYLOAD", "FLOW", "ON_ERROR", "DEDUPE", "ANSWER", "POST", "LOG"}
_PYTHON = {*keyword.kwlist, *keyword.softkwlist, *HELPERS, *ENVIRONMENT.catalog.functions, *dir(Recorder)}
NAMES = sorted((_PYTHON | _WORDS | _MAGIC | _CLOSE) - _ROOTS - _VALUES - {"for", "log", "parallel"})  # ids of the test
_MANY = 40


@pytest.mark.parametrize("names", [NAMES[at : at + _MANY] for at in range(0, len(NAMES), _MANY)], ids=" ".join)
def test_fields_bindings_branches_and_defs_may_be_called_anything(names: list[str]) -> None:
    fields, every = ", ".join(f"{name}: int" for name in names), ", ".join(names)
    rest = [name for name in names if name not in _WORDS]  # where a word of ours would mean itself
    found = flow(f"""
        on webhook {{{fields}, r: {{{fields}}}}}
          -> log [{every}]
          -> log [{", ".join(f"r.{name} + payload.{name}" for name in names)}]
          {" ".join(f"-> {name} = r.{name} + 100" for name in names)}
          -> parallel {{ {" ".join(f'{name} {{ -> post "https://a.example/{{{name}}}" }}' for name in rest)} }}
          -> for i in [1] {{ -> log [{every}] }}
          -> log {{{", ".join(f"{name}: {name}" for name in names)}}}
          -> log ["{{{"} {".join(names)}}}", count([{every}])]
          -> log [{" + ".join(f"(k - {name})" for name in names)} for k in [0]]
          -> log [{", ".join(f"{name}_d({name})" for name in names)}]
        {" ".join(f"def {name}_d({name}: int): int = {name} * 2" for name in names)}
    """)
    values = {name: at for at, name in enumerate(names)}
    later = [at + 100 for at in values.values()]
    given = delivery(json.dumps({**values, "r": values}))
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), given) == [
        f"log log {[*values.values()]}",
        f"log log~2 {[2 * at for at in values.values()]}",
        *(
            f"parallel {at} | step parallel/{name}/post 'post', 'keyed', ['https://a.example/', '<>'],"
            f" [None, {values[name] + 100}]"
            for at, name in enumerate(rest)
        ),
        "for for 1, 1000, 1",
        f"log for/log[0] {later}",
        f"log log~3 {{{', '.join(f'{name!r}: {values[name] + 100}' for name in sorted(names))}}}",
        f"log log~4 [{' '.join(map(str, later))!r}, {len(names)}]",
        f"log log~5 [{-sum(later)}]",
        f"log log~6 {[2 * at for at in later]}",
        "end",
    ]
    versions(found).agree(given)


@pytest.mark.parametrize(
    "name", ["on_error", "PAYLOAD", "FLOW", "DEDUPE", "given", "count", "POST", "class", "p", "f_on_error"]
)
def test_a_flow_and_its_steps_may_be_called_anything(name: str) -> None:
    found = flow(f"""
        flow {name}
        on webhook dedupe by {name} for 1h answer 200 with {{a: run.id}} {{{name}: text}}
          -> post "https://a.example/{{{name}}}" as {name}
          -> log {{n: count([1]), {name}}}
          -> fail "no"
        on error
          -> log [{name}, error.code]
    """)
    given = delivery(f'{{"{name}": "v"}}')
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), given)[2:] == [
        f"step post_{name} 'post', 'keyed', ['https://a.example/', '<>'], [None, 'v']",
        f"log log {{{', '.join(sorted([f'{name!r}: {{}}', repr('n') + ': 1']))}}}",
        "failed fail 'failed', 'no'",
        "log on_error/log ['v', 'failed']",
        "handled",
    ]
    versions(found).agree(given)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("class", "class_"),
        ("q\u0303", "q_"),
        ("a", "a_2"),
        ("_", "__"),
        ("f", "ff"),
        ("_a", "f_a"),
        ("é", "e"),
        ("ﬁ", "fi"),
    ],
)
def test_two_names_are_two(first: str, second: str) -> None:
    found = flow(f"""
        on webhook {{{first}: int, {second}: int, r: {{{first}: int, {second}: int}}}}
          -> log [{first}, {second}, r.{first}, r.{second}, f({first}, {second})]
          -> {first} = {first} * 2
          -> {second} = {second} * 2
          -> {first} = {first} * 3
          -> parallel {{ {first} {{ -> {first} = {first} + 1 }} {second} {{ -> {second} = {second} + 1 }} }}
          -> log [{first}, {second}]
          -> if {first} > 0 {{ -> {first} = 5 }} else {{ -> {second} = 6 }}
          -> log [{first}, {second}]
        def f({first}: int, {second}: int): int = {first} - {second}
    """)
    given = delivery(f'{{"{first}": 1, "{second}": 2, "r": {{"{first}": 3, "{second}": 4}}}}')
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), given) == [
        "log log [1, 2, 3, 4, -1]",
        "log log~2 [7, 5]",
        "log log~3 [5, 5]",
        "end",
    ]
    versions(found).agree(given)


def test_a_name_is_one_however_its_accents_are_written() -> None:
    found = flow('on webhook {"k" as ne\u0301: int} -> n\u00e9 = n\u00e9 + 1 -> log {e\u0301: ne\u0301}')
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), delivery('{"k": 1}')) == ["log log {'é': 2}", "end"]


@pytest.mark.parametrize(
    "name", ["x_2", "x_m1", "x_3", "i_each1", "error_1", "error_2", "failure", "subject", "each", "m1"]
)
def test_a_name_never_is_one_that_the_compiler_makes(name: str) -> None:
    found = flow(f"""
        on webhook {{n: int, xs: [int]}}
          -> {name} = 100
          -> x = 1
          -> x = x + 1
          -> if n > 0 {{ -> x = 10 }} else {{ -> x = 20 }}
          -> for i in xs {{ -> log i + {name} }}
          -> match n {{ 1 => {{ -> x = x + 1 }} else => {{ }} }}
          -> y = 1 / 0 else {{ -> log error.code -> y = 0.5 }}
          -> log [x, y, {name}, [{name} + i for i in xs]]
    """)
    given = delivery('{"n": 1, "xs": [1]}')
    assert record(link(found, ENVIRONMENT.catalog, SETTINGS), given) == [
        "for for 1, 1000, 1",
        "log for/log[0] 101",
        "log y/else/log 'division_by_zero'",
        "log log [11, Decimal('0.5'), 100, [101]]",
        "end",
    ]
    versions(found).agree(given)


# --- specs


def specs(text: str) -> dict[str, StepSpec]:
    """The specs that a flow hands to its context, by id."""
    found: dict[str, StepSpec] = {}

    class Specs(Recorder):
        async def step(self, spec: StepSpec, *args: object) -> object:
            found[spec.id] = spec
            return await super().step(spec, *args)

    linked = program(text)
    given = Delivery(b"{}", lambda step, _: b'"m1"' if step.startswith("send") else b"{}")
    finish(linked.run(linked.payload.decode(b"{}").payload, Specs(linked, given)))
    return found


@pytest.mark.parametrize(
    ("clauses", "policy"),
    [
        ("", Policy()),
        ("retry 0", Policy(tries=1, asked=True)),
        ("retry 3", Policy(tries=4, asked=True)),
        ("retry 3 every 2s", Policy(tries=4, low=2_000, high=2_000, asked=True)),
        ("every 500ms..1m", Policy(low=500, high=60_000)),
        ("retry 9 every 1h..1d", Policy(tries=10, low=3_600_000, high=86_400_000, asked=True)),
    ],
)
def test_clauses_become_the_policy_of_a_step(clauses: str, policy: Policy) -> None:
    assert specs(f'on webhook -> post "https://a.example/x" {clauses}')["post"].policy == policy


def test_unknown_outcomes_are_parked_unless_the_flow_says_retry() -> None:
    found = specs("""
        on webhook
          -> format_phone("11 98765-4321") as t
          -> send hsm "a" to t
          -> send hsm "b" to t unknown retry
          -> send hsm "c" to t unknown park
    """)
    assert {spec.literal[0]: spec.policy.unknown for spec in found.values()} == {"a": "park", "b": "retry", "c": "park"}


def test_code_keeps_its_text_its_parameters_and_its_place() -> None:
    spec = specs("""on webhook {n: int?}
  -> code(n): json ```python
     return {"é": n}
     ``` as r within 3s""")["code_r"]
    assert spec.block is not None
    assert (spec.block.source, spec.block.params) == ('     return {"é": n}\n', ("n",))
    assert (spec.block.filename, spec.block.first_line, spec.within) == ("f.seta", 3, 3_000)
