"""A folder of flows becomes programs: settings, secrets, plans made again from what is kept with them."""

from pathlib import Path

import pytest

from compiler.codegen import HELPERS
from runtime.engine.runs import UnknownPlan
from runtime.functions import FUNCTIONS
from runtime.loader import _NAMES, FolderError, Programs, load, secrets
from runtime.steps import catalog

SIGNS = "flow a\non webhook {t: text}\n  -> log hmac_sha256(secret.CHAVE, t)\n"


def folder(path: Path, text: str, settings: str = "") -> Path:
    (path / "a.seta").write_text(text, encoding="utf-8")
    if settings:
        (path / "seta.toml").write_text(settings, encoding="utf-8")
    return path


def test_a_secret_comes_from_the_environment_or_from_where_the_settings_say(tmp_path: Path) -> None:
    flows = folder(tmp_path, SIGNS)
    assert secrets(load(flows, catalog()), flows, {"SETA_SECRET_CHAVE": "x"}) == {"CHAVE": "x"}
    folder(tmp_path, SIGNS, '[secrets]\nCHAVE = "env:OUTRA"\n')
    assert secrets(load(flows, catalog()), flows, {"OUTRA": "y"}) == {"CHAVE": "y"}
    (tmp_path / "chave").write_text("z\n")
    folder(tmp_path, SIGNS, '[secrets]\nCHAVE = "file:chave"\n')
    assert secrets(load(flows, catalog()), flows, {}) == {"CHAVE": "z"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", "the secret CHAVE is missing: set the environment variable SETA_SECRET_CHAVE"),
        ('[secrets]\nCHAVE = "file:nada"\n', "the secret CHAVE cannot be read from nada"),
        ('[secrets]\nCHAVE = "abc"\n', "the secret CHAVE is env:NAME or file:PATH"),
    ],
)
def test_a_missing_secret_is_named(tmp_path: Path, settings: str, message: str) -> None:
    flows = folder(tmp_path, SIGNS, settings)
    with pytest.raises(FolderError, match=message):
        secrets(load(flows, catalog()), flows, {})


def test_settings_with_an_unknown_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"seta.toml: Object contains unknown field `confg`"):
        load(folder(tmp_path, SIGNS, "[confg]\nx = 1\n"), catalog())


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no folder"):
        load(tmp_path / "nada", catalog())


def test_a_plan_is_made_again_from_what_is_kept_with_it_also_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "defs.seta").write_text("type T = {n: int}\ndef dobro(n: int): int = n * 2\n")
    flows = folder(tmp_path, "flow a\non webhook {t: T}\n  -> log dobro(t.n)\n")
    program = load(flows, catalog()).programs["a"]
    again = Programs({}).find(program.plan, program.sources)
    assert (again.plan, again.payload.keys) == (program.plan, ("t",))
    with pytest.raises(UnknownPlan):
        Programs({}).find("another", program.sources)
    with pytest.raises(UnknownPlan):
        Programs({}).find(program.plan, None)


def test_the_plan_follows_what_the_flow_means_and_not_how_it_is_written(tmp_path: Path) -> None:
    plan = load(folder(tmp_path, SIGNS), catalog()).programs["a"].plan
    other = SIGNS.replace("  ->", "\n\n    # nota\n->")
    assert load(folder(tmp_path, other), catalog()).programs["a"].plan == plan
    assert load(folder(tmp_path, SIGNS.replace("CHAVE", "OUTRA")), catalog()).programs["a"].plan != plan


def test_generated_python_may_use_what_the_loader_hands_to_it_and_hides_none_of_it() -> None:
    functions = {signature.name for signature, _ in FUNCTIONS}
    assert set(_NAMES) - functions == HELPERS - {"p", "ctx"}
