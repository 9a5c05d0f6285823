"""`seta replay`: past deliveries once more, on the plans of today."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.admin.changes import MOST_REPLAYS
from runtime.admin.documents import ReplayList
from runtime.admin.operations import Operations
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for
from runtime.cli.folder import load_or_refuse, python_or_refuse
from runtime.cli.problems import Problem
from runtime.engine.again import ENDS, Wanted
from runtime.engine.rejudging import WantedRejected
from runtime.engine.starting import Page, Replayed
from runtime.journal.rows import RunState

_PAGES_A_SECOND: Final = 5
_PROBLEMS_SHOWN: Final = 10
_RATE: Final = re.compile(r"([1-9]\d{0,5})/(s|m)")

Show = Callable[[Page], None]


class _Rate(click.ParamType[float]):
    """So many a second or a minute: 50/s, 30/m; gives them a second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        if isinstance(value, float):
            return value
        found = _RATE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no rate such as 50/s or 30/m", param, ctx)
        return int(found[1]) / (1 if found[2] == "s" else 60)


@click.command(
    "replay",
    epilog=options.examples(
        "seta replay --flow leads --since 2h --dry-run",
        "seta replay --flow leads --since 2h --rate 50/s",
        "seta replay --state done --since 1d --again",
        "seta replay --rejected --flow leads",
    ),
)
@options.data
@options.flows
@click.option("--flow", metavar="NAME", help="Of this flow only.")
@click.option(
    "--state", type=click.Choice([state.value for state in ENDS]), help="How the runs ended.  [default: dead]"
)
@click.option("--rejected", is_flag=True, help="Not runs, but deliveries that once did not fit their flow.")
@options.since
@click.option("--rate", type=_Rate(), default="50/s", show_default=True, metavar="N/s|N/m", help="How fast.")
@click.option("--again", is_flag=True, help="Do every step again, also those whose result is recorded.")
@click.option("--same-key", is_flag=True, help="Hand out the same idempotency keys as the first time.")
@click.option("--dry-run", is_flag=True, help="Say what would be replayed, and start nothing.")
@options.output("text", "json")
@options.color
def command(  # noqa: PLR0913  # one an option
    *,
    data: Path,
    flows: Path,
    flow: str | None,
    state: str | None,
    rejected: bool,
    since: int | None,
    rate: float,
    again: bool,
    same_key: bool,
    dry_run: bool,
    format_: str,
    color: str,
) -> None:
    """Start new runs of past deliveries, on the plans of today.

    These are the plans that the server serves. Without a server they are those of the folder of flows, and the next
    server runs what was replayed.

    A result that is recorded counts where the step and its arguments are the same. The runs of the past stay as they
    are: `seta runs retry` lets one go on instead. With --rejected, deliveries that fit now become runs and are rejected
    no more. The exit code is 1 if a delivery does not fit its flow.
    """
    if rejected and (state or again or same_key):
        raise click.UsageError("--rejected goes without --state, --again and --same-key: such deliveries had no run")
    received = terminal.before_now(since)
    wanted: Wanted | WantedRejected = (
        WantedRejected(flow, received, dry_run)
        if rejected
        else Wanted(RunState(state or RunState.DEAD), flow, received, again, same_key, dry_run)
    )
    to = terminal.console(color)
    with _progress(to, shown=to.is_terminal and format_ == "text" and not dry_run) as show:
        found = ask(
            settings_for(data),
            lambda operations: _replay(operations, wanted, rate, show),
            lambda: load_or_refuse(flows, color, python_or_refuse(flows)).programs,
        )
    if format_ == "json":
        terminal.show_json(found)
    else:
        _tell(to, found, wanted)
    unfit = sum(one.problem is not None for one in found.replays)
    if unfit:
        raise Problem(f"{unfit} of {len(found.replays)} cannot be replayed")


async def _replay(operations: Operations, wanted: Wanted | WantedRejected, rate: float, show: Show) -> ReplayList:
    replays: list[Replayed] = []
    served = True
    async for page in _pages(operations, wanted, rate):
        replays += page.replays
        served = page.served
        show(page)
    return ReplayList(replays, served=served)


async def _pages(operations: Operations, wanted: Wanted | WantedRejected, rate: float) -> AsyncIterator[Page]:
    """Ask for page after page, none before its time has come; where nothing runs yet, all at once."""
    loop = asyncio.get_running_loop()
    size = MOST_REPLAYS if wanted.dry else max(1, min(MOST_REPLAYS, int(rate / _PAGES_A_SECOND)))
    due, after, upto = loop.time(), 0, None
    while True:
        page = await _page(operations, wanted, (after, upto, size))
        yield page
        if page.next is None:
            return
        after, upto = page.next, page.upto
        due += len(page.replays) / rate if page.served and not wanted.dry else 0
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _page(operations: Operations, wanted: Wanted | WantedRejected, where: tuple[int, int | None, int]) -> Page:
    if isinstance(wanted, Wanted):
        return await operations.replay(wanted, *where)
    return await operations.replay_rejected(wanted, *where)


def _progress(to: Console, *, shown: bool) -> AbstractContextManager[Show]:
    """A bar of how far the numbers of the runs are gone through."""
    return _Bar(to) if shown else nullcontext(lambda _: None)


class _Bar(AbstractContextManager[Show]):
    def __init__(self, to: Console) -> None:
        columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=to, transient=True)
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Show:
        self._progress.start()
        return self._show

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _show(self, page: Page) -> None:
        self._progress.update(self._task, total=page.upto, completed=page.next or page.upto)


def _tell(to: Console, found: ReplayList, wanted: Wanted | WantedRejected) -> None:
    one, several = ("run", "runs") if isinstance(wanted, Wanted) else ("rejected delivery", "rejected deliveries")
    if not found.replays:
        to.out(f"no such {several}", highlight=False)
        return
    unfit = [replay for replay in found.replays if replay.problem is not None]
    fit = len(found.replays) - len(unfit)
    done = "would be replayed" if wanted.dry else "replayed"
    to.out(f"{fit} {one if fit == 1 else several} {done}{_after(found, wanted)}", highlight=False)
    for replay in unfit[:_PROBLEMS_SHOWN]:
        to.print(terminal.styled(f"  {replay.of}: {replay.problem}"), soft_wrap=True)
    if len(unfit) > _PROBLEMS_SHOWN:
        to.out(f"  and {len(unfit) - _PROBLEMS_SHOWN} more", highlight=False)


def _after(found: ReplayList, wanted: Wanted | WantedRejected) -> str:
    """What else is to be said of those that were replayed."""
    repeats = sum(replay.repeat for replay in found.replays)
    told = f", {repeats} as {'a repeat' if repeats == 1 else 'repeats'} of runs that there were" if repeats else ""
    begun = sum(replay.run is not None and not replay.repeat for replay in found.replays)
    return f"{told}: the next `seta serve` runs them" if begun and not found.served and not wanted.dry else told
