"""Processes: what they see, how they end, and that the pool goes on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

import pytest

from runtime.code import CodePool, compile_block
from runtime.failures import Kind, StepFailure

ROOT = Path(__file__).parents[3]
Run = Callable[..., Coroutine[None, None, bytes]]


async def failure(call: Awaitable[bytes]) -> StepFailure:
    with pytest.raises(StepFailure) as caught:
        await call
    return caught.value


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def descriptors() -> list[Path]:
    return list(Path("/proc/self/fd").iterdir())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def vanish(*pids: int) -> None:
    async with asyncio.timeout(2):
        while any(is_running(pid) for pid in pids):  # nothing tells of it
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("pool")
async def test_no_process_starts_before_the_first_call() -> None:
    assert children() == set()


async def test_the_environment_has_three_names_and_no_secret(run: Run) -> None:
    seen = json.loads(await run("import os; return dict(os.environ)"))
    assert seen == {"PATH": os.environ["PATH"], "LANG": "pt_BR.UTF-8", "TZ": "UTC"}


async def test_no_descriptor_is_inherited(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003  # takes no keyword
        result = await run("""
            import os
            paths = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")]
            return [os.readlink(path) for path in paths if os.path.lexists(path)]
            """)
    kinds = sorted(link.split(":")[0] for link in json.loads(result))
    assert kinds == ["/dev/null", "pipe", "pipe", "pipe", "socket", "socket"]


async def test_the_working_directory_cannot_be_imported_from(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a checkout of ours may be installed, and then is on the path in its own right
    seen = json.loads(await run("import os, sys; return [os.getcwd(), *sys.path]"))
    assert seen[0] == "/"
    assert not {"", ".", str(tmp_path), str(ROOT / "runtime" / "code")} & set(seen)


async def test_memory_and_core_are_limited(run: Run) -> None:
    result = await run("""
        import resource
        return [resource.getrlimit(n) for n in (resource.RLIMIT_AS, resource.RLIMIT_CORE)]
        """)
    assert json.loads(result) == [[256 * 1024 * 1024] * 2, [0, 0]]


async def test_an_endless_loop_is_killed_at_its_limit(run: Run, printed: list[str]) -> None:
    started = time.monotonic()
    failed = await failure(run("while True:\n    pass", limit=0.3))
    assert str(failed) == "code_timeout: the code ran for longer than 0.3 s"
    assert failed.kind is Kind.PERMANENT
    assert 0.3 <= time.monotonic() - started < 2
    assert 'File "flows/erp.seta", line 1' in "".join(printed)  # where it was
    assert await run("return 1") == b"1"


async def test_a_limit_that_the_code_refuses_to_die_at_still_holds(run: Run) -> None:
    source = "import signal\nsignal.signal(signal.SIGABRT, signal.SIG_IGN)\nwhile True: pass"
    assert (await failure(run(source, limit=0.2))).code == "code_timeout"
    await vanish(*children())
    assert await run("return 1") == b"1"


async def test_what_a_killed_block_has_started_is_killed_too(run: Run, tmp_path: Path) -> None:
    source = """
        import subprocess
        child = subprocess.Popen(["sleep", "60"])
        with open(path, "w") as file:
            file.write(str(child.pid))
        child.wait()
        """
    await failure(run(source, limit=0.4, path=str(tmp_path / "pid")))
    await vanish(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import ctypes; ctypes.string_at(0)", "signal 11, Segmentation fault"),
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9, Killed"),
        ("import os, time; os.closerange(3, 4096); time.sleep(9)", "it closed its channel"),
        ("import os, time; os.closerange(0, 4096); time.sleep(9)", "it closed its channel"),
    ],
)
async def test_a_crash_is_a_failure_of_that_call_only(run: Run, source: str, reason: str) -> None:
    failed = await failure(run(source))
    assert str(failed) == f"code_crashed: the code's process died: {reason}"
    assert failed.kind is Kind.PERMANENT
    assert await run("return 1") == b"1"


async def test_a_block_that_forks_answers_once(run: Run) -> None:
    pid = int(await run("import os\nreturn os.fork()"))
    assert pid > 0
    assert await run("return 1") == b"1"
    await vanish(pid)


async def test_a_forked_process_that_fails_is_not_the_block_s_failure(run: Run) -> None:
    pid = int(await run("import os\npid = os.fork()\nif pid == 0: raise ValueError('child')\nreturn pid"))
    assert await run("return 1") == b"1"
    await vanish(pid)


async def test_a_forked_process_that_lives_on_does_not_hide_a_crash(run: Run, tmp_path: Path) -> None:
    source = """
        import os, time
        child = os.fork()
        if child == 0:
            time.sleep(60)
        with open(path, "w") as file:
            file.write(str(child))
        os._exit(3)
        """
    failed = await failure(run(source, limit=20, path=str(tmp_path / "pid")))
    assert str(failed) == "code_crashed: the code's process died: exit code 3"
    await vanish(int((tmp_path / "pid").read_text()))


async def test_a_segfault_prints_where_it_happened(run: Run, printed: list[str]) -> None:
    await failure(run("print('before')\nimport ctypes\nctypes.string_at(0)"))
    assert "".join(printed).startswith("before\nFatal Python error: Segmentation fault")
    assert 'File "flows/erp.seta", line 14 in code' in "".join(printed)


async def test_a_memory_hog_fails_and_the_next_call_has_memory_again(run: Run) -> None:
    failed = await failure(run("hog = []\nwhile True:\n    hog.append(' ' * 1_000_000)"))
    assert str(failed) == "code_failed: MemoryError  (flows/erp.seta:14)"
    assert await run("return len(' ' * 150_000_000)") == b"150000000"


async def test_a_worker_that_keeps_much_memory_is_replaced(run: Run) -> None:
    source = "import os, sys\nsys.kept = ' ' * size\nreturn os.getpid()"
    small = await run(source, size=1_000_000)
    assert await run(source, size=180_000_000) == small
    assert await run(source, size=1_000_000) != small


async def test_a_worker_that_dies_while_idle_fails_nobody(run: Run) -> None:
    pid = int(await run("import os; return os.getpid()"))
    os.kill(pid, signal.SIGKILL)
    await vanish(pid)
    assert await run("return 1") == b"1"


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        ("/bin/false", "exit code 1"),
        ("/bin/none", "[Errno 2] No such file or directory: '/bin/none'"),
    ],
)
async def test_a_pool_that_cannot_start_a_process_says_that_nothing_was_done(
    run: Run, monkeypatch: pytest.MonkeyPatch, python: str, reason: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", python)
        failed = await failure(run("return 1"))
    assert str(failed) == f"code_unavailable: no process for the code: {reason}"
    assert failed.kind is Kind.NOT_DONE
    assert await run("return 1") == b"1"


async def test_calls_run_side_by_side_and_wait_their_turn(run: Run) -> None:
    source = "import os, time\ntime.sleep(0.2)\nreturn [n, os.getpid()]"
    await asyncio.gather(run("return 1"), run("return 1"))
    order: list[int] = []

    async def call(n: int) -> int:
        number, pid = json.loads(await run(source, n=n))
        order.append(number)
        return int(pid)

    pids = await asyncio.gather(*map(call, range(6)))
    assert len(set(pids)) == 2
    assert [{*order[i : i + 2]} for i in (0, 2, 4)] == [{0, 1}, {2, 3}, {4, 5}]


async def test_results_do_not_mix(run: Run) -> None:
    results = await asyncio.gather(*(run("return n", n=n) for n in range(200)))
    assert results == [b"%d" % n for n in range(200)]


async def test_large_arguments_and_results_pass(run: Run) -> None:
    text = "é" * 2_000_000
    assert json.loads(await run("return text", text=text)) == text


async def test_cancelling_kills_the_worker_and_frees_its_slot(run: Run) -> None:
    calls = [asyncio.create_task(run("while True: pass", limit=60)) for _ in range(2)]
    waiting = asyncio.create_task(run("return 1"))
    await asyncio.sleep(0.3)
    busy = children()
    assert len(busy) == 2
    waiting.cancel()
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, waiting, return_exceptions=True)
    await vanish(*busy)
    results = await asyncio.gather(*(run("return n", n=n) for n in range(3)))
    assert results == [b"0", b"1", b"2"]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 0.06])
async def test_cancelling_while_a_worker_starts_leaves_nothing(run: Run, seconds: float) -> None:
    call = asyncio.create_task(run("while True: pass"))
    await asyncio.sleep(seconds)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await vanish(*children())


async def test_close_ends_running_and_waiting_calls_as_not_final(pool: CodePool, run: Run) -> None:
    await asyncio.gather(run("return 1"), run("return 1"))
    calls = [asyncio.create_task(failure(run("while True: pass"))) for _ in range(4)]
    await asyncio.sleep(0.1)
    await pool.close()
    failures = await asyncio.gather(*calls)
    assert [failed.code for failed in failures] == ["code_stopped"] * 4
    kinds = [Kind.TRANSIENT, Kind.TRANSIENT, Kind.NOT_DONE, Kind.NOT_DONE]
    assert [failed.kind for failed in failures] == kinds
    assert children() == set()
    assert (await failure(run("return 1"))).kind is Kind.NOT_DONE
    await pool.close()


async def test_a_pool_leaves_no_descriptor_behind(pool: CodePool, run: Run) -> None:
    before = len(descriptors())
    for _ in range(3):
        await failure(run("import os; os._exit(3)"))
        await failure(run("while True: pass", limit=0.05))
    await asyncio.gather(run("return 1"), run("return 1"))
    await pool.close()
    assert len(descriptors()) == before


PARENT = """
import asyncio, os, sys
from runtime.code import CodePool, compile_block

async def main():
    pool = CodePool(size=2, environment=os.environ)
    busy = compile_block("import os; print(os.getpid())\\nwhile True: pass", (), "a.seta", 2)
    idle = compile_block("import os; print(os.getpid())", (), "a.seta", 2)
    tell = lambda text: print(text, end="", flush=True)
    await asyncio.gather(*(pool.run(b, {}, limit=60, on_output=tell) for b in (busy, idle)))

asyncio.run(main())
"""


async def test_workers_die_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", PARENT]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, text=True) as parent:  # noqa: ASYNC220  # brief
        assert parent.stdout
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(is_running, pids))
        parent.kill()
    await vanish(*pids)


def test_a_pool_works_in_uvloop_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        pool = CodePool(size=1, environment={})
        printed: list[str] = []

        async def run(source: str, limit: float = 5) -> bytes:
            block = compile_block(source, (), "flows/erp.seta", 12)
            return await pool.run(block, {}, limit=limit, on_output=printed.append)

        assert await run("print('olá'); return 1") == b"1"
        assert (await failure(run("import os; os._exit(3)"))).code == "code_crashed"
        assert (await failure(run("while True: pass", limit=0.1))).code == "code_timeout"
        call = asyncio.create_task(run("while True: pass"))
        await asyncio.sleep(0.2)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert await run("return 2") == b"2"
        assert printed[0] == "olá\n"
        await pool.close()

    uvloop.run(main())
    assert children() == set()
