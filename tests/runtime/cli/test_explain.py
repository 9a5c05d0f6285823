"""`seta explain`: as a page and as a document."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from compiler.explain import python
from runtime.cli import terminal
from runtime.cli.explain import show_plan
from runtime.cli.plans import FilledIn, Leaving, PayloadField, Plan, Sent, Step, Waiting
from runtime.compiling import compile_path
from runtime.folder import folder_settings
from runtime.steps import catalog
from tests.runtime.cli.conftest import Seta

PLAN = Plan(
    flow="pedido",
    hash="0123456789abcdef0123456789abcdef",
    file="flows/pedido.seta",
    path=None,
    caller="whoever knows its address, which nobody can guess",
    payload=(PayloadField("telefone", "telefone", "phone", None, lenient=False),),
    fills=(
        FilledIn("R3", "as person", "the result of `upsert person` is called `person`"),
        FilledIn("R4", "by telefone", "`telefone` is the only phone in scope, so it is `by` of `upsert person`"),
    ),
    long_form=(
        'flow pedido\non webhook {"order-id" as id: text, telefone: phone, itens: int = 1, origem: text?}\n'
        "  -> upsert person by telefone as person\n"
        "  -> if itens > 10 {\n"
        '       -> send hsm "grande" to person with {itens: "{itens}", id, origem: origem ?? "site"}\n'
        "     }"
    ),
    steps=(
        Step(
            "upsert_person",
            "effect, idempotent",
            "upsert person",
            ("phone_taken", "timeout"),
            "whatever may pass is repeated; then dead letter",
        ),
        Step("if", "branch", "if itens > 10", (), ""),
        Step(
            "if/send_hsm_to_somebody_with_a_long_name",
            "effect, once",
            'send hsm "grande" to person with {n: "{itens}"}',
            ("no_phone", "timeout"),
            "repeated only if surely not done: 5 tries, 1s..5m; a lost answer: parked as unknown",
        ),
    ),
    leaves=(Leaving("3:6", "persons", ("telefone",), ("telefone",)),),
    waits=(Waiting("wait", ("payload.itens", "person"), ("person",)),),
    templates=(Sent("grande", "pt_BR", ("itens: text", "id: text")),),
    python='PAYLOAD = record("Payload", field("id", text_kind), field("telefone", phone_kind("BR")))\n\nFLOW = pedido',
)

PAGE = """\
pedido  flows/pedido.seta
plan 0123456789abcdef0123456789abcdef
called by whoever knows its address, which nobody can guess

flow pedido
on webhook {"order-id" as id: text, telefone: phone, itens: int = 1, origem:
    text?}
  -> upsert person by telefone as person
  -> if itens > 10 {
       -> send hsm "grande" to person with {itens: "{itens}", id, origem:
           origem ?? "site"}
     }

RULE   FILLED IN     MEANS
────────────────────────────────────────────────────────────────────────────────
R3     as person     the result of `upsert person` is called `person`
R4     by telefone   `telefone` is the only phone in scope, so it is `by` of
                     `upsert person`

STEP                       DOES                         WHEN IT FAILS
────────────────────────────────────────────────────────────────────────────────
upsert_person              upsert person                whatever may pass is
effect, idempotent                                      repeated; then dead
                                                        letter
if                         if itens > 10
branch
if/send_hsm_to_somebody_   send hsm "grande" to pers…   repeated only if surely
with_a_long_name                                        not done: 5 tries,
effect, once                                            1s..5m; a lost answer:
                                                        parked as unknown

MAY FAIL AT                                AS
───────────────────────────────────────────────────────────────
upsert_person                              phone_taken, timeout
if/send_hsm_to_somebody_with_a_long_name   no_phone, timeout

LEAVES AT   TO        WITH       PERSONAL
─────────────────────────────────────────
3:6         persons   telefone   telefone

WAITS AT   NEEDS AFTERWARDS        PERSONAL
───────────────────────────────────────────
wait       payload.itens, person   person

TEMPLATE   LANGUAGE   PARAMETERS
───────────────────────────────────────────
grande     pt_BR      itens: text, id: text

PAYLOAD = record("Payload", field("id", text_kind), field("telefone",
    phone_kind("BR")))

FLOW = pedido
"""

PIPED = f"""\
pedido  flows/pedido.seta
plan 0123456789abcdef0123456789abcdef
called by whoever knows its address, which nobody can guess

{PLAN.long_form}

RULE  FILLED IN    MEANS
R3    as person    the result of `upsert person` is called `person`
R4    by telefone  `telefone` is the only phone in scope, so it is `by` of `upsert person`

STEP                                      KIND                DOES                                             \
WHEN IT FAILS
upsert_person                             effect, idempotent  upsert person                                    \
whatever may pass is repeated; then dead letter
if                                        branch              if itens > 10
if/send_hsm_to_somebody_with_a_long_name  effect, once        send hsm "grande" to person with {{n: "{{itens}}"}}  \
repeated only if surely not done: 5 tries, 1s..5m; a lost answer: parked as unknown

MAY FAIL AT                               AS
upsert_person                             phone_taken, timeout
if/send_hsm_to_somebody_with_a_long_name  no_phone, timeout

LEAVES AT  TO       WITH      PERSONAL
3:6        persons  telefone  telefone

WAITS AT  NEEDS AFTERWARDS       PERSONAL
wait      payload.itens, person  person

TEMPLATE  LANGUAGE  PARAMETERS
grande    pt_BR     itens: text, id: text

{PLAN.python}
"""


def printed(to: Console) -> str:
    made = to.file
    assert isinstance(made, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in made.getvalue().splitlines())


def test_page_has_no_line_that_runs_over_the_edge_of_a_terminal() -> None:
    to = Console(width=80, force_terminal=True, color_system=None, highlight=False, file=io.StringIO())
    show_plan(to, PLAN)
    assert printed(to) == PAGE


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_page_fits_on_terminals_of_any_width(columns: int) -> None:
    to = Console(width=columns, force_terminal=True, color_system=None, highlight=False, file=io.StringIO())
    show_plan(to, PLAN)
    assert max(map(len, printed(to).splitlines())) <= columns


def test_pipe_gets_every_row_on_one_line_and_uncut(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(terminal.console("auto"), PLAN)
    assert capsys.readouterr().out == PIPED


def test_colours_change_no_word() -> None:
    to = Console(width=80, force_terminal=True, color_system="standard", highlight=False, file=io.StringIO())
    show_plan(to, PLAN)
    coloured = printed(to)
    assert coloured.startswith("\x1b[1mpedido  flows/pedido.seta\x1b[0m\n")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == PAGE.splitlines()


def test_document_has_all_that_the_page_has(seta: Seta, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    (folder / "retomada.seta").write_text(
        'on webhook "/x" open {"the-n" as n: int = 1, nome: text?} -> log n -> stop\n'
    )
    [flow] = compile_path(folder, catalog(), folder_settings(folder)).flows
    result = seta("explain", "flows", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {
        "schema": "seta.plan/1",
        "flows": [
            {
                "flow": "retomada",
                "hash": flow.hash,
                "file": "flows/retomada.seta",
                "path": "/x",
                "caller": "anybody",
                "payload": [
                    {"name": "n", "key": "the-n", "type": "int", "default": 1, "lenient": False},
                    {"name": "nome", "key": "nome", "type": "text?", "default": None, "lenient": False},
                ],
                "fills": [],
                "long_form": (
                    'flow retomada\non webhook "/x" open {"the-n" as n: int = 1, nome: text?}\n  -> log n\n  -> stop'
                ),
                "steps": [
                    {"id": "log", "kind": "log", "does": "log n", "codes": [], "failure": ""},
                    {"id": "stop", "kind": "end", "does": "stop", "codes": [], "failure": ""},
                ],
                "leaves": [],
                "waits": [],
                "templates": [],
                "python": python(flow),
            }
        ],
    }


def test_document_says_what_was_filled_in_and_what_leaves(seta: Seta) -> None:
    [flow] = json.loads(seta("explain", "flows/retomada.seta", "--format", "json").output)["flows"]
    assert [fill["rule"] for fill in flow["fills"]] == ["R1", "R1", "R2", "R3", "R4", "R4"]
    assert [field["name"] for field in flow["payload"] if not field["lenient"]] == ["telefone"]
    assert flow["leaves"] == [
        {
            "at": "1:41",
            "to": "persons",
            "fields": ["telefone", "name", "email"],
            "personal": ["telefone", "email"],
        },
        {"at": "1:58", "to": "messages", "fields": ["person"], "personal": ["person"]},
    ]


def test_flows_of_a_folder_are_one_document(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows" / "b.seta").write_text("flow um on webhook -> stop\nflow dois on webhook -> stop\n")
    flows = json.loads(seta("explain", "flows", "--json").output)["flows"]
    assert [flow["flow"] for flow in flows] == ["um", "dois", "retomada"]


def test_one_stage_is_no_document(seta: Seta) -> None:
    result = seta("explain", "flows", "--emit", "ast", "--json")
    assert (result.exit_code, result.stderr) == (
        2,
        "Usage: seta explain [OPTIONS] PATH\nTry 'seta explain --help' for help.\n\n"
        "Error: --emit prints one stage as text, and --json all that a reviewer needs: choose one\n",
    )


def test_broken_flow_is_told_instead_of_a_document(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows" / "b.seta").write_text("flow b on webhook -> stpo\n")
    result = seta("explain", "flows", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[E204]" in result.stderr
