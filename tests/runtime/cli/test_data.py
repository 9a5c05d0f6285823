"""Commands that list what is in the data folder."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from runtime.connections import local
from runtime.journal import open_journal
from tests.runtime.admin.conftest import AT, DEAD, DONE, OPEN, park
from tests.runtime.cli.conftest import Seta

AGO = re.compile(r"\d+ (d|h|min|s) ago")


def plain(output: str) -> str:
    """The output without what changes from day to day."""
    return AGO.sub("AGO", output)


@pytest.mark.usefixtures("filled")
def test_runs_are_listed_in_columns_that_a_pipe_can_read(seta: Seta) -> None:
    result = seta("runs")
    assert result.exit_code == 0
    rows = [re.split(r"  +", line) for line in plain(result.output).splitlines()]
    assert rows == [
        ["RUN", "FLOW", "STATE", "RECEIVED"],
        [OPEN, "erp", "accepted", "AGO"],
        [DONE, "retomada", "done", "AGO"],
        [DEAD, "retomada", "dead", "AGO", "phone: no digits"],
    ]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("args", [["runs", "--json"], ["runs", "list", "--json"], ["runs", "--format", "json"]])
def test_runs_are_listed_as_json(seta: Seta, args: list[str]) -> None:
    document = json.loads(seta(*args).output)
    assert list(document) == ["schema", "runs"]
    assert document["schema"] == "seta.runs/1"
    assert [(run["id"], run["flow"], run["state"]) for run in document["runs"]] == [
        (OPEN, "erp", "accepted"),
        (DONE, "retomada", "done"),
        (DEAD, "retomada", "dead"),
    ]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (["--limit", "1"], [OPEN]),
        (["--flow", "retomada"], [DONE, DEAD]),
        (["--state", "dead"], [DEAD]),
        (["--flow", "erp", "--state", "dead"], []),
    ],
)
def test_runs_are_filtered(seta: Seta, args: list[str], ids: list[str]) -> None:
    assert [run["id"] for run in json.loads(seta("runs", *args, "--json").output)["runs"]] == ids


@pytest.mark.usefixtures("filled")
def test_list_without_rows_says_so(seta: Seta) -> None:
    assert seta("runs", "--state", "parked").output == "no such runs\n"


DEAD_SHOWN = f"""\
Run {DEAD}  dead
  flow     retomada
  plan     plan-1
  key      {DEAD}
  received 2026-01-01T00:00:00.000Z (AGO)
  ended    2026-01-01T00:00:00.005Z (AGO)

Dead letter
  no_digits: no digits
  at step phone, attempt 1, flows/retomada.seta:1:15

Payload
  {{
    "telefone": "abc"
  }}

Notes
  {{
    "left_out": [
      "/email"
    ]
  }}

No step is recorded.
"""


@pytest.mark.usefixtures("filled")
def test_dead_letter_is_shown_with_its_reason_and_place(seta: Seta) -> None:
    result = seta("runs", "show", DEAD)
    assert result.exit_code == 0
    assert plain(result.output) == DEAD_SHOWN


@pytest.mark.usefixtures("filled")
def test_run_is_shown_with_its_steps(seta: Seta) -> None:
    output = seta("runs", "show", DONE).output
    rows = [re.split(r"  +", line) for line in output.splitlines()[-3:]]
    assert [row[:4] for row in rows] == [
        ["STEP", "RECORD", "ATTEMPT", "AFTER"],
        ["upsert_person", "result", "1", "0.002 s"],
        ["send_hsm", "result", "1", "0.003 s"],
    ]
    assert '"name":"João \\u001b[31mSilva"' in rows[1][4]


@pytest.mark.usefixtures("filled")
def test_run_is_shown_as_json(seta: Seta) -> None:
    document = json.loads(seta("runs", "show", "01911111", "--json").output)
    assert document["schema"] == "seta.run/1"
    assert document["run"]["id"] == OPEN
    assert document["run"]["payload"] == [1.5]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("run_id", "told"),
    [
        ("0190", f"seta: several runs have ids that begin with 0190: {DONE}, {DEAD}\n"),
        ("x", "seta: there is no run whose id is, or begins with, x\n"),
    ],
)
def test_run_that_is_not_found_is_told(seta: Seta, run_id: str, told: str) -> None:
    result = seta("runs", "show", run_id)
    assert (result.exit_code, result.stderr, result.stdout) == (1, told, "")


@pytest.mark.usefixtures("filled")
def test_persons_are_listed_and_cannot_command_a_terminal(seta: Seta) -> None:
    rows = [re.split(r"  +", line) for line in plain(seta("persons").output).splitlines()]
    assert rows[0] == ["ID", "NAME", "PHONE", "EMAIL", "UPDATED"]
    assert rows[1][1:] == ["João \\x1b[31mSilva", "+5511999998888", "AGO"]
    document = json.loads(seta("persons", "--json").output)
    assert document["schema"] == "seta.persons/1"
    assert document["persons"][0]["name"] == "João \x1b[31mSilva"


@pytest.mark.usefixtures("filled")
def test_messages_are_listed(seta: Seta) -> None:
    rows = [re.split(r"  +", line) for line in plain(seta("outbox").output).splitlines()]
    assert rows[0] == ["ID", "TO", "TEMPLATE", "PARAMETERS", "SENT"]
    assert rows[1][1:] == ["+5511999998888", "retomada", '{"nome":"João"}', "AGO"]
    document = json.loads(seta("outbox", "--json").output)
    assert document["schema"] == "seta.outbox/1"
    assert [(message["to"], message["template"]) for message in document["outbox"]] == [("+5511999998888", "retomada")]


@pytest.mark.parametrize("args", [["runs"], ["runs", "show", "x"], ["persons"], ["outbox"]], ids=" ".join)
def test_folder_without_data_is_told_and_not_made(seta: Seta, tmp_path: Path, args: list[str]) -> None:
    result = seta(*args)
    told = "seta: there is no data in .seta yet: `seta serve` makes it, --data names another folder\n"
    assert (result.exit_code, result.stderr, result.stdout) == (1, told, "")
    assert not (tmp_path / ".seta").exists()


def test_data_folder_may_be_named_by_option_or_variable(seta: Seta, filled: Path) -> None:
    elsewhere = filled.rename(filled.with_name("elsewhere"))
    assert OPEN in seta("runs", "--data", str(elsewhere)).output
    assert OPEN in seta("runs", SETA_DATA="elsewhere").output
    assert seta("runs", "--data", "nowhere", SETA_DATA="elsewhere").exit_code == 1


def test_file_that_is_no_database_is_told(seta: Seta, filled: Path) -> None:
    (filled / "seta.db").write_text("this is no database, however long one looks at it" * 100)
    for name in ("seta.db-wal", "seta.db-shm"):
        (filled / name).unlink(missing_ok=True)
    result = seta("runs")
    assert result.exit_code == 1
    assert result.stderr.startswith("seta: ")
    assert "NotADB" in result.stderr


@pytest.mark.usefixtures("filled")
def test_colours_are_for_those_who_ask(seta: Seta) -> None:
    assert "\x1b" not in seta("runs").output
    assert "\x1b" not in seta("runs", "--color", "never").output
    assert "\x1b[1;31mdead" in seta("runs", "--color", "always").output
    assert "\x1b[1;31mdead" in seta("runs", SETA_COLOR="always").output


@pytest.mark.usefixtures("filled")
def test_runs_since_a_time_are_listed(seta: Seta) -> None:
    assert OPEN in seta("runs", "--since", "9999d").output
    assert seta("runs", "--since", "1h").output == "no such runs\n"
    result = seta("runs", "--since", "soon")
    assert (result.exit_code, "'soon' is no time such as 90s, 20m, 2h or 3d" in result.stderr) == (2, True)


@pytest.mark.usefixtures("filled")
def test_runs_are_cancelled_and_retried(seta: Seta) -> None:
    assert seta("runs", "cancel", "0191").output == f"run {OPEN} is cancelled\n"
    assert seta("runs", "retry", DEAD).output == f"run {DEAD} is accepted\n"
    result = seta("runs", "retry", DEAD)
    told = f"seta: the run {DEAD} is accepted: only one that is dead or parked can be retried\n"
    assert (result.exit_code, result.stderr, result.stdout) == (1, told, "")
    document = json.loads(seta("runs", "cancel", DEAD, "--json").output)
    assert (document["schema"], document["run"]["state"]) == ("seta.run/1", "cancelled")


@pytest.mark.parametrize(
    ("args", "steps"),
    [
        (["--sent"], [("result", None)]),
        (["--sent", "--result", '{"id": 7}'], [("result", {"id": 7})]),
        (["--not-sent"], []),
    ],
)
def test_unknown_step_is_resolved(seta: Seta, filled: Path, args: list[str], steps: list[object]) -> None:
    async def make() -> None:
        journal = await open_journal(filled, clock=lambda: AT, tables=(local.TABLES,))
        await park(journal)
        await journal.close()

    asyncio.run(make())
    assert seta("runs", "resolve", OPEN, *args).output == f"run {OPEN} is accepted\n"
    document = json.loads(seta("runs", "show", OPEN, "--json").output)
    assert [(step["kind"], step["value"]) for step in document["run"]["steps"]] == steps


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "say --sent or --not-sent"),
        (["--not-sent", "--result", "1"], "--result goes with --sent: a step that did not happen gave nothing"),
        (["--sent", "--result", "{"], "'{' is not JSON"),
    ],
)
def test_resolution_that_says_nothing_is_refused(seta: Seta, args: list[str], told: str) -> None:
    result = seta("runs", "resolve", OPEN, *args)
    assert (result.exit_code, told in result.stderr) == (2, True)
