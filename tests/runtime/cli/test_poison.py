"""Deliveries that kill the process which runs them, for real: they are found, and nothing else is lost."""

import json
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from runtime.journal.database import open_reading
from tests.runtime.cli.process import NeverReadyError, ServerProcess, seta
from tests.runtime.cli.test_serve import until

FLOW = """\
flow f
on webhook dedupe by "{n}" for 1d {n: int}
  -> m = medido(n)
  -> log m
"""
# One way to end a process in order, and one to break its memory.
PYTHON = """\
import ctypes
import os

from seta import function


@function
def medido(n: int) -> int:
    if n == 7:
        os._exit(1)
    if n == 8:
        ctypes.string_at(0)
    return n
"""
DELIVERIES = [1, 2, 7, 3, 8, 4]
MOST_DEATHS = 12


def post(url: str, n: int) -> str | None:
    """Send a delivery and give its run; None where the server died over it, and a sender sends it again."""
    request = urllib.request.Request(url, json.dumps({"n": n}).encode(), method="POST")  # noqa: S310  # our own server
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  # our own server
            return str(json.load(answer)["run"])
    except OSError:
        return None


def open_runs(folder: Path) -> int:
    with closing(open_reading(folder / ".seta" / "seta.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM runs WHERE ended_at IS NULL").get)


def live(folder: Path, accepted: dict[int, str | None]) -> bool:
    """One life of a server, to its death or until it has done all; whether it died."""
    try:
        server = ServerProcess(folder)
    except NeverReadyError:
        assert open_runs(folder)  # one of them killed it before it said that it listens
        return True
    with server:
        for n in [n for n, run in accepted.items() if run is None]:
            accepted[n] = post(server.flows["f"].url, n)
        until(lambda: server.died or not open_runs(folder))
        return server.died


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 2, 4])
def test_what_kills_the_server_becomes_a_dead_letter_and_all_else_is_done(tmp_path: Path, first: int) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "f.seta").write_text(FLOW)
    (tmp_path / "flows" / "own.py").write_text(PYTHON)
    assert seta(tmp_path, "catalog", "--write").returncode == 0
    accepted: dict[int, str | None] = dict.fromkeys(DELIVERIES[first:] + DELIVERIES[:first])
    deaths = 0
    while live(tmp_path, accepted) or None in accepted.values():
        deaths += 1
        assert deaths < MOST_DEATHS
    ends = {run["id"]: run for run in json.loads(seta(tmp_path, "runs", "--json").stdout)["runs"]}
    found = {n: (ends[str(run)]["state"], (ends[str(run)]["error"] or {}).get("code")) for n, run in accepted.items()}
    assert found == {n: ("dead", "poison") if n in (7, 8) else ("done", None) for n in DELIVERIES}
    assert len(ends) == len(DELIVERIES)
