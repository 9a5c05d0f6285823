"""Every fenced block of README.md and docs/ is run: flows compile, commands print what stands under them."""

import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from compiler.ir import Effect, Many, Maybe, Object, OneOf, Scalar, Shape, all_steps
from compiler.ir.trials import Calls, Json, Mock
from compiler.own import own_entries, read_catalog_file, write_catalog_file
from compiler.pipeline import Compiled, compile_folder
from dsl import Source, render_text
from runtime.door.samples import sample
from runtime.extend.loading import own_python
from runtime.folder import FolderSettings, folder_settings
from runtime.journal.rows import RunState
from runtime.linking import link
from runtime.loader import Loaded, load
from runtime.steps import catalog
from runtime.trial import bench, ending
from runtime.trial.stage import START
from tests.compiler.environment import SETTINGS
from tests.docs.reference import PAGE, reference
from tests.runtime.cli.process import ROOT, ServerProcess, environment, script

FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<kind>\w*)\n(?P<text>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL)
SAMPLE_URL = re.compile(r"http://127\.0\.0\.1:8400/v1/[0-9a-f]{24}")


@dataclass(frozen=True)
class Block:
    """A fenced block and where it begins."""

    file: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"


def blocks(file: Path) -> Iterator[Block]:
    """The outermost fences of a file; a fence inside a flow is indented."""
    text = file.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Block(file, text.count("\n", 0, found.start()) + 1, found["kind"], found["text"])


BLOCKS = [block for file in FILES for block in blocks(file)]


def write_python(file: Path, folder: Path) -> None:
    """Put the modules that a page of the docs shows into a folder."""
    for number, block in enumerate(block for block in of_kind("python") if block.file == file):
        (folder / f"docs_{number}.py").write_text(block.text, encoding="utf-8")


def of_kind(kind: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind == kind]


def test_reference_is_written_from_the_catalog() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(catalog()), "python -m tests.docs.reference writes it anew"


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {block.kind for block in BLOCKS} <= {"seta", "console", "toml", "json", "python"}


@pytest.mark.parametrize("block", of_kind("seta"), ids=str)
def test_a_flow_in_the_docs_compiles_without_errors(block: Block, tmp_path: Path) -> None:
    write_python(block.file, tmp_path)
    known = catalog().extended(one.entry for one in own_python(tmp_path))
    folder = compile_folder([Source("docs.seta", block.text)], SETTINGS.environment(known))
    assert not folder.broken, render_text(folder.diagnostics, color=False)


@pytest.mark.parametrize("block", [b for b in of_kind("seta") if "\ntest " in f"\n{b.text}"], ids=str)
async def test_tests_in_the_docs_pass(block: Block, tmp_path: Path) -> None:
    (tmp_path / "docs.seta").write_text(block.text, encoding="utf-8")
    (tmp_path / "seta.toml").write_text('[config]\nerp = "https://erp.example"\ncrm = "https://crm.example"\n')
    loaded = load(tmp_path, catalog())
    async with bench(loaded, catalog(), tmp_path, {}) as at:
        found = [finding for trial in loaded.folder.trials for finding in (await at.run(trial)).findings]
    assert loaded.folder.trials
    assert not found, render_text(found)


# How the run of a flow ends on the sample of its payload, where it does not go through to its end. Requests give a
# sample of what they should.
ENDS = {
    "caminhos": RunState.STOPPED,  # a small sale of the site
    "carrinho": RunState.STOPPED,  # nobody pays within two hours
    "consulta": RunState.STOPPED,  # nobody is known: 404
}
RUN = [b for b in of_kind("seta") if b.file.name in ("README.md", "language.md", "running.md")]


@pytest.mark.parametrize("block", RUN, ids=str)
async def test_every_flow_in_the_docs_runs(block: Block, tmp_path: Path) -> None:
    known = catalog()
    folder = compile_folder([Source("docs.seta", block.text)], SETTINGS.environment(known))
    programs = {flow.name: link(flow, known, SETTINGS) for flow in folder.flows}
    loaded = Loaded(programs, folder, SETTINGS.config, SETTINGS, known)
    async with bench(loaded, known, tmp_path, {}) as at:
        for flow in folder.flows:
            body = sample(programs[flow.name].payload).encode()
            ran = await at.rehearse(flow.name, body, START, list(answers(flow)))
            assert ran.run.run.state == ENDS.get(flow.name, RunState.DONE), f"{flow.name}: {ending(ran.run)}"


def test_every_end_is_of_a_flow_in_the_docs() -> None:
    assert all(any(f"flow {name}\n" in block.text for block in RUN) for name in ENDS)


def answers(flow: Compiled) -> Iterator[Mock]:
    """What each request of a flow gives that wants a result of a type: a sample of that."""
    for op in all_steps(flow.plan):
        if isinstance(op, Effect) and op.code is None and op.result is not None:
            calls = Calls(op.verb, frozenset({(flow.name, op.span)}), None)
            yield Mock(op.span, calls, value(op.result))


def value(shape: Shape) -> Json:
    """A value of a shape."""
    match shape:
        case Object(fields):
            return {field.key: value(field.shape) for field in fields}
        case Many(item):
            return (value(item),)
        case Maybe(inner):
            return value(inner)
        case OneOf(values):
            return values[0]
        case Scalar(name):
            known: dict[str, Json] = {"text": "texto", "int": 7, "decimal": Decimal("10.5"), "bool": True}
            return known[name]


@pytest.mark.parametrize("block", of_kind("toml"), ids=str)
def test_settings_in_the_docs_are_settings(block: Block, tmp_path: Path) -> None:
    (tmp_path / "seta.toml").write_text(block.text, encoding="utf-8")
    assert folder_settings(tmp_path) != FolderSettings()


@pytest.mark.parametrize("block", of_kind("json"), ids=str)
def test_catalog_file_in_the_docs_is_one_as_it_is_written(block: Block) -> None:
    entries = own_entries(read_catalog_file(block.text.encode(), catalog()))
    assert write_catalog_file(entries).decode() == block.text


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what stands under it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block}: output without a command"
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        yield command.partition("  #")[0].strip(), output


def plain(text: str) -> str:
    """A text without what is another each time: ids, hashes, ages, and the width that they leave."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<run>", text)
    text = re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b", "<hash>", text)
    text = re.sub(r"\d+ (ms|s|min) ago|just now", "<ago>", text)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.strip().splitlines())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example flows and what the docs show of Python, and `seta` on the path."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    python, entry = script(tmp_path)
    command = tmp_path / "bin" / "command" / "seta"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {python} {entry} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return tmp_path


@pytest.mark.timeout(180)  # each command is a process of its own
@pytest.mark.parametrize("file", [file for file in FILES if any(b.file == file for b in of_kind("console"))], ids=str)
def test_commands_in_the_docs_print_what_stands_under_them(file: Path, folder: Path) -> None:
    with ServerProcess(folder) as server:
        write_python(file, folder / "flows")
        for block in of_kind("console"):
            if block.file == file:
                run_block(block, folder, server.flows["retomada"].url)


def run_block(block: Block, folder: Path, url: str) -> None:
    variables = environment(PATH=f"{folder / 'bin' / 'command'}{os.pathsep}{os.environ['PATH']}", COLUMNS="200")
    for command, expected in commands(block):
        if command.startswith("make "):
            planned = subprocess.run(
                command.replace("make", "make -n", 1).split(), cwd=ROOT, capture_output=True, text=True, check=True
            )
            assert planned.stdout.strip()
            continue
        done = subprocess.run(  # noqa: S602  # the docs' own commands
            SAMPLE_URL.sub(url, command),
            shell=True,
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert plain(done.stdout) == plain(expected), f"{block}: {command}\n{done.stderr}"
        time.sleep(0.3 if command.startswith("curl") else 0)


def test_the_make_targets_that_the_readme_names_do_what_it_says() -> None:
    run = (ROOT / "Makefile").read_text()
    assert "seta serve --flows flows" in run
    assert "tests/receiver.py --port 8401" in run
