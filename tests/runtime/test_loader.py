"""A folder of flows becomes programs: settings, plans made again from what is kept with them."""

from pathlib import Path

import pytest

from compiler.codegen import HELPERS
from dsl import Severity
from runtime.compiling import check_path, compile_path
from runtime.context import StepSpec, Template
from runtime.engine.runs import UnknownPlan
from runtime.folder import FolderError, folder_settings
from runtime.functions import FUNCTIONS
from runtime.linking import _NAMES, relink
from runtime.loader import load
from runtime.plans import Programs
from runtime.steps import catalog

SIGNS = "flow a\non webhook {t: text}\n  -> log hmac_sha256(secret.CHAVE, t)\n"


def folder(path: Path, text: str, settings: str = "") -> Path:
    (path / "a.seta").write_text(text, encoding="utf-8")
    if settings:
        (path / "seta.toml").write_text(settings, encoding="utf-8")
    return path


def test_settings_with_an_unknown_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"seta.toml: Object contains unknown field `confg`"):
        load(folder(tmp_path, SIGNS, "[confg]\nx = 1\n"), catalog())


def test_rates_that_are_none_or_of_no_flow_are_refused(tmp_path: Path) -> None:
    flows = folder(tmp_path, SIGNS, '[rates]\na = "ten"\n')
    with pytest.raises(FolderError, match=r"seta\.toml: 'ten' is not a rate such as 100/s, 600/m or 10000/h$"):
        load(flows, catalog())
    folder(tmp_path, SIGNS, '[rates]\na = "1/s"\nc = "1/s"\nb = "1/s"\n"*" = "1/s"\n')
    expected = r"^seta\.toml: \[rates\] names b, c, but there is no such flow$"
    with pytest.raises(FolderError, match=expected):
        load(flows, catalog())
    with pytest.raises(FolderError, match=expected):
        check_path(flows, catalog(), folder_settings(flows))


def test_a_flow_with_errors_is_a_flow_that_may_have_a_rate(tmp_path: Path) -> None:
    flows = folder(tmp_path, "on webhook -> ?", '[rates]\na = "1/s"\n')
    assert [found.severity for found in check_path(flows, catalog(), folder_settings(flows))] == [Severity.ERROR]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no folder"):
        load(tmp_path / "nada", catalog())


async def test_a_plan_is_made_again_from_what_is_kept_with_it_also_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "defs.seta").write_text("type T = {n: int}\ndef dobro(n: int): int = n * 2\n")
    flows = folder(tmp_path, "flow a\non webhook {t: T}\n  -> log dobro(t.n)\n")
    program = load(flows, catalog()).programs["a"]
    again = await Programs({}).find(program.plan, program.sources)
    assert (again.plan, again.payload.keys) == (program.plan, ("t",))
    with pytest.raises(UnknownPlan):
        await Programs({}).find("another", program.sources)
    with pytest.raises(UnknownPlan):
        await Programs({}).find(program.plan, None)


SERVICES = """
[connections.crm]
kind = "hablla"
workspace = "66aa00000000000000000001"
auth = {kind = "login", email = "env:EMAIL", password = "file:password"}

[connections.whatsapp]
kind = "whatsapp_cloud"
number_id = "106540352242922"
token = "env:META"
"""
TEMPLATE = """{"schema": "seta.catalog-file/1", "entries": [
  {"type": "template", "name": "oi", "language": "es", "params": [
    {"name": "b", "type": "text"}, {"name": "a", "type": "text"}
  ]}
]}
"""


async def test_a_plan_over_services_is_made_again_with_its_connections_and_its_template(tmp_path: Path) -> None:
    flows = folder(
        tmp_path, 'on webhook {t: phone} -> upsert person -> send hsm "oi" with {a: t, b: t} via whatsapp\n', SERVICES
    )
    (flows / "seta.catalog.json").write_text(TEMPLATE)
    program = load(flows, catalog()).programs["a"]
    assert program.connections == ("crm", "whatsapp")
    again = await Programs({}).find(program.plan, program.sources)
    specs = [value for value in again.run.__globals__.values() if isinstance(value, StepSpec)]
    assert [(spec.verb, spec.via, spec.template) for spec in specs] == [
        ("upsert person", "crm", None),
        ("send hsm", "whatsapp", Template("es", ("b", "a"))),
    ]
    (flows / "seta.toml").write_text(SERVICES.replace("1065", "2065").replace("env:META", "env:OTHER"))
    assert load(flows, catalog()).programs["a"].plan == program.plan  # where it goes and what signs in are not the plan
    (flows / "seta.toml").write_text(SERVICES.replace("connections.crm", "connections.hablla"))
    assert load(flows, catalog()).programs["a"].plan != program.plan


def test_the_plan_follows_what_the_flow_means_and_not_how_it_is_written(tmp_path: Path) -> None:
    plan = load(folder(tmp_path, SIGNS), catalog()).programs["a"].plan
    other = SIGNS.replace("  ->", "\n\n    # nota\n->")
    assert load(folder(tmp_path, other), catalog()).programs["a"].plan == plan
    assert load(folder(tmp_path, SIGNS.replace("CHAVE", "OUTRA")), catalog()).programs["a"].plan != plan


def test_generated_python_may_use_what_the_loader_hands_to_it_and_hides_none_of_it() -> None:
    functions = {signature.name for signature, _ in FUNCTIONS}
    assert set(_NAMES) - functions == HELPERS - {"p", "ctx"}


def test_one_file_is_compiled_in_its_folder_and_only_it_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "seta.toml").write_text('[config]\nerp = "http://erp.example"\n')
    (tmp_path / "types.seta").write_text("type T = {n: int}\nflow broken\non webhook {n: intt}\n  -> log n\n")
    flow = tmp_path / "sub" / "a.seta"
    flow.write_text("flow a\non webhook {t: T}\n  -> log {n: t.n, e: config.erp}\n")
    settings = folder_settings(flow)
    assert check_path(flow, catalog(), settings) == ()
    assert [f.name for f in compile_path(flow, catalog(), settings).flows] == ["a"]
    assert [d.code for d in check_path(tmp_path, catalog(), settings)] == ["E205"]


def test_a_file_without_settings_around_it_is_compiled_with_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "t.seta").write_text("type T = {n: int}\n")
    flow = folder(tmp_path, "flow a\non webhook {t: T}\n  -> log t.n\n") / "a.seta"
    assert [d.code for d in check_path(flow, catalog(), folder_settings(flow))] == ["E205"]
    (tmp_path / "t.seta").write_text("type T = {n: int}\n")
    assert check_path(flow, catalog(), folder_settings(flow)) == ()


def test_a_program_knows_how_long_it_may_wait_for_an_event(tmp_path: Path) -> None:
    text = "flow a\non webhook {id: text}\n  -> wait for x by id within 45d\n  -> wait for y by id within 2h\n"
    program = load(folder(tmp_path, text), catalog()).programs["a"]
    assert program.waits == 45 * 86_400_000


def test_the_data_directory_beside_flows_is_no_flow(tmp_path: Path) -> None:
    flow = folder(tmp_path, "flow a\non webhook {t: text}\n  -> log t\n") / "a.seta"
    (tmp_path / ".seta").mkdir()
    for path in (flow, tmp_path):
        assert [f.name for f in compile_path(path, catalog(), folder_settings(path)).flows] == ["a"]


def test_plan_is_made_again_from_a_file_whose_tests_speak_of_flows_that_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a.seta").write_text(
        'flow a on webhook {n: int} -> log n\ntest "t" for a { given {n: 1} given b {n: 1} expect not fail }\n'
    )
    (tmp_path / "b.seta").write_text("flow b on webhook {n: int} -> log n\n")
    loaded = load(tmp_path, catalog())
    assert not loaded.folder.broken
    again = relink(loaded.programs["a"].sources)
    assert again is not None
    assert again.plan == loaded.programs["a"].plan
