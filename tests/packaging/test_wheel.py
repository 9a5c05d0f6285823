"""The wheel, installed where there is no checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("compiler", "dsl", "runtime")
FLOW = 'on webhook -> format_phone(telefone) -> upsert person -> send hsm "retomada"\n'
TRAP = 'raise RuntimeError("a folder of the user was imported")\n'


class Installation(NamedTuple):
    """A new environment that holds the wheel and sees the dependencies of this one behind it."""

    scripts: Path
    site: Path

    def run(self, command: str, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, with no variable that steers Python or Seta."""
        return call(self.scripts / command, *args, cwd=cwd)


def call(command: Path | str, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    steering = ("PYTHON", "SETA_", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return subprocess.run([command, *args], check=False, cwd=cwd, env=env, capture_output=True, text=True)


def call_well(command: Path | str, *args: str, cwd: Path) -> None:
    done = call(command, *args, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build as a release does: the source archive from the checkout, the wheel from the archive."""
    out = tmp_path_factory.mktemp("dist")
    call_well(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), cwd=ROOT)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=True)
    where = sysconfig.get_paths("venv", vars={"base": str(home), "platbase": str(home)})
    installed = Installation(Path(where["scripts"]), Path(where["purelib"]))
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    call_well(installed.scripts / "python", *pip, cwd=home)
    behind = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (installed.site / "behind.pth").write_text("\n".join(sorted(behind)) + "\n", encoding="utf-8")
    return installed


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """Make a user's folder with packages that are called as ours and raise when imported."""
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(TRAP, encoding="utf-8")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(FLOW, encoding="utf-8")
    return tmp_path


def test_wheel_holds_our_packages_and_nothing_beside_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}

    assert top == {*PACKAGES, "seta.py", f"seta-{version()}.dist-info"}


def test_wheel_carries_the_grammar_beside_its_loader(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("dsl/grammar.lark")

    assert packed == (ROOT / "grammar.lark").read_bytes()


def test_every_package_is_imported_from_the_installation(installation: Installation, trapped: Path) -> None:
    found = f"import json, {', '.join(PACKAGES)}; print(json.dumps([p.__file__ for p in ({', '.join(PACKAGES)})]))"

    done = installation.run("python", "-P", "-c", found, cwd=trapped)

    assert done.stderr == ""
    expected = [str(installation.site / package / "__init__.py") for package in PACKAGES]
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_trap_springs_when_the_working_directory_is_searched(
    installation: Installation, trapped: Path, package: str
) -> None:
    done = installation.run("python", "-c", f"import {package}", cwd=trapped)

    assert done.returncode == 1
    assert "a folder of the user was imported" in done.stderr


def test_command_prints_its_version_beside_folders_called_as_ours(installation: Installation, trapped: Path) -> None:
    done = installation.run("seta", "--version", cwd=trapped)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"seta {version()}\n", "")


def test_command_checks_flows_beside_folders_called_as_ours(installation: Installation, trapped: Path) -> None:
    done = installation.run("seta", "check", "flows", cwd=trapped)

    assert done.returncode == 0, done.stdout + done.stderr
