"""What a server serves, as the journal keeps it: for a restart that finds nothing that compiles."""

from typing import Final

import msgspec

from compiler.pipeline import Folder
from runtime.door.hooks import Table
from runtime.engine.engine import UnknownPlan
from runtime.extend.loading import Own
from runtime.folder import FolderSettings
from runtime.journal.protocol import Journal
from runtime.loader import Loaded
from runtime.plans import Programs
from runtime.steps import catalog


class Generation(msgspec.Struct, frozen=True):
    """All flows that are served at one time. Paths are as they stand in a request."""

    number: int
    at: int  # ms since the Unix epoch
    plans: dict[str, str]  # flow -> plan
    settings: FolderSettings
    paths: dict[str, str]  # path -> flow
    retired: dict[str, str]  # path that was once served and is not any more -> the flow that it was of


_read: Final = msgspec.json.Decoder(Generation).decode


def to_document(generation: Generation) -> bytes:
    """The JSON that the journal keeps."""
    return msgspec.json.encode(generation)


def following(before: Generation | None, loaded: Loaded, table: Table, now: int) -> Generation:
    """The generation after another one: that one itself, where nothing has changed."""
    plans = {program.flow: program.plan for program in loaded.programs.values()}
    paths = {hook.path: hook.flow for hook in table.values()}
    if before is None:
        return Generation(1, now, plans, loaded.settings, paths, {})
    if (before.plans, before.settings, before.paths) == (plans, loaded.settings, paths):
        return before
    gone = {path: flow for path, flow in {**before.retired, **before.paths}.items() if path not in paths}
    return Generation(before.number + 1, now, plans, loaded.settings, paths, gone)


async def last_generation(journal: Journal) -> Generation | None:
    """The one that was committed last. Raises msgspec.ValidationError where another version wrote it otherwise."""
    document = await journal.generation()
    return None if document is None else _read(document)


async def restore(journal: Journal, generation: Generation, own: Own) -> Loaded:
    """Make the programs of a generation again from what is kept of their plans; their Python is today's.

    Raises UnknownPlan.
    """
    programs, made = Programs({}, own), {}
    for flow, plan in generation.plans.items():
        try:
            made[flow] = await programs.find(plan, await journal.plan(plan))
        except UnknownPlan as unknown:
            raise UnknownPlan(f"{flow}: {unknown}") from unknown
    return Loaded(made, Folder((), ()), generation.settings.config, generation.settings, catalog(), own)
