"""Own verbs: their signatures, what the checker says of them, and how the engine performs them."""

import re
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest

from compiler.catalog import EffectClass, Field, Slot, Verb
from dsl import render_text
from runtime.engine.engine import UnknownPlan
from runtime.extend.loading import own_python
from runtime.extend.modules import OwnPythonError
from runtime.frozen import in_file_and_python, loaded_python
from runtime.journal.rows import RunState
from runtime.loader import load
from runtime.plans import Programs
from runtime.steps import catalog
from tests.runtime.cli.process import ROOT, ServerProcess, seta
from tests.runtime.extend.own import folder, freeze, loaded, ran

LEADS = '''\
from dataclasses import dataclass
from decimal import Decimal

from seta import Call, Email, Failure, Kind, Phone, verb


@dataclass
class Lead:
    score: Decimal
    chave: str


@verb("enrich", "lead", effect="idempotent", failures=["blocked"], secrets=["CRM"])
async def enrich(
    by: Phone | Email, origem: str, call: Call, nome: str | None = None, peso: Decimal = Decimal(2)
) -> Lead:
    """Asks the CRM what it knows of somebody."""
    if origem == "spam":
        raise Failure("blocked", "nobody wants to know")
    call.log(f"{by} {origem} {nome} {call.flow} {call.secrets['CRM']}")
    return Lead(peso * 2, call.key)


@verb("search", "lead", effect="idempotent")
async def search(by: Phone) -> Lead | None:
    return None


@verb("ring", effect="once")
async def ring(to: Phone, vezes: int) -> None:
    if vezes > 9:
        raise Failure("busy", "not now", Kind.NOT_DONE)
    if vezes > 1:
        raise RuntimeError("the line broke")
'''
PAYLOAD = "flow a\non webhook {telefone: phone, n: int}\n"


def made(tmp_path: Path, chain: str, python: str = LEADS) -> Path:
    flows = folder(tmp_path, leads=python)
    (flows / "a.seta").write_text(PAYLOAD + chain, encoding="utf-8")
    freeze(flows)
    return flows


BODY = b'{"telefone": "11987654321", "n": 1}'
SECRETS = {"CRM": "s3cret"}


def test_signature_of_a_verb_is_read_from_its_hints(tmp_path: Path) -> None:
    entries = {
        one.entry.title: one.entry for one in own_python(folder(tmp_path, leads=LEADS)) if isinstance(one.entry, Verb)
    }
    assert entries["enrich lead"] == Verb(
        "enrich",
        "lead",
        EffectClass.IDEMPOTENT,
        doc="Asks the CRM what it knows of somebody.",
        slots=(Slot("by", ("phone", "email"), fills=True),),
        with_="exact",
        fields=(Field("origem", "text"), Field("nome", "text?"), Field("peso", "decimal?")),
        result="{score: decimal, chave: text}",
        failures=("blocked",),
        secrets=("CRM",),
        own=True,
    )
    assert (entries["search lead"].finds, entries["search lead"].with_) == (True, "")
    assert (entries["ring"].result, entries["ring"].effect) == ("", EffectClass.ONCE)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (
            '@verb("x", "y", effect="once")\ndef f(by: str) -> None: ...',
            "a verb is an `async def`; for work that blocks, `await asyncio.to_thread(…)` in it",
        ),
        (
            '@verb("x", "y", effect="twice")\nasync def f(by: str) -> None: ...',
            'there is no effect "twice": write "idempotent", "keyed" or "once"',
        ),
        (
            '@verb("x", "y", effect="once")\nasync def f(by) -> None: ...',
            "the parameter `by` has no type hint: write one, such as `by: Phone`",
        ),
        (
            '@verb("x", "y", effect="once")\nasync def f(nome) -> None: ...',
            "the parameter `nome` has no type hint: write one, such as `nome: str`",
        ),
        (
            '@verb("x", "y", effect="once")\nasync def f(by: str): ...',
            "what it gives has no type hint: write one, such as `-> str`",
        ),
        (
            '@verb("x", "y", effect="once")\nasync def f(t: Secret) -> None: ...',
            "a verb is handed no secret: name it in `secrets=[…]` and read it from `call.secrets`",
        ),
    ],
)
def test_verb_that_cannot_be_typed_says_what_to_write(tmp_path: Path, definition: str, message: str) -> None:
    flows = folder(tmp_path, a=f"from seta import Secret, verb\n\n\n{definition}\n")
    with pytest.raises(OwnPythonError) as caught:
        own_python(flows)
    assert str(caught.value) == f"{flows}/a.py:4: f: {message}"


@pytest.mark.parametrize(
    ("words", "title", "why"),
    [
        ('"wait", "lead"', "wait lead", "`wait` is a word of the language; choose another name"),
        ('"enrich", "with"', "enrich with", "`with` is a word of the language; choose another name"),
        ('"enrich", "type"', "enrich type", "`type` is a word of the language; choose another name"),
        (
            '"enrich", "payload"',
            "enrich payload",
            "`payload` means something else in flows; choose another name for the noun",
        ),
        ('"upsert", "person"', "upsert person", "the catalog has it already; choose another name"),
        ('"post"', "post", "the catalog has it already; choose another name"),
        ('"en rich"', "en rich", "a name has letters, digits and `_`, and does not begin with a digit"),
    ],
)
def test_verb_may_not_be_called_as_what_there_is(tmp_path: Path, words: str, title: str, why: str) -> None:
    text = f'from seta import verb\n\n\n@verb({words}, effect="once")\nasync def f(by: str) -> None: ...\n'
    flows = folder(tmp_path, a=text)
    with pytest.raises(OwnPythonError) as caught:
        in_file_and_python(flows, catalog())
    assert str(caught.value) == f"{flows}/a.py:4: the verb `{title}` cannot be called so: {why}"


def test_what_a_verb_asks_for_is_checked(tmp_path: Path) -> None:
    flows = made(
        tmp_path, '  -> enrich lead with {orige: "site"}\n  -> ring to telefone\n  -> ring with {vezes: lead}\n'
    )
    found = load(flows, catalog()).diagnostics
    assert render_text(found) == textwrap.dedent(
        f"""\
        error[E210]: `enrich lead` has no field `orige`
         --> {flows}/a.seta:3:24
          |
        3 |   -> enrich lead with {{orige: "site"}}
          |                        ^^^^^ did you mean `origem`?
          |
          = its fields are `origem`, `nome` and `peso`
          = fix (safe): replace `orige` by `origem`
          = seta help E210

        error[E220]: `ring` needs `vezes`
         --> {flows}/a.seta:4:6
          |
        4 |   -> ring to telefone
          |      ^^^^ `with` is missing
          |
          = the catalog file says vezes: int
          = fix (choose): with {{vezes: …}}    hand it over
          = seta help E220

        error[E301]: `ring` needs int for {{vezes}}, but this is {{score: decimal, chave: text}}
         --> {flows}/a.seta:5:24
          |
        5 |   -> ring with {{vezes: lead}}
          |                        ^^^^ this is {{score: decimal, chave: text}}, int is required
          |
          = seta help E301
        """
    )


async def test_flow_gets_the_result_and_the_verb_the_key_and_its_secrets(tmp_path: Path) -> None:
    flows = made(
        tmp_path,
        '  -> enrich lead with {origem: "site", nome: "Ana", peso: n}\n  -> log {s: lead.score, k: lead.chave}\n',
    )
    detail, lines = await ran(flows, BODY, tmp_path, SECRETS)
    assert detail.run.state is RunState.DONE
    [said, told] = lines
    assert said == "+5511987654321 site Ana a s3cret"
    assert told["s"] == 2
    assert told["k"].startswith(f"{detail.key}-")


async def test_verb_of_the_docs_runs_as_it_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    python, flow = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[1] for kind in ("python", "seta"))
    flows = folder(tmp_path, leads=python)
    (flows / "seta.toml").write_text('[config]\nerp = "http://crm.example"\n')
    (flows / "a.seta").write_text(flow.replace("flow novo_lead", "flow a"), encoding="utf-8")
    freeze(flows)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"score": 7, "cidade": None})

    client = partial(httpx.AsyncClient, transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "AsyncClient", client)
    detail, lines = await ran(flows, BODY, tmp_path, SECRETS)
    assert lines == [{"score": 7}]
    [request] = asked
    assert str(request.url) == "http://crm.example/leads?fone=%2B5511987654321&origem=site"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["Idempotency-Key"].startswith(f"{detail.key}-")


async def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    flows = made(
        tmp_path,
        '  -> enrich lead by telefone with {origem: "site"} as l\n  -> log l.score\n'.replace(
            '"ana@example.com"', "telefone"
        ),
    )
    _, lines = await ran(flows, BODY, tmp_path, SECRETS)
    assert lines == ["+5511987654321 site None a s3cret", 4]


async def test_failure_of_a_verb_goes_to_else_with_its_code(tmp_path: Path) -> None:
    flows = made(tmp_path, '  -> enrich lead with {origem: "spam"} else { -> stop error.code }\n  -> log lead.score\n')
    detail, lines = await ran(flows, BODY, tmp_path, SECRETS)
    assert (detail.run.state, lines) == (RunState.STOPPED, ["blocked"])


async def test_nothing_found_runs_the_else_of_a_verb_that_may_give_none(tmp_path: Path) -> None:
    flows = made(tmp_path, '  -> search lead else { -> stop "nada" }\n  -> log lead.score\n')
    detail, lines = await ran(flows, BODY, tmp_path)
    assert (detail.run.state, lines) == (RunState.STOPPED, ["nada"])


@pytest.mark.parametrize(
    ("times", "effect", "state", "message"),
    [
        (
            2,
            "once",
            RunState.PARKED,
            "nobody can tell whether it happened: RuntimeError: the line broke  (leads.py:34)",
        ),
        (2, "keyed", RunState.DEAD, "RuntimeError: the line broke  (leads.py:34)"),
        (2, "idempotent", RunState.WAITING, "RuntimeError: the line broke  (leads.py:34)"),
        (10, "once", RunState.WAITING, "not now"),
    ],
)
async def test_what_may_be_repeated_follows_the_effect(
    tmp_path: Path, times: int, effect: str, state: RunState, message: str
) -> None:
    flows = made(
        tmp_path, "  -> ring with {vezes: n}\n", LEADS.replace('"ring", effect="once"', f'"ring", effect="{effect}"')
    )
    detail, _ = await ran(flows, b'{"telefone": "11987654321", "n": %d}' % times, tmp_path)
    assert detail.run.state is state
    assert detail.run.error is not None
    assert msgspec.json.decode(detail.run.error)["message"] == message


def test_secrets_of_a_verb_are_those_of_the_flows_that_use_it(tmp_path: Path) -> None:
    flows = made(tmp_path, '  -> enrich lead with {origem: "site"}\n  -> log lead.score\n')
    assert loaded(flows).programs["a"].secrets == ("CRM",)


async def test_plan_whose_verb_is_gone_cannot_go_on(tmp_path: Path) -> None:
    flows = made(tmp_path, "  -> ring with {vezes: n}\n")
    program = loaded(flows).programs["a"]
    (flows / "leads.py").write_text(LEADS.replace('"ring"', '"call"'))
    freeze(flows)
    own = loaded_python(flows, catalog())
    with pytest.raises(UnknownPlan) as caught:
        await Programs({}, own).find(program.plan, program.sources)
    assert str(caught.value) == "the plan calls ring, which the folder's Python does not have any more"


def test_server_runs_the_python_of_its_folder(tmp_path: Path) -> None:
    """`seta serve`, started as a script, with a folder that the working directory does not put on the path."""
    made(tmp_path, '  -> enrich lead with {origem: "site"}\n  -> log lead.score\n')
    (tmp_path / "flows" / "seta.toml").write_text('[secrets]\nCRM = "file:crm"\n')
    (tmp_path / "flows" / "crm").write_text("s3cret")
    with ServerProcess(tmp_path) as server:
        answer = httpx.post(server.flows["a"].url, content=BODY)
        run = answer.json()["run"]
        shown = next(text for text in shown_until_it_ends(tmp_path, run) if '"state":"done"' in text)
    assert "+5511987654321 site None a s3cret" in shown


def shown_until_it_ends(tmp_path: Path, run: str) -> Iterator[str]:
    """What `seta runs show` prints, again and again for a while."""
    for _ in range(20):
        yield seta(tmp_path, "runs", "show", run, "--json").stdout.replace(": ", ":")
