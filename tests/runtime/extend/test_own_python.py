"""Python beside the flows: found, imported, read, frozen, called."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from compiler.catalog import Function, Param
from runtime.engine.engine import UnknownPlan
from runtime.extend.frozen import frozen
from runtime.extend.loading import own_python
from runtime.extend.modules import OwnPythonError, own_files
from runtime.frozen import in_file_and_python, loaded_python
from runtime.journal.rows import RunState
from runtime.linking import relink
from runtime.loader import load
from runtime.plans import Programs
from runtime.steps import catalog
from tests.runtime.cli.process import PACKAGES, ROOT
from tests.runtime.extend.own import folder, freeze, loaded, ran

REGRAS = '''\
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from seta import Failure, function


@dataclass
class Item:
    sku: str
    qtd: int


@dataclass
class Desconto:
    valor: Decimal
    motivo: str | None


@function(failures=["vazio"])
def desconto(itens: list[Item], total: Decimal, vip: bool = False) -> Desconto:
    """What a customer gets off."""
    if not itens:
        raise Failure("vazio", "nothing was bought")
    assert all(isinstance(item, Item) for item in itens)
    return Desconto(total * Decimal("0.10"), "vip" if vip else None)


@function(rewrites=True)
def member(texto: str) -> str:
    return texto.strip().upper()


@function
def prazo(inicio: datetime, dias: int | None = None) -> timedelta:
    return timedelta(days=dias or 1)
'''
FLOW = """\
flow a
on webhook {itens: [{sku: text, qtd: int}], total: int, nome: text, quando: datetime}
  -> member(nome)
  -> d = desconto(itens, total: total, vip: true) else { -> stop "sem desconto: {error.code}" }
  -> vence = quando + prazo(quando, dias: 3)
  -> log {nome, valor: d.valor, motivo: d.motivo, vence}
"""
BODY = b'{"itens": [{"sku": "x", "qtd": 2}], "total": 50, "nome": " ana ", "quando": "2026-01-01T00:00:00Z"}'


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    made = folder(tmp_path, regras=REGRAS)
    (made / "a.seta").write_text(FLOW)
    freeze(made)
    return made


# --- found and imported afresh


def test_only_modules_that_import_seta_are_own_python(tmp_path: Path) -> None:
    flows = folder(
        tmp_path,
        a="import seta\n",
        b="def f():\n    from seta import function\n",
        helpers="# seta is only named\nx = 1\n",
        seta_like="import setas\n",
        _c="import seta\n",
        test_a="import seta\n",
        a_test="import seta\n",
        conftest="import seta\n",
    )
    assert [file.name for file in own_files(flows)] == ["a.py", "b.py"]


def test_modules_may_import_each_other_and_are_imported_afresh(tmp_path: Path) -> None:
    text = "from helpers import N\nfrom seta import function\n\n\n@function\ndef f(x: int) -> int:\n    return x * N\n"
    flows = folder(tmp_path, f=text, helpers="N = 2\n")
    [first] = own_python(flows)
    folder(tmp_path, helpers="N = 20\n")
    [second] = own_python(flows)
    assert (first.made(2), second.made(2)) == (4, 40)
    other = folder(tmp_path / "flows", f=text, helpers="N = 3\n")
    [third] = own_python(other)
    assert third.made(2) == 6
    assert not list(flows.rglob("__pycache__"))


def test_a_module_of_the_user_hides_none_that_is_installed(tmp_path: Path) -> None:
    flows = folder(tmp_path, json="import seta\n")
    with pytest.raises(OwnPythonError) as caught:
        own_python(flows)
    assert str(caught.value) == f"{flows}/json.py: json is a module of Python or of a package already: rename the file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import seta\nimport nada_disso\n",
            "a.py:2: the module cannot be imported: ModuleNotFoundError: No module named 'nada_disso'",
        ),
        ("import seta\n\ndef f()\n", "a.py:3: this is not Python: expected ':'"),
        ("import seta, sys\nsys.exit(3)\n", "a.py:2: the module cannot be imported: SystemExit: 3"),
        (
            "from seta import verbo\n",
            "a.py:1: the module cannot be imported: ImportError: cannot import name 'verbo' from 'seta'",
        ),
    ],
)
def test_module_that_cannot_be_imported_says_where_and_why(tmp_path: Path, text: str, message: str) -> None:
    flows = folder(tmp_path, a=text)
    with pytest.raises(OwnPythonError) as caught:
        own_python(flows)
    assert str(caught.value).startswith(f"{flows}/{message}")


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("def f(x) -> str: ...", "the parameter `x` has no type hint: write one, such as `x: str`"),
        ("def f(x: str): ...", "what it gives has no type hint: write one, such as `-> str`"),
        ("def f(x: float) -> str: ...", "the parameter `x`: flows have no floats: write Decimal"),
        ("def f(x: str) -> float: ...", "what it gives: flows have no floats: write Decimal"),
        ("def f(x: str) -> None: ...", "a function gives something: say its type, `-> str`"),
        ("def f(*x: str) -> str: ...", "`x` takes any number of arguments: write each parameter out"),
        ("def f(x: str, /) -> str: ...", "`x` cannot be given by name: leave the `/` out"),
        ("async def f(x: str) -> str: ...", "a function computes and returns: write `def`, without `yield`"),
        ("def f(x: 'Nada') -> str: ...", "its hints cannot be read: name 'Nada' is not defined"),
    ],
)
def test_function_that_cannot_be_typed_says_what_to_write(tmp_path: Path, definition: str, message: str) -> None:
    flows = folder(tmp_path, a=f"from seta import function\n\n\n@function\n{definition}\n")
    with pytest.raises(OwnPythonError) as caught:
        own_python(flows)
    assert str(caught.value) == f"{flows}/a.py:4: f: {message}"


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    one = "from seta import function\n\n\n@function\ndef f(x: str) -> str: ...\n"
    flows = folder(tmp_path, a=one, b=one + "\n\n@function\ndef g(x) -> str: ...\n")
    with pytest.raises(OwnPythonError) as caught:
        own_python(flows)
    assert str(caught.value).splitlines() == [
        f"{flows}/b.py:8: g: the parameter `x` has no type hint: write one, such as `x: str`",
        f"{flows}/b.py:4: f is there already, at {flows}/a.py:4: choose another name",
    ]


# --- frozen


def test_signatures_are_read_in_a_process_of_their_own(flows: Path) -> None:
    found = dict(frozen(flows))
    assert {f.name: place for f, place in found.items() if isinstance(f, Function)} == {
        "desconto": f"{flows}/regras.py:20",
        "member": f"{flows}/regras.py:29",
        "prazo": f"{flows}/regras.py:34",
    }
    desconto = next(f for f in found if isinstance(f, Function) and f.name == "desconto")
    assert desconto == Function(
        "desconto",
        (
            Param("itens", "[{sku: text, qtd: int}]"),
            Param("total", "decimal"),
            Param("vip", "bool", required=False),
        ),
        "{valor: decimal, motivo: text?}",
        "What a customer gets off.",
        failures=("vazio",),
        own=True,
    )


def test_what_modules_print_is_no_part_of_the_signatures(tmp_path: Path) -> None:
    flows = folder(tmp_path, a="import seta, os\nprint('oi')\nos.write(1, b'oi')\n")
    assert frozen(flows) == []


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ("while True: pass", "the modules were not imported within 1 s: what stands at their top only defines things"),
        ("import os; os._exit(3)", "the process that imports the modules ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "the process that imports the modules ended with signal 9"),
    ],
)
def test_module_that_never_ends_or_dies_is_told(tmp_path: Path, top: str, message: str) -> None:
    flows = folder(tmp_path, a=f"import seta\n{top}\n")
    with pytest.raises(OwnPythonError) as caught:
        frozen(flows, limit=1 if "while" in top else 20)
    assert str(caught.value) == f"{flows}: {message}"


def test_check_imports_nothing_of_the_user(flows: Path) -> None:
    (flows / "regras.py").write_text("import seta\nraise RuntimeError('imported')\n")
    assert load(flows, catalog()).diagnostics == ()


# --- called


async def test_flow_calls_own_functions_with_values_of_their_hints(flows: Path, tmp_path: Path) -> None:
    detail, values = await ran(flows, BODY, tmp_path)
    assert detail.run.state is RunState.DONE
    assert values == [{"nome": "ANA", "valor": Decimal("5.00"), "motivo": "vip", "vence": "2026-01-04T00:00:00Z"}]


async def test_example_of_the_docs_runs_as_it_stands_there(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    python, flow = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("python", "seta"))
    assert python is not None
    assert flow is not None
    flows = folder(tmp_path, regras=python[1])
    (flows / "a.seta").write_text(flow[1].replace("flow compra", "flow a"), encoding="utf-8")
    freeze(flows)
    _, values = await ran(flows, b'{"itens": [{"sku": "x", "qtd": 2, "preco": 10.5}], "vip": true}', tmp_path)
    assert values == [Decimal("2.100")]


async def test_failure_of_an_own_function_has_its_code(flows: Path, tmp_path: Path) -> None:
    body = BODY.replace(b'{"sku": "x", "qtd": 2}', b"")
    detail, values = await ran(flows, body, tmp_path)
    assert detail.run.state is RunState.STOPPED
    assert values == ["sem desconto: vazio"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x // 0", "ZeroDivisionError: integer division or modulo by zero  (f.py:6)"),
        ("raise SystemExit(1)", "SystemExit: 1  (f.py:6)"),
        ("return 'um'", "what f returned does not fit: int is expected, not text"),
        ("return 2**80", "what f returned does not fit: int is expected, not a number"),
        ("return object()", "TypeError: Encoding objects of type object is unsupported"),
    ],
)
async def test_whatever_else_an_own_function_does_fails_the_step(tmp_path: Path, body: str, message: str) -> None:
    flows = folder(tmp_path, f=f"from seta import function\n\n\n@function\ndef f(x: int) -> int:\n    {body}\n")
    (flows / "a.seta").write_text("flow a\non webhook {n: int}\n  -> y = f(n)\n  -> log y\n")
    freeze(flows)
    detail, _ = await ran(flows, b'{"n": 1}', tmp_path)
    assert detail.run.state is RunState.DEAD
    assert detail.run.error is not None
    error = msgspec.json.decode(detail.run.error)
    assert (error["step"], error["code"], error["message"]) == ("f_y", "python", message)


def test_plan_ends_on_its_own_signature_and_todays_python(flows: Path) -> None:
    program = loaded(flows).programs["a"]
    (flows / "regras.py").write_text(REGRAS.replace("vip: bool = False", "vip: bool = True").replace("0.10", "0.20"))
    freeze(flows)
    again = loaded(flows)
    assert again.programs["a"].plan == program.plan  # a default is no part of a signature
    (flows / "regras.py").write_text(REGRAS.replace("dias: int | None = None", "dias: int = 2"))
    freeze(flows)
    again = loaded(flows)
    assert again.programs["a"].plan != program.plan
    old = relink(program.sources, again.own)
    assert old is not None
    assert old.plan == program.plan


async def test_plan_whose_function_is_gone_cannot_go_on(flows: Path) -> None:
    program = loaded(flows).programs["a"]
    (flows / "regras.py").write_text(REGRAS.replace("def prazo", "def outro"))
    freeze(flows)
    own = loaded_python(flows, catalog())
    with pytest.raises(UnknownPlan) as caught:
        await Programs({}, own).find(program.plan, program.sources)
    assert str(caught.value) == "the plan calls prazo, which the folder's Python does not have any more"


def test_python_that_is_not_as_the_file_says_is_refused(flows: Path) -> None:
    (flows / "regras.py").write_text(REGRAS.replace("vip: bool", "vip: int").replace("def prazo", "def outro"))
    with pytest.raises(OwnPythonError) as caught:
        loaded_python(flows, catalog())
    assert str(caught.value).splitlines() == [
        f"{flows}/regras.py:20: the function `desconto` is not as seta.catalog.json has it: run `seta catalog --write`",
        f"{flows}/regras.py:34: the function `outro` is not in seta.catalog.json: run `seta catalog --write`",
        "the function `prazo` is in seta.catalog.json, and no module of the folder defines it: "
        "run `seta catalog --write`",
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("emit", "`emit` is a word of the language; choose another name"),
        ("parallel", "`parallel` is a word of the language; choose another name"),
        ("payload", "`payload` means something else in flows; choose another name for the function"),
        ("exact", "`exact` means something else in flows; choose another name for the function"),
        ("trim", "the catalog has it already; choose another name"),
    ],
)
def test_function_may_not_be_called_as_what_there_is(tmp_path: Path, name: str, why: str) -> None:
    flows = folder(tmp_path, a=f"from seta import function\n\n\n@function\ndef {name}(x: str) -> str: ...\n")
    with pytest.raises(OwnPythonError) as caught:
        in_file_and_python(flows, catalog())
    assert str(caught.value) == f"{flows}/a.py:4: the function `{name}` cannot be called so: {why}"


def test_the_package_that_people_import_is_light(tmp_path: Path) -> None:
    """`from seta import function` in a test of the user's own brings neither compiler nor server along."""
    code = "import seta, sys; print([n for n in ('lark', 'httpx', 'compiler', 'runtime.steps') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": PACKAGES},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
