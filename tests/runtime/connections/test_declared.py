"""Connections as seta.toml declares them: what is read, and what is said of what is wrong."""

import tomllib
from pathlib import Path

import pytest

from compiler.catalog import Connection
from runtime.connections.declared import Basic, Bearer, Header, Http, Local
from runtime.folder import FolderError, FolderSettings, folder_settings
from runtime.steps import catalog


def settings(folder: Path, text: str) -> FolderSettings:
    (folder / "seta.toml").write_text(text, encoding="utf-8")
    return folder_settings(folder)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(FolderError) as refused:
        settings(folder, text)
    return str(refused.value).removeprefix(f"{folder}/seta.toml: ")


def test_connection_has_all_that_its_table_says(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        """
        [connections.erp]
        kind = "http"
        url = "https://ERP.example:443/api/"
        headers = {"X-Tenant" = "acme"}
        auth = {kind = "bearer", token = "env:ERP_TOKEN"}
        timeout = "800ms"
        idempotent = true
        encoding = "form"
        max_answer = "5mb"
        redirects = 5

        [connections.crm]
        kind = "http"
        url = "http://127.0.0.1:8401"
        auth = {kind = "basic", user = "seta", password = "file:senha"}

        [connections.loja]
        kind = "http"
        url = "https://loja.example"
        auth = {kind = "header", headers = {"X-Key" = "env:LOJA_KEY", "X-Token" = "env:LOJA_TOKEN"}}

        [connections.casa]
        kind = "local"

        [http]
        open_hosts = true
        """,
    )
    erp = Http(
        "https://ERP.example:443/api/",
        {"X-Tenant": "acme"},
        Bearer("env:ERP_TOKEN"),
        "800ms",
        idempotent=True,
        encoding="form",
        max_answer="5mb",
        redirects=5,
    )
    assert read.connections == {
        "erp": erp,
        "crm": Http("http://127.0.0.1:8401", auth=Basic("seta", "file:senha")),
        "loja": Http("https://loja.example", auth=Header({"X-Key": "env:LOJA_KEY", "X-Token": "env:LOJA_TOKEN"})),
        "casa": Local(),
    }
    assert (erp.seconds, erp.cap) == (0.8, 5 * 1024**2)
    assert {name: list(one.places()) for name, one in read.connections.items()} == {
        "erp": ["env:ERP_TOKEN"],
        "crm": ["file:senha"],
        "loja": ["env:LOJA_KEY", "env:LOJA_TOKEN"],
        "casa": [],
    }
    known = read.environment(catalog())
    assert known.open_hosts
    assert known.connections == (
        Connection("erp", "http", ("http",), idempotent=True, origin="https://erp.example", redirects=True),
        Connection("crm", "http", ("http",), origin="http://127.0.0.1:8401"),
        Connection("loja", "http", ("http",), origin="https://loja.example"),
        Connection("casa", "local", ("persons", "tags", "keys", "messages", "buttons", "locations")),
    )


def test_services_say_what_they_can_do_and_where_their_secrets_are(tmp_path: Path) -> None:
    channel = (
        '{kind = "login", email = "env:EMAIL", password = "file:password"}\nchannel = "' + ID + '"\nsector = "' + ID
    )
    read = settings(
        tmp_path,
        f"""
        [connections.meta]
        {META}
        [connections.crm]
        {HABLLA}
        [connections.vendas]
        kind = "hablla"
        workspace = "{ID}"
        auth = {channel}"
        """,
    )
    assert {name: (one.does, list(one.places()), one.in_headers) for name, one in read.connections.items()} == {
        "meta": (("messages", "buttons", "locations"), ["env:META"], True),
        "crm": (("persons", "tags"), ["env:T"], True),
        "vendas": (("persons", "tags", "messages"), ["env:EMAIL", "file:password"], False),
    }
    assert [(one.kind, one.origin) for one in read.environment(catalog()).connections] == [
        ("whatsapp_cloud", "https://graph.facebook.com"),
        ("hablla", "https://api.hablla.com"),
        ("hablla", "https://api.hablla.com"),
    ]


def test_connection_has_limits_and_speaks_json_where_it_says_nothing() -> None:
    plain = Http("https://erp.example")
    assert (plain.seconds, plain.cap, plain.encoding) == (15.0, 1024**2, "json")
    assert (plain.idempotent, plain.redirects) == (False, 0)


KINDS = '`kind` is "http", "whatsapp_cloud", "hablla" or "local"'
META = 'kind = "whatsapp_cloud"\nnumber_id = "1065"\ntoken = "env:META"\n'
ID = "66aa00000000000000000001"
HABLLA = f'kind = "hablla"\nworkspace = "{ID}"\nauth = {{kind = "token", token = "env:T"}}\n'
HTTP = 'kind = "http"\nurl = "https://erp.example"\n'


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", KINDS),
        ('kind = "htp"', KINDS + ", not 'htp'"),
        ('kind = "http"', "Object missing required field `url`"),
        ('kind = "whatsapp_cloud"\nnumber_id = "1"', "Object missing required field `token`"),
        (META.replace("1065", "+55 11"), "`number_id` is Meta's id of the phone number, all digits, not '+55 11'"),
        (META.replace("env:META", "s3cr3t"), "`token` says where the secret is, as env:NAME or file:PATH; it never "
         "holds it"),
        (META + 'language = "pt-BR"', "`language` is written as WhatsApp does, such as pt_BR or es, not 'pt-BR'"),
        (META + 'timeout = "3m"', "`timeout` is more than nothing and at most 120s, not '3m'"),
        (META + 'encoding = "form"', "Object contains unknown field `encoding`"),
        (HABLLA.replace(ID, "acme"), "`workspace` is an id of Hablla's, 24 digits of 0-9 and a-f, not 'acme'"),
        (HABLLA + f'channel = "{ID}"', "`channel` and `sector` go together: templates are sent over the one and from "
         "the other"),
        (HABLLA + f'channel = "{ID}"\nsector = "x"', "`sector` is an id of Hablla's, 24 digits of 0-9 and a-f, not "
         "'x'"),
        (HABLLA.replace('token", token', 'bearer", token'), "Invalid value 'bearer' - at `$.auth.kind`"),
        (HABLLA.replace('kind = "token", token = "env:T"', 'kind = "login", email = "a@b.c", password = "s3cr3t"'),
         "`password` says where the secret is, as env:NAME or file:PATH; it never holds it - at `$.auth`"),
        (HTTP + "redirects = 6", "`redirects` is how many are followed, 0 to 5, not 6"),
        (HTTP + "redirects = -1", "`redirects` is how many are followed, 0 to 5, not -1"),
        (HTTP + "redirects = true", "Expected `int`, got `bool` - at `$.redirects`"),
        (HTTP + "retries = 3", "Object contains unknown field `retries`"),
        ('kind = "local"\nurl = "https://x.example"', "Object contains unknown field `url`"),
        (HTTP + "timeout = 15", "Expected `str`, got `int` - at `$.timeout`"),
        (HTTP + 'timeout = "15"', "`timeout` is written like 15s or 800ms, not '15'"),
        (HTTP + 'timeout = "0s"', "`timeout` is more than nothing and at most 120s, not '0s'"),
        (HTTP + 'timeout = "3m"', "`timeout` is more than nothing and at most 120s, not '3m'"),
        (HTTP + 'max_answer = "1gb"', "`max_answer` is written like 500kb or 5mb, not '1gb'"),
        (HTTP + 'max_answer = "100mb"', "`max_answer` is more than nothing and at most 64mb, not '100mb'"),
        (HTTP + 'encoding = "xml"', "Invalid enum value 'xml' - at `$.encoding`"),
        ('kind = "http"\nurl = "erp.example"', "`url` is an http or https address such as https://erp.example/api, "
         "not 'erp.example'"),
        ('kind = "http"\nurl = "https://a:b@erp.example"', "`url` holds no user and password: they belong to `auth`"),
        ('kind = "http"\nurl = "https://erp.example?k=1"', "`url` is a base to which paths are added: it has no ? and "
         "no #"),
        (
            'kind = "http"\nurl = "https://erp.example:x"',
            "`url` is not an address that can be called: Port could not be cast to integer value as 'x'",
        ),
        (HTTP + 'auth = {token = "env:T"}', "Object missing required field `kind` - at `$.auth`"),
        (HTTP + 'auth = {kind = "oauth"}', "Invalid value 'oauth' - at `$.auth.kind`"),
        (
            HTTP + 'auth = {kind = "bearer", token = "s3cr3t"}',
            "`token` says where the secret is, as env:NAME or file:PATH; it never holds it - at `$.auth`",
        ),
        (
            HTTP + 'auth = {kind = "basic", user = "a", password = "s3cr3t"}',
            "`password` says where the secret is, as env:NAME or file:PATH; it never holds it - at `$.auth`",
        ),
        (
            HTTP + 'auth = {kind = "header", headers = {"X-Key" = "s3cr3t"}}',
            "`X-Key` says where the secret is, as env:NAME or file:PATH; it never holds it - at `$.auth`",
        ),
        (
            HTTP + 'auth = {kind = "header", headers = {"X Key" = "env:K"}}',
            "'X Key' is no name of a header - at `$.auth`",
        ),
        (HTTP + 'headers = {"Authorization" = "x"}', "the header Authorization is a secret: it belongs to `auth`"),
        (HTTP + 'headers = {"X-Key" = "env:K"}', "the header X-Key is a secret: it belongs to `auth`"),
        (HTTP + 'headers = {"Host" = "x"}', "the header Host is set by Seta itself"),
        (HTTP + 'headers = {"Idempotency-Key" = "x"}', "the header Idempotency-Key is set by Seta itself"),
        (HTTP + 'headers = {"X" = "é"}', "the value of the header X is printable ASCII"),
        (HTTP + 'headers = {"X" = "a\\r\\nY: b"}', "the value of the header X is printable ASCII"),
    ],
)  # fmt: skip
def test_table_that_is_wrong_is_named_and_what_is_wrong_is_said_without_a_secret(
    tmp_path: Path, table: str, message: str
) -> None:
    told = refusal(tmp_path, f"[connections.erp]\n{table}\n")
    assert told == f"[connections.erp]: {message}"
    assert "s3cr3t" not in told


@pytest.mark.parametrize("name", ["meu-erp", "1erp", "a b", "cafe\u0301"])
def test_name_that_via_could_not_say_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, f'[connections."{name}"]\n{HTTP}') == (
        f"[connections.{name}]: the name is for `via`: letters, digits and _, and no digit first"
    )


def test_connections_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "connections = 1\n") == "Expected `object`, got `int` - at `$.connections`"
    assert refusal(tmp_path, "[connections]\nerp = 1\n") == f"[connections.erp]: {KINDS}"


def test_text_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as wrong:
        tomllib.loads("[connections.\n")
    assert refusal(tmp_path, "[connections.\n") == str(wrong.value)
