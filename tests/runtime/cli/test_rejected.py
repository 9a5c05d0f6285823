"""`seta rejected` over a folder of data, and against a server that runs."""

import asyncio
import json
import re
import time
from pathlib import Path

import httpx
import pytest

from runtime.connections import local
from runtime.journal import open_journal
from tests.runtime.admin.conftest import AT, REJECTED, REJECTED_TOO, reject
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import ServerProcess, listed
from tests.runtime.cli.process import seta as process
from tests.runtime.cli.test_data import plain

SHOWN = f"""\
Rejected delivery {REJECTED}
  flow     retomada
  plan     plan-1
  received 2026-01-01T00:00:00.000Z (AGO)
  expires  2026-01-01T00:00:05.000Z
  x-id:    7
  ?utm=    a

Problems
  /telefone: expected phone, got nothing

Body
  {{
    "nome": "João"
  }}
"""
FORM_SHOWN = f"""\
Rejected delivery {REJECTED_TOO}
  flow     erp
  plan     plan-2
  received 2026-01-01T00:00:00.001Z (AGO)
  expires  2026-01-01T00:00:05.000Z

Problems
  /: expected object, got text
  /telefone: expected phone, got nothing

Form
  {{
    "a": "b"
  }}
"""


@pytest.fixture
def rejected(tmp_path: Path) -> None:
    """Keep two rejected deliveries in the folder of data."""

    async def make() -> None:
        journal = await open_journal(tmp_path / ".seta", clock=lambda: AT, tables=(local.TABLES,))
        await reject(journal)
        await journal.close()

    asyncio.run(make())


@pytest.mark.usefixtures("rejected")
def test_rejected_deliveries_are_listed_in_columns_that_a_pipe_can_read(seta: Seta) -> None:
    result = seta("rejected")
    rows = [re.split(r"  +", line) for line in plain(result.output).splitlines()]
    assert (result.exit_code, rows) == (
        0,
        [
            ["ID", "FLOW", "RECEIVED", "SIZE"],
            [REJECTED_TOO, "erp", "AGO", "46 bytes", "/: expected object, got text (and 1 more)"],
            [REJECTED, "retomada", "AGO", "63 bytes", "/telefone: expected phone, got nothing"],
        ],
    )


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ([], [REJECTED_TOO, REJECTED]),
        (["list", "--limit", "1"], [REJECTED_TOO]),
        (["--flow", "retomada"], [REJECTED]),
        (["--since", "1h"], []),
    ],
)
def test_rejected_deliveries_are_listed_as_json(seta: Seta, args: list[str], ids: list[str]) -> None:
    document = json.loads(seta("rejected", *args, "--json").output)
    assert (list(document), document["schema"]) == (["schema", "rejected"], "seta.rejected/1")
    assert [one["id"] for one in document["rejected"]] == ids


@pytest.mark.usefixtures("rejected")
def test_rejected_delivery_is_shown_with_its_problems_and_its_body(seta: Seta) -> None:
    assert plain(seta("rejected", "show", REJECTED).output) == SHOWN
    assert plain(seta("rejected", "show", REJECTED_TOO).output) == FORM_SHOWN
    document = json.loads(seta("rejected", "show", REJECTED, "--json").output)
    assert (document["schema"], document["rejected"]["body"]) == ("seta.rejected-delivery/1", {"nome": "João"})


@pytest.mark.usefixtures("rejected")
def test_an_id_that_is_none_or_several_is_told(seta: Seta) -> None:
    result = seta("rejected", "show", "0192")
    told = "seta: there is no rejected delivery whose id is, or begins with, 0192\n"
    assert (result.exit_code, result.stderr) == (1, told)
    result = seta("rejected", "show", "0191")
    told = f"seta: several rejected deliveries have ids that begin with 0191: {REJECTED_TOO}, {REJECTED}\n"
    assert (result.exit_code, result.stderr) == (1, told)


@pytest.mark.usefixtures("rejected")
def test_lists_without_rows_say_so(seta: Seta) -> None:
    assert seta("rejected", "--flow", "none").output == "no such rejected deliveries\n"


def test_what_a_server_answers_422_is_found_whole(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "leads.seta").write_text("flow leads\non webhook {telefone: phone}\n  -> log telefone\n")
    with ServerProcess(tmp_path) as server:
        for body in ('{"telefone":"nenhum"}', "{"):
            httpx.post(server.flows["leads"].url, content=body)
        end = time.monotonic() + 10
        while not listed(tmp_path, "rejected") and time.monotonic() < end:
            time.sleep(0.05)
        (one,) = listed(tmp_path, "rejected")
        assert (one["flow"], one["problems"]) == (
            "leads",
            [{"pointer": "/telefone", "expected": "phone", "got": "text"}],
        )
        shown = process(tmp_path, "rejected", "show", one["id"][:8], "--json")
        assert json.loads(shown.stdout)["rejected"]["body"] == {"telefone": "nenhum"}
        assert listed(tmp_path, "runs") == []
