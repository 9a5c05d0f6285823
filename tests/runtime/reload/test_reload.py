"""A folder is read again: all of it is put in force, or the flows before go on and it is said why."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.admin.remote import RefusedError, RemoteOperations
from runtime.frozen import loaded_python
from runtime.listening import ServeError
from runtime.loader import load
from runtime.reload.compiling import Refused, compile_apart, refusal
from runtime.serve import Started, Stop, serve
from runtime.settings import Address, Settings, parse_opening
from runtime.steps import catalog
from tests.receiver import Receiver
from tests.runtime.cli.process import ServerProcess, seta

HELLO = 'flow {name}\non webhook "/{path}" open {{n: int}}\n  -> log {what}\n'
BROKEN = "flow a\non webhook {n: int}\n  -> lgo n\n"


def put(folder: Path, name: str, what: str = "n", path: str | None = None) -> None:
    """Write a flow; it is served at /NAME."""
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / f"{name}.seta").write_text(HELLO.format(name=name, path=path or name, what=what))


class Served:
    """A server in this process, and what to ask it."""

    def __init__(self, started: Started, stop: Stop) -> None:
        self.base = f"http://{started.settings.listen}"
        self.stop = stop
        self.admin = RemoteOperations(started.settings.socket)

    async def post(self, path: str, n: int = 1) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(f"{self.base}{path}", json={"n": n})

    async def statuses(self, *paths: str) -> list[int]:
        return [(await self.post(path)).status_code for path in paths]

    async def logged(self, run: str) -> Any:
        """What the run wrote into its log."""
        async with asyncio.timeout(5):
            while not (steps := (await self.admin.run(run)).steps):
                await asyncio.sleep(0.01)
        return json.loads(bytes(steps[0].value))

    async def generation(self) -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(self.socket))) as client:
            document: dict[str, Any] = (await client.get("http://seta/readyz")).json()
        assert document["ready"] is True
        found: dict[str, Any] = document["generation"]
        return found

    @property
    def socket(self) -> Path:
        return self.settings.socket

    settings: Settings


@asynccontextmanager
async def serving(folder: Path, **changes: Any) -> AsyncIterator[Served]:
    settings = Settings(
        **{
            "flows": folder / "flows",
            "data": folder / "data",
            "listen": Address("127.0.0.1", 0),
            "grace": 1.0,
            **changes,
        }
    )
    loaded = load(settings.flows, catalog(), loaded_python(settings.flows, catalog()))
    started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    stop = Stop()
    task = asyncio.create_task(
        serve(settings, refusal(settings.flows, loaded.folder) or loaded, started.set_result, stop)
    )
    ends: list[asyncio.Future[Any]] = [task, started]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    served = Served(await started, stop)
    served.settings = settings
    try:
        yield served
    finally:
        await served.admin.close()
        stop.asked.set()
        assert await task == 0


async def test_all_of_a_new_generation_is_served_and_what_is_gone_answers_410(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b")
    async with serving(tmp_path) as server:
        assert await server.statuses("/a", "/b", "/c") == [200, 200, 404]
        put(tmp_path, "a", '"changed {n}"')
        put(tmp_path, "c")
        (tmp_path / "flows" / "b.seta").unlink()
        reloaded = await server.admin.reload()
        assert (reloaded.generation, reloaded.flows) == (2, ["a", "c"])
        assert await server.logged((await server.post("/a", 5)).json()["run"]) == "changed 5"
        assert await server.statuses("/b", "/c", "/d") == [410, 200, 404]
        assert (await server.post("/b")).json() == {
            "type": "urn:seta:problem:gone",
            "title": "Nothing is served at this address any more",
            "status": 410,
            "detail": "Its flow was removed or has another address: ask who owns it, and send nothing more here."
            " Nothing was stored.",
        }


async def test_a_path_that_is_left_stays_gone_over_restarts_until_it_is_served_again(tmp_path: Path) -> None:
    put(tmp_path, "a")
    async with serving(tmp_path) as server:
        put(tmp_path, "a", path="elsewhere")
        await server.admin.reload()
        assert await server.statuses("/a", "/elsewhere") == [410, 200]
    async with serving(tmp_path) as server:
        assert (await server.generation())["number"] == 2
        assert await server.statuses("/a", "/elsewhere") == [410, 200]
        put(tmp_path, "b", path="a")
        await server.admin.reload()
        assert await server.statuses("/a", "/elsewhere") == [200, 200]


async def test_a_folder_that_does_not_compile_changes_nothing_and_it_is_said_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b")
    async with serving(tmp_path) as server:
        (tmp_path / "flows" / "a.seta").write_text(BROKEN)
        (tmp_path / "flows" / "b.seta").unlink()
        with pytest.raises(RefusedError) as refused:
            await server.admin.reload()
        assert str(refused.value).startswith("error[E")
        assert str(refused.value).endswith("\n1 error in 1 file")
        assert await server.statuses("/a", "/b") == [200, 200]
        told = await server.generation()
        assert (told["number"], told["refused"]) == (1, "1 error in 1 file")
        assert told["detail"].startswith("error[E")
        assert "the folder cannot be served, generation 1 goes on: 1 error in 1 file\nerror[E" in caplog.text
        put(tmp_path, "a")
        assert (await server.admin.reload()).generation == 2
        assert "refused" not in await server.generation()


async def test_a_restart_serves_the_last_generation_if_the_folder_does_not_compile(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "a", "config.word")
    (tmp_path / "flows" / "seta.toml").write_text('[config]\nword = "old"\n')
    async with serving(tmp_path) as server:
        pass
    (tmp_path / "flows" / "a.seta").write_text(BROKEN)
    (tmp_path / "flows" / "seta.toml").write_text('[config]\nword = "new"\n')
    async with serving(tmp_path) as server:
        assert await server.logged((await server.post("/a")).json()["run"]) == "old"
        assert (await server.generation())["refused"] == "1 error in 1 file"
        assert "the folder cannot be served, generation 1 goes on: 1 error in 1 file" in caplog.text
        put(tmp_path, "a", "config.word")
        assert (await server.admin.reload()).generation == 2
        assert await server.logged((await server.post("/a")).json()["run"]) == "new"


async def test_a_first_start_with_a_folder_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "flows" / "a.seta").write_text(BROKEN)
    with pytest.raises(ServeError, match=r"^1 error in 1 file$"):
        async with serving(tmp_path):
            pass
    assert not (tmp_path / "data").exists()


async def test_configuration_and_secrets_are_those_of_the_folder_as_it_is_now(tmp_path: Path) -> None:
    put(tmp_path, "a", '"{config.word}"')
    put(tmp_path, "s", 'hmac_sha256(secret.KEY, "x")')
    toml = '[config]\nword = "{}"\n[secrets]\nKEY = "file:key"\n'
    (tmp_path / "flows" / "seta.toml").write_text(toml.format("old"))
    (tmp_path / "flows" / "key").write_text("1")
    async with serving(tmp_path) as server:
        first = await server.logged((await server.post("/s")).json()["run"])
        (tmp_path / "flows" / "seta.toml").write_text(toml.format("new"))
        (tmp_path / "flows" / "key").write_text("2")
        await server.admin.reload()
        assert await server.logged((await server.post("/a")).json()["run"]) == "new"
        assert await server.logged((await server.post("/s")).json()["run"]) != first
        (tmp_path / "flows" / "key").unlink()
        with pytest.raises(RefusedError, match=r"^the secret KEY cannot be read from key: "):
            await server.admin.reload()
        assert await server.statuses("/s") == [200]


ERP = """\
[connections.erp]
kind = "http"
url = "{url}"
auth = {{kind = "bearer", token = "file:token"}}
"""


async def test_connections_and_their_secrets_are_those_of_the_folder_as_it_is_now(tmp_path: Path) -> None:
    put(tmp_path, "a")
    flows = tmp_path / "flows"
    (flows / "a.seta").write_text(
        'flow a\non webhook "/a" open {n: int}\n  -> post "/x" via erp with {n} as r\n  -> log r.id\n'
    )
    async with Receiver() as old, Receiver() as new:
        opened = tuple(parse_opening(f"127.0.0.1:{receiver.port}") for receiver in (old, new))
        (flows / "seta.toml").write_text(ERP.format(url=old.url))
        with pytest.raises(ServeError, match=r"^a secret of the connection erp cannot be read from token: "):
            async with serving(tmp_path, allow_outbound=opened):
                pass
        (flows / "token").write_text("one")
        async with serving(tmp_path, allow_outbound=opened) as server:
            await server.logged((await server.post("/a")).json()["run"])
            (flows / "seta.toml").write_text(ERP.format(url=f"{new.url}/v2"))
            (flows / "token").write_text("two")
            assert (await server.admin.reload()).generation == 2
            await server.logged((await server.post("/a")).json()["run"])
            (flows / "token").unlink()
            with pytest.raises(RefusedError, match=r"^a secret of the connection erp cannot be read from token: "):
                await server.admin.reload()
            await server.logged((await server.post("/a")).json()["run"])
        assert [(one.path, one.headers["authorization"]) for one in (*old.requests, *new.requests)] == [
            ("/x", "Bearer one"),
            ("/v2/x", "Bearer two"),
            ("/v2/x", "Bearer two"),
        ]


async def test_a_restart_serves_the_last_generation_over_its_own_connections(tmp_path: Path) -> None:
    put(tmp_path, "a")
    flows = tmp_path / "flows"
    (flows / "a.seta").write_text(
        'flow a\non webhook "/a" open {n: int}\n  -> post "/x" via erp with {n} as r\n  -> log r.id\n'
    )
    (flows / "token").write_text("one")
    async with Receiver() as erp:
        opened = (parse_opening(f"127.0.0.1:{erp.port}"),)
        (flows / "seta.toml").write_text(ERP.format(url=erp.url))
        async with serving(tmp_path, allow_outbound=opened):
            pass
        (flows / "seta.toml").unlink()
        async with serving(tmp_path, allow_outbound=opened) as server:
            assert await server.logged((await server.post("/a")).json()["run"]) == {"id": 1}


OWN = 'from seta import function\n\n@function\ndef greeting(n: int) -> str:\n    return f"{} {{n}}"\n'


async def test_the_folders_own_python_is_that_of_today_and_one_that_is_broken_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a", "greeting(n)")
    (tmp_path / "flows" / "own.py").write_text(OWN.format("hello"))
    assert seta(tmp_path, "catalog", "--write").returncode == 0
    async with serving(tmp_path) as server:
        assert await server.logged((await server.post("/a")).json()["run"]) == "hello 1"
        (tmp_path / "flows" / "own.py").write_text(OWN.format("bom dia"))
        await server.admin.reload()
        assert await server.logged((await server.post("/a")).json()["run"]) == "bom dia 1"
        (tmp_path / "flows" / "own.py").write_text("from seta import function\nprint('x'); raise RuntimeError('no')\n")
        with pytest.raises(RefusedError, match="the module cannot be imported: RuntimeError: no"):
            await server.admin.reload()
        assert await server.logged((await server.post("/a")).json()["run"]) == "bom dia 1"


async def test_runs_under_way_end_on_the_plan_that_they_began_with(tmp_path: Path) -> None:
    flow = 'flow a\non webhook "/a" open {{n: int}}\n  -> wait 300ms\n  -> log "{} {{n}}"\n'
    put(tmp_path, "a")
    (tmp_path / "flows" / "a.seta").write_text(flow.format("old"))
    async with serving(tmp_path) as server:
        run = (await server.post("/a", 7)).json()["run"]
        (tmp_path / "flows" / "a.seta").write_text(flow.format("new"))
        await server.admin.reload()
        async with asyncio.timeout(5):
            while (found := await server.admin.run(run)).state.value != "done":
                await asyncio.sleep(0.02)
        assert [json.loads(bytes(step.value)) for step in found.steps if step.kind == "log"] == ["old 7"]


async def test_a_folder_that_is_watched_is_reloaded_once_it_has_settled(tmp_path: Path) -> None:
    put(tmp_path, "a")
    async with serving(tmp_path, watch=True) as server:
        put(tmp_path, "b")
        async with asyncio.timeout(15):
            while (await server.statuses("/b")) != [200]:
                await asyncio.sleep(0.05)
        assert (await server.generation())["number"] == 2


async def test_what_takes_too_long_to_compile_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a")
    assert await compile_apart(tmp_path / "flows", limit=0.01) == Refused("it takes longer than 0.01 s to compile")


async def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    why = f"there is no folder {tmp_path / 'flows'}: name the folder of your flows with --flows"
    assert await compile_apart(tmp_path / "flows") == Refused(why)


def test_the_command_and_a_signal_reload_a_server(tmp_path: Path) -> None:
    put(tmp_path, "a")
    with ServerProcess(tmp_path) as server:
        put(tmp_path, "b")
        done = seta(tmp_path, "reload")
        assert (done.returncode, done.stdout, done.stderr) == (0, "Generation 2 is served: a, b\n", "")
        (tmp_path / "flows" / "a.seta").write_text(BROKEN)
        done = seta(tmp_path, "reload")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("seta: error[E")
        assert done.stderr.endswith("1 error in 1 file\n")
        put(tmp_path, "a", path="again")
        server.signal(signal.SIGHUP)
        assert json.loads(seta(tmp_path, "reload", "--json").stdout) == {
            "schema": "seta.reload/1",
            "generation": 3,
            "flows": ["a", "b"],
        }
        assert '"generation 3 is served (flows: 2)"' in server.errors
    done = seta(tmp_path, "reload")
    assert (done.returncode, done.stderr) == (
        1,
        "seta: no server runs on .seta: --data names another folder, `seta serve` starts one\n",
    )
