"""Deliveries accepted and flows completed each second: `retomada.seta` on Seta, and the same by hand, in one run.

`make bench` prints the table. The peer keeps nothing on disk; Seta commits every delivery and every step. Both run on
this machine together with the load, so compare columns, not machines.
"""

import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WAIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Figures:
    """One round of one contender."""

    accepted: float  # deliveries a second
    completed: float  # flows a second, drain included
    p50_ms: float
    p99_ms: float
    memory_mb: float  # peak of the server's process


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A server that is killed at the end."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGKILL)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up waiting for {what}")
        time.sleep(0.02)


def listening(port: int) -> bool:
    """Whether somebody answers at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def memory(pid: int) -> float:
    """The peak of a process's memory in MB, where the system tells."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found.group(1)) / 1024 if found else float("nan")


def load(  # noqa: PLR0913, PLR0917  # one round is all of these
    port: int, path: str, requests: int, connections: int, done: Callable[[], int], pid: int
) -> Figures:
    """Send a round and wait until all of its flows are through."""
    before, start = done(), time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.load", f"--port={port}", f"--path={path}"]
    command += [f"--requests={requests}", f"--connections={connections}"]
    told = json.loads(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=WAIT_SECONDS).stdout
    )  # our own module
    if told["bad"]:
        raise SystemExit(f"{told['bad']} of {requests} deliveries were refused")
    until(lambda: done() - before >= requests, "the flows to end")
    seconds = time.perf_counter() - start
    return Figures(requests / told["seconds"], requests / seconds, told["p50_ms"], told["p99_ms"], memory(pid))


@contextmanager
def seta(folder: Path) -> Iterator[tuple[int, str, Callable[[], int], int]]:
    """A server with the example flows, its hook and how many of its runs are done."""
    port = free_port()
    with process(str(BIN / "seta"), "serve", f"--port={port}", f"--data={folder}", "--flows=flows") as server:
        until(lambda: listening(port), "Seta to listen")
        command = [str(BIN / "seta"), "urls", f"--data={folder}", "--json"]
        urls = json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT_SECONDS).stdout
        )["urls"]  # our own command
        url = next(row["url"] for row in urls if row["flow"] == "retomada")
        database = apsw.Connection(str(folder / "seta.db"), flags=apsw.SQLITE_OPEN_READONLY)

        def done() -> int:
            return int(str(database.execute("SELECT count(*) FROM runs WHERE state = 'done'").get))

        yield port, "/" + url.split("/", 3)[3], done, server.pid
        database.close()


@contextmanager
def peer() -> Iterator[tuple[int, str, Callable[[], int], int]]:
    """The same by hand."""
    port = free_port()
    with process(sys.executable, "-m", "tests.bench.peer", str(port)) as server:
        until(lambda: listening(port), "the peer to listen")

        def done() -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/done") as answer:  # loopback
                return int(json.load(answer)["done"])

        yield port, "/flow", done, server.pid


def main() -> None:
    """Run both in turn, print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    chosen = parser.parse_args()
    found: dict[str, list[Figures]] = {"Seta": [], "by hand": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.rounds):
            with seta(Path(folder) / str(number)) as (port, path, done, pid):
                load(port, path, chosen.requests // 10, chosen.connections, done, pid)
                found["Seta"].append(load(port, path, chosen.requests, chosen.connections, done, pid))
            with peer() as (port, path, done, pid):
                load(port, path, chosen.requests // 10, chosen.connections, done, pid)
                found["by hand"].append(load(port, path, chosen.requests, chosen.connections, done, pid))
    show(found, chosen)


def show(found: dict[str, list[Figures]], chosen: argparse.Namespace) -> None:
    """Print the table."""
    title = f"retomada.seta, {chosen.requests} deliveries, {chosen.connections} connections, median of {chosen.rounds}"
    table = Table(title=f"{title}, {os.cpu_count()} cores")
    for column in ("", "accepted/s", "completed/s", "p50 ms", "p99 ms", "peak MB"):
        table.add_column(column, justify="right" if column else "left")
    medians: dict[str, list[float]] = {}
    for name, rounds in found.items():
        columns = ("accepted", "completed", "p50_ms", "p99_ms", "memory_mb")
        medians[name] = [statistics.median(getattr(figures, column) for figures in rounds) for column in columns]
        row = medians[name]
        table.add_row(name, f"{row[0]:,.0f}", f"{row[1]:,.0f}", f"{row[2]:.1f}", f"{row[3]:.1f}", f"{row[4]:.0f}")
    ratios = [ours / theirs for ours, theirs in zip(medians["Seta"], medians["by hand"], strict=True)]
    table.add_row("ratio", *(f"{ratio:.2f}" for ratio in ratios), style="bold")
    Console().print(table)


if __name__ == "__main__":
    main()
