"""Commands find the data: in a server that runs, or in the folder."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from runtime.admin.app import Admin
from runtime.admin.connect import connect
from runtime.admin.documents import Url
from runtime.admin.operations import LocalOperations, RejectedFilter, RunFilter, UnclearIdError, UnknownIdError
from runtime.admin.remote import RefusedError, RemoteOperations
from runtime.engine.hands import WrongState
from runtime.journal import FolderInUse, SqliteJournal
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Record
from runtime.listening import Listener
from runtime.privacy.erasure import Counts
from runtime.privacy.traces import Keys
from runtime.settings import Settings
from tests.runtime.admin.conftest import AT, DEAD, DONE, OPEN, PARKED_STEP, REJECTED, REJECTED_TOO, Seen, park, reject
from tests.runtime.admin.conftest import operations as operations_of

RETOMADA = RunFilter("retomada", RunState.DEAD, AT)
URL = Url("erp", "POST", "http://127.0.0.1:8400/v1/a", "{}")


def seen_by(key: bytes) -> Seen:
    return Seen([Url("erp", "POST", f"/{len(key)}", "{}")])


async def ready() -> tuple[int, Any]:
    return 200, {"ready": True}


@asynccontextmanager
async def served(journal: SqliteJournal, folder: Path) -> AsyncIterator[Settings]:
    """Serve a journal at the socket of its folder, as a server does."""
    settings = Settings(data=folder)
    admin = Admin(operations_of(journal, [URL]), ready)
    listener = Listener(admin, settings, settings.socket)
    await listener.start()
    try:
        yield settings
    finally:
        assert await listener.stop(5)


async def test_server_that_runs_is_asked(journal: SqliteJournal, folder: Path) -> None:
    async with served(journal, folder) as settings, connect(settings, seen_by) as operations:
        assert isinstance(operations, RemoteOperations)
        assert await operations.urls() == [URL]
        assert await operations.openapi() == {"openapi": "3.1.0", "of": None}
        assert await operations.openapi("erp") == {"openapi": "3.1.0", "of": "erp"}
        with pytest.raises(RefusedError, match=r"^there is no flow nota, but there are: erp$"):
            await operations.openapi("nota")


async def test_both_kinds_of_operations_give_the_same(journal: SqliteJournal, folder: Path) -> None:
    own = operations_of(journal, [URL])
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        assert await remote.runs(10) == await own.runs(10)
        assert [run.id for run in await remote.runs(10)] == [OPEN, DONE, DEAD]
        assert await remote.runs(10, RETOMADA) == await own.runs(10, RETOMADA)
        assert await remote.runs(1) == await own.runs(1)
        assert await remote.persons(10) == await own.persons(10)
        assert await remote.outbox(10) == await own.outbox(10)
        assert await remote.run(OPEN) == await own.run(OPEN)
        assert (await remote.run("0191")).id == OPEN
        assert bytes((await remote.run("0191")).payload) == b"[1.50]"


async def test_both_kinds_of_operations_give_the_same_rejected_deliveries(journal: SqliteJournal, folder: Path) -> None:
    await reject(journal)
    own = operations_of(journal)
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        assert await remote.rejected(10) == await own.rejected(10)
        only = RejectedFilter("retomada", AT)
        assert [one.id for one in await remote.rejected(10, only)] == [REJECTED]
        assert await remote.rejected(10, only) == await own.rejected(10, only)
        for operations in (own, remote):
            assert bytes((await operations.rejected_delivery(REJECTED)).body) == b'{ "nome": "Jo\xc3\xa3o" }'
            assert (await operations.rejected_delivery(REJECTED_TOO)).form
            with pytest.raises(UnknownIdError, match="no rejected delivery whose id is, or begins with, a/b c"):
                await operations.rejected_delivery("a/b c")
            with pytest.raises(UnclearIdError, match="several rejected deliveries have ids that begin with 0191: "):
                await operations.rejected_delivery("0191")


async def test_both_kinds_of_operations_find_and_erase_the_same_person(journal: SqliteJournal, folder: Path) -> None:
    await reject(journal)
    own = operations_of(journal)
    joao = Keys("+5511999998888")
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        found = await remote.privacy_find(joao)
        assert found == await own.privacy_find(joao)
        assert ([run.id for run in found.runs], found.counts) == ([DONE], Counts(1, 0, 0, 0, 1, 1))
        erased = await remote.privacy_erase(joao, cancel=False)
        assert (erased.counts, erased.cancelled, erased.log_is_clean) == (found.counts, 0, True)
        assert (await own.privacy_find(joao)).counts == Counts(0, 0, 0, 0, 0, 0)
        with pytest.raises(RefusedError, match="neither phone nor email is given"):
            await remote.privacy_find(Keys())


async def test_runs_that_have_not_ended_are_erased_only_where_that_is_asked_for(
    journal: SqliteJournal, folder: Path
) -> None:
    await journal.commit(Record(3, "get", Kind.RESULT, b"h", AT, value=b'"ana@example.com"'))
    ana = Keys(email="ana@example.com")
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        with pytest.raises(WrongState, match=f"^a run that holds it has not ended: {OPEN} "):
            await remote.privacy_erase(ana, cancel=False)
        assert (await remote.privacy_erase(ana, cancel=True)).cancelled == 1
        with pytest.raises(UnknownIdError):
            await remote.run(OPEN)


async def test_both_kinds_of_operations_refuse_the_same(journal: SqliteJournal, folder: Path) -> None:
    own = operations_of(journal)
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        for operations in (own, remote):
            with pytest.raises(UnknownIdError, match="there is no run whose id is, or begins with, a/b c"):
                await operations.run("a/b c")
            with pytest.raises(UnknownIdError, match="there is no run whose id is, or begins with, a/b c"):
                await operations.cancel("a/b c")
            with pytest.raises(WrongState, match=f"^the run {DONE} is done: only one that is dead or parked"):
                await operations.retry(DONE)
            with pytest.raises(UnclearIdError) as unclear:
                await operations.run("0190")
            assert unclear.value.ids == [DONE, DEAD]


async def test_runs_are_changed_over_the_socket(journal: SqliteJournal, folder: Path) -> None:
    await park(journal)
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        assert (await remote.retry(DEAD)).state is RunState.ACCEPTED
        run = await remote.resolve(OPEN, b'{"id": 7}')
        assert [(step.step, bytes(step.value)) for step in run.steps] == [(PARKED_STEP, b'{"id": 7}')]
        await park(journal)
        assert (await remote.resolve(OPEN, None)).state is RunState.ACCEPTED
        assert (await remote.cancel("0191")).state is RunState.CANCELLED


async def test_paths_of_backups_are_absolute(journal: SqliteJournal, folder: Path, tmp_path: Path) -> None:
    async with served(journal, folder) as settings, connect(settings, seen_by) as remote:
        assert await remote.release() == 0
        with pytest.raises(RefusedError, match="the path is not absolute"):
            await remote.backup(Path("copy.db"))
        await remote.backup(tmp_path / "copy.db")
        with pytest.raises(WrongState, match="there is a file"):
            await remote.backup(tmp_path / "copy.db")


async def test_refusal_of_the_server_is_passed_on(journal: SqliteJournal, folder: Path) -> None:
    async with served(journal, folder) as settings, connect(settings, seen_by) as operations:
        with pytest.raises(RefusedError, match="limit is a number from 1 to 10000"):
            await operations.runs(0)


async def test_without_a_server_the_folder_is_opened_and_let_go(journal: SqliteJournal, folder: Path) -> None:
    await journal.close()
    for _ in range(2):
        async with connect(Settings(data=folder), seen_by) as operations:
            assert isinstance(operations, LocalOperations)
            assert [run.id for run in await operations.runs(10)] == [OPEN, DONE, DEAD]
            assert await operations.urls() == [Url("erp", "POST", "/32", "{}")]


async def test_socket_that_is_left_over_is_passed_by(journal: SqliteJournal, folder: Path) -> None:
    await journal.close()
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(folder / "admin.sock"))
    async with connect(Settings(data=folder), seen_by) as operations:
        assert isinstance(operations, LocalOperations)


async def test_folder_of_a_process_that_does_not_answer_is_told(journal: SqliteJournal, folder: Path) -> None:
    assert journal.url_key
    with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
        async with connect(Settings(data=folder), seen_by, wait=0.1):
            pass


async def test_server_that_is_starting_is_waited_for(journal: SqliteJournal, folder: Path) -> None:
    async def ask() -> int:
        async with connect(Settings(data=folder), seen_by) as operations:
            return len(await operations.runs(10))

    asked = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    async with served(journal, folder):
        assert await asked == 3
