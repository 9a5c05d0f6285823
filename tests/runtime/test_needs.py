"""What the flows of a folder need from the machine, and what is said of what is missing."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from runtime.folder import FolderError
from runtime.loader import load
from runtime.needs import Found, find, secrets
from runtime.steps import catalog

NOTHING: Mapping[str, str] = MappingProxyType({})
SIGNS = "flow a\non webhook {t: text}\n  -> log hmac_sha256(secret.CHAVE, t)\n"
ERP = """
[connections.erp]
kind = "http"
url = "https://erp.example"
auth = {kind = "bearer", token = "env:ERP_TOKEN"}
"""
CRM = """
[connections.crm]
kind = "http"
url = "https://crm.example"
auth = {kind = "basic", user = "seta", password = "file:crm.senha"}
"""
POSTS = 'flow b\non webhook {t: text}\n  -> post "/x" via erp with {t}\n'


def found(path: Path, text: str, settings: str = "", environment: Mapping[str, str] = NOTHING) -> Found:
    (path / "a.seta").write_text(text, encoding="utf-8")
    (path / "seta.toml").write_text(settings, encoding="utf-8")
    return find(load(path, catalog()), path, environment)


def test_secret_of_a_flow_comes_from_the_environment_or_from_where_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "chave").write_text("z\r\n")
    assert found(tmp_path, SIGNS, "", {"SETA_SECRET_CHAVE": "x"}) == Found({"CHAVE": "x"}, ())
    assert found(tmp_path, SIGNS, '[secrets]\nCHAVE = "env:OUTRA"\n', {"OUTRA": "y"}) == Found({"CHAVE": "y"}, ())
    assert found(tmp_path, SIGNS, '[secrets]\nCHAVE = "file:chave"\n') == Found({"CHAVE": "z"}, ())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "",
            "the secret CHAVE is missing: set the environment variable SETA_SECRET_CHAVE, "
            "or say in seta.toml under [secrets] where it is",
        ),
        (
            '[secrets]\nCHAVE = "file:nada"\n',
            "the secret CHAVE cannot be read from nada: [Errno 2] No such file or directory: '{folder}/nada'",
        ),
        ('[secrets]\nCHAVE = "abc"\n', "seta.toml: the secret CHAVE is env:NAME or file:PATH, not abc:…"),
    ],
)
def test_secret_that_is_missing_is_named(tmp_path: Path, settings: str, message: str) -> None:
    assert found(tmp_path, SIGNS, settings) == Found({}, (message.replace("{folder}", str(tmp_path)),))


def test_secret_of_a_connection_stands_under_its_place(tmp_path: Path) -> None:
    (tmp_path / "crm.senha").write_text("s3cr3t\n")
    assert found(tmp_path, POSTS, ERP + CRM, {"ERP_TOKEN": "t0k3n"}) == Found(
        {"env:ERP_TOKEN": "t0k3n", "file:crm.senha": "s3cr3t"}, ()
    )


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    assert found(tmp_path, SIGNS + POSTS, ERP + CRM).missing == (
        "the secret CHAVE is missing: set the environment variable SETA_SECRET_CHAVE, "
        "or say in seta.toml under [secrets] where it is",
        "a secret of the connection erp is missing: set the environment variable ERP_TOKEN",
    )


def test_connection_that_no_flow_goes_via_may_lack_its_secrets(tmp_path: Path) -> None:
    assert found(tmp_path, SIGNS, ERP + CRM, {"SETA_SECRET_CHAVE": "x"}) == Found({"CHAVE": "x"}, ())


def test_secret_that_no_header_can_carry_is_told_without_its_value(tmp_path: Path) -> None:
    assert found(tmp_path, POSTS, ERP, {"ERP_TOKEN": "t0k3n\né"}).missing == (
        "a secret of the connection erp in the environment variable ERP_TOKEN has characters that no header can carry",
    )


GUARDED = 'flow a\non webhook "/a" signed standard(secret.NOVA, secret.ANTIGA) {t: text}\n  -> log t\n'


def test_secrets_of_a_guard_are_needed_too(tmp_path: Path) -> None:
    assert found(tmp_path, GUARDED, "", {"SETA_SECRET_NOVA": "whsec_MfKQ"}).missing == (
        "the secret ANTIGA is missing: set the environment variable SETA_SECRET_ANTIGA, "
        "or say in seta.toml under [secrets] where it is",
    )


def test_secret_that_its_scheme_cannot_read_is_named_and_not_shown(tmp_path: Path) -> None:
    given = {"SETA_SECRET_NOVA": "whsec_MfKQ", "SETA_SECRET_ANTIGA": "whsec_$$$"}
    assert found(tmp_path, GUARDED, "", given).missing == (
        "the secret ANTIGA is not base64: `standard` of the flow a cannot use it",
    )


def test_whoever_cannot_go_on_without_them_is_told_of_all_at_once(tmp_path: Path) -> None:
    missing = found(tmp_path, SIGNS + POSTS, ERP).missing
    assert len(missing) == 2
    with pytest.raises(FolderError) as refused:
        secrets(load(tmp_path, catalog()), tmp_path, NOTHING)
    assert str(refused.value) == "; ".join(missing)
