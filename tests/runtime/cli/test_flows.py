"""Commands about flows: check, explain, urls, and serve where it refuses."""

import json
import shlex
from pathlib import Path

import pytest

from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import RETOMADA

BROKEN = 'on webhook {telefone: fone}\n  -> sned hsm "retomada"\n'


def put(tmp_path: Path, text: str, name: str = "retomada.seta") -> None:
    (tmp_path / "flows" / name).write_text(text)


def test_good_flows_are_checked_with_exit_code_0(seta: Seta) -> None:
    result = seta("check")
    assert result.exit_code == 0
    assert result.output.endswith("\n2 notes in 1 file\n")
    assert "note[N201]: " in result.output


def test_nothing_to_say_is_said(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, 'on webhook {id: text}\n  -> log "pedido {id}"\n')
    assert seta("check").output == "no problems\n"


def test_broken_flow_is_told_with_place_and_code_and_exit_code_1(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, BROKEN)
    result = seta("check")
    assert result.exit_code == 1
    assert " --> flows/retomada.seta:1:23\n" in result.output
    assert "fone" in result.output
    assert result.output.endswith(" in 1 file\n")


def test_problems_are_told_as_json(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, BROKEN)
    result = seta("check", "--json")
    assert result.exit_code == 1
    document = json.loads(result.output)
    assert document["schema"] == "seta.diagnostics/1"
    first = document["diagnostics"][0]
    assert first["severity"] == "error"
    assert first["primary"]["file"] == "flows/retomada.seta"


def test_single_files_are_checked(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, BROKEN, "broken.seta")
    assert seta("check", "flows/retomada.seta").exit_code == 0
    assert seta("check", "flows/retomada.seta", "flows/broken.seta").exit_code == 1
    assert seta("check").exit_code == 1


@pytest.mark.parametrize("args", [["check", "nowhere"], ["serve", "--flows", "nowhere"], ["explain", "nowhere"]])
def test_folder_that_is_not_there_is_told(seta: Seta, args: list[str]) -> None:
    result = seta(*args)
    told = "seta: there is no folder nowhere: name the folder of your flows with --flows\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_server_refuses_what_check_refuses_in_the_same_words(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, BROKEN)
    checked = seta("check")
    refused = seta("serve")
    assert refused.exit_code == 1
    *said, summary = refused.stderr.rstrip("\n").split("\n")
    assert "\n".join(said).strip() == checked.stdout.rsplit("\n", 2)[0].strip()
    assert summary == f"seta: {checked.stdout.splitlines()[-1]}"
    assert not (tmp_path / ".seta").exists()


def test_server_without_flows_is_refused(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows" / "retomada.seta").unlink()
    result = seta("serve")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: there is no flow in flows: a flow is a file that ends in .seta\n",
    )


def test_settings_that_are_wrong_are_told(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows" / "seta.toml").write_text("[config\n")
    result = seta("check")
    assert result.exit_code == 1
    assert result.stderr.startswith("seta: flows/seta.toml: ")


def test_explain_shows_the_long_form_the_rules_the_steps_and_the_python(seta: Seta) -> None:
    result = seta("explain", "flows/retomada.seta")
    assert result.exit_code == 0
    assert "\n  -> upsert person by telefone with " in result.output
    assert "\nRULE  " in result.output
    assert "\nSTEP  " in result.output
    assert "async def retomada(p, ctx):" in result.output


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("ast", "Flow"),
        ("types", "payload.telefone: scalar\n"),
        ("ir", "Plan"),
        ("python", "async def retomada(p, ctx):\n"),
        ("plan", "Plan"),
    ],
)
def test_explain_prints_one_stage(seta: Seta, stage: str, told: str) -> None:
    result = seta("explain", "flows/retomada.seta", "--emit", stage)
    assert result.exit_code == 0
    assert told in result.output
    assert "\nSTEP  " not in result.output


def test_explain_of_a_broken_flow_says_what_is_wrong(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, BROKEN)
    result = seta("explain", "flows")
    assert result.exit_code == 1
    assert "error[" in result.stderr
    assert result.stdout == ""


def test_urls_are_the_same_every_time(seta: Seta) -> None:
    first = json.loads(seta("urls", "--json").output)
    assert first == json.loads(seta("urls", "--json").output)
    [url] = first["urls"]
    assert first["schema"] == "seta.urls/1"
    assert (url["flow"], url["method"]) == ("retomada", "POST")
    assert url["url"].startswith("http://127.0.0.1:8400/v1/")
    assert json.loads(url["sample"]) == {
        "telefone": "11999998888",
        "nome": "João Silva",
        "email": "joao@example.com",
    }


def test_webhooks_are_described_at_the_addresses_that_urls_prints(seta: Seta) -> None:
    [url] = json.loads(seta("urls", "--json", "--public-url", "https://hooks.example.com/").output)["urls"]
    described = seta("openapi", "--public-url", "https://hooks.example.com/")
    assert described.exit_code == 0
    document = json.loads(described.output)
    [path] = document["paths"]
    assert (document["openapi"], document["servers"]) == ("3.1.0", [{"url": "https://hooks.example.com"}])
    assert f"https://hooks.example.com{path}" == url["url"]


def test_one_flow_is_described_alone_and_an_unknown_one_is_told(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, 'flow nota\non webhook "/nota" open {id: text} -> log id\n', "nota.seta")
    assert list(json.loads(seta("openapi", "nota").output)["paths"]) == ["/nota"]
    assert len(json.loads(seta("openapi").output)["paths"]) == 2
    unknown = seta("openapi", "notas")
    assert (unknown.exit_code, unknown.stderr) == (
        1,
        "seta: there is no flow notas, but there are: nota, retomada\n",
    )


def test_urls_are_those_that_senders_see(seta: Seta) -> None:
    def base(*args: str, **variables: str) -> str:
        url: str = json.loads(seta("urls", "--json", *args, **variables).output)["urls"][0]["url"]
        return url.partition("/v1/")[0]

    assert base("--port", "9000", "--host", "0.0.0.0") == "http://127.0.0.1:9000"  # noqa: S104  # it is printed
    assert base("--public-url", "https://hooks.example.com/") == "https://hooks.example.com"
    assert base(SETA_PUBLIC_URL="https://a.example.com") == "https://a.example.com"


def test_urls_are_printed_with_a_line_to_try_them(seta: Seta) -> None:
    flow, line = seta("urls").output.splitlines()
    assert flow == "retomada"
    words = shlex.split(line)
    assert words[0] == "curl"
    assert words[1].startswith("http://127.0.0.1:8400/v1/")
    assert words[2] == "-d"
    assert json.loads(words[3])["nome"] == "João Silva"
    assert RETOMADA not in line
