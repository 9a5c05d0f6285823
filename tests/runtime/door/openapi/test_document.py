"""The document that senders read: whole for one flow, and each part as its flow says."""

from typing import Any

import pytest

from runtime.door.openapi import document
from runtime.program import Contract, Dedupe, Guard, Program, Reply
from runtime.shapes import anything, array, email, field, integer, moment, nominal, ranged, record, text, whole
from tests.runtime.door.harness import BASE, program

PATH = "/v1/x"
JSON = "application/json"
PROBLEM = "application/problem+json"
FILE = record("File", field("name", text), field("type", text), field("size", integer), field("base64", text))


def described(one: Program) -> dict[str, Any]:
    return document(BASE, {PATH: one}, 10.0)


def posted(one: Program) -> dict[str, Any]:
    found: dict[str, Any] = described(one)["paths"][PATH]["post"]
    return found


def asked(**clauses: Any) -> dict[str, Any]:
    found: dict[str, Any] = posted(program(**clauses))["requestBody"]
    return found


def test_operation_has_the_flow_its_words_and_all_its_answers() -> None:
    told = posted(program(contract=Contract("Takes a lead.\nOnce.")))
    assert {name: told[name] for name in ("operationId", "summary", "description", "parameters", "security")} == {
        "operationId": "retomada",
        "summary": "Takes a lead.",
        "description": "Once.\n\nWhoever knows its address may call it: treat the address as a secret.",
        "parameters": [],
        "security": [],
    }
    assert list(told["responses"]) == [
        "200",
        "400",
        "404",
        "405",
        "408",
        "410",
        "413",
        "414",
        "415",
        "422",
        "429",
        "431",
        "500",
        "503",
        "507",
    ]
    assert told["responses"]["200"] == {
        "description": "The delivery is on disk, as this run.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Run"}}},
    }
    assert told["responses"]["404"] == {"$ref": "#/components/responses/NotFound"}


def test_payload_is_told_with_what_is_written_about_its_fields_and_an_example() -> None:
    item = record("Item", field("sku", text), field("qtd", ranged(integer, 1, None)))
    shape = record(
        "P",
        field("telefone", nominal("phone", str)),
        field("itens", array(item.kind())),
        field("origem", text, required=False, default="site"),
        field("nome", text, required=False, lenient=True),
    )
    docs = {("telefone",): "Whose it is.", ("itens", "sku"): "The code."}
    assert asked(shape=shape, contract=Contract(fields=docs), limit=5000) == {
        "required": True,
        "description": "At most 5,000 bytes.",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "telefone": {
                            "type": ["string", "number"],
                            "minLength": 1,
                            "description": "Whose it is.\n\na phone, in any usual form",
                        },
                        "itens": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "sku": {"type": "string", "description": "The code."},
                                    "qtd": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
                                },
                                "required": ["sku", "qtd"],
                            },
                        },
                        "origem": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": "site"},
                        "nome": {"description": "text; what is something else is left out"},
                    },
                    "required": ["telefone", "itens"],
                },
                "example": {
                    "telefone": "11999998888",
                    "itens": [{"sku": "texto", "qtd": 1}],
                    "origem": "texto",
                    "nome": "João Silva",
                },
            }
        },
    }


def test_kinds_of_bodies_are_told_as_accept_allows_them() -> None:
    shape = record("P", field("form", record("F", field("id", text)).kind()), field("email", email, required=False))
    body = asked(shape=shape, accept=("json", "form"))
    assert list(body["content"]) == [JSON, "application/x-www-form-urlencoded"]
    form = body["content"]["application/x-www-form-urlencoded"]
    assert form["encoding"] == {"form": {"style": "deepObject", "explode": True}}
    assert form["schema"]["properties"]["email"] == {"type": "string", "format": "email"}
    maybe = body["content"][JSON]["schema"]["properties"]["email"]
    assert maybe == {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}, {"const": ""}]}
    assert "brackets" in body["description"]


def test_body_under_one_name_is_whatever_begins_as_json() -> None:
    [content] = asked(shape=whole("corpo", anything))["content"].values()
    assert content == {"schema": {"type": ["object", "array"]}, "example": {}}


def test_text_under_one_name_is_told_with_an_example() -> None:
    assert asked(shape=whole("xml", text), accept=("text",))["content"] == {
        "text/plain": {"schema": {"type": "string"}, "example": "texto"}
    }


def test_files_are_told_as_files_and_fields_that_hold_json_as_objects() -> None:
    shape = record(
        "P",
        field("rawRequest", record("R", field("q3_email", email)).kind()),
        field("curriculo", FILE.kind()),
        field("fotos", array(record("Photo", field("size", integer)).kind()), required=False),
    )
    [content] = asked(shape=shape, accept=("multipart",), contract=Contract(fields={("curriculo",): "As PDF."}))[
        "content"
    ].values()
    file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
    assert content["schema"]["properties"] == {
        "rawRequest": {
            "type": "object",
            "properties": {"q3_email": {"type": "string", "format": "email"}},
            "required": ["q3_email"],
        },
        "curriculo": {**file, "description": "As PDF."},
        "fotos": {"anyOf": [{"type": "array", "items": file}, file]},
    }
    assert content["example"] == {
        "rawRequest": {"q3_email": "joao@example.com"},
        "curriculo": "the content of a file",
        "fotos": ["the content of a file"],
    }


@pytest.mark.parametrize(
    ("guard", "scheme", "beside"),
    [
        (
            Guard("token", {"secret": "T"}, {"header": "X-Token"}),
            {"type": "apiKey", "in": "header", "name": "X-Token"},
            [],
        ),
        (Guard("token", {"secret": "T"}, {"header": "Authorization"}), {"type": "http", "scheme": "bearer"}, []),
        (Guard("basic", {"user": "U", "password": "P"}, {}), {"type": "http", "scheme": "basic"}, []),
        (
            Guard("github", {"secret": "S"}, {}),
            {"type": "apiKey", "in": "header", "name": "X-Hub-Signature-256"},
            [],
        ),
        (
            Guard("standard", {"secret": "S"}, {}),
            {"type": "apiKey", "in": "header", "name": "webhook-signature"},
            ["webhook-id", "webhook-timestamp"],
        ),
        (
            Guard("hmac", {"secret": "S"}, {"header": "X-Sig", "timestamp": "X-Time", "id": "X-Id"}),
            {"type": "apiKey", "in": "header", "name": "X-Sig"},
            ["X-Time", "X-Id"],
        ),
    ],
)
def test_who_may_call_is_a_security_scheme(guard: Guard, scheme: dict[str, str], beside: list[str]) -> None:
    whole = described(program(guard=guard, headers=("x-time", "x-other")))
    told = whole["paths"][PATH]["post"]
    [(name, given)] = whole["components"]["securitySchemes"].items()
    assert told["security"] == [{name: []}]
    assert {key: value for key, value in given.items() if key != "description"} == scheme
    assert given["description"].startswith("This webhook wants ")
    required = [one["name"] for one in told["parameters"] if one["required"]]
    assert required == beside
    assert [one["name"] for one in told["parameters"] if not one["required"]] == [
        name for name in ("x-time", "x-other") if name not in {one.lower() for one in beside}
    ]
    assert "401" in told["responses"]


def test_flows_share_a_security_scheme_that_is_the_same() -> None:
    tokens = [Guard("token", {"secret": "T"}, {"header": header}) for header in ("X-A", "X-B", "X-A")]
    flows = {f"/{number}": program(f"f{number}", guard=guard) for number, guard in enumerate(tokens)}
    whole = document(BASE, flows, 10.0)
    assert list(whole["components"]["securitySchemes"]) == ["token", "token-2"]
    assert [path["post"]["security"] for path in whole["paths"].values()] == [
        [{"token": []}],
        [{"token-2": []}],
        [{"token": []}],
    ]


def test_headers_and_parameters_that_the_flow_reads_are_told() -> None:
    told = posted(program(headers=("authorization", "content-type", "x-id"), query=("src",)))
    assert told["parameters"] == [
        {
            "name": name,
            "in": place,
            "required": False,
            "description": "The flow reads it.",
            "schema": {"type": "string"},
        }
        for name, place in (("x-id", "header"), ("src", "query"))
    ]
    assert "parameters" in told["responses"]["400"]["content"][PROBLEM]["examples"]


def test_answers_of_the_flow_stand_beside_those_of_the_door() -> None:
    number, words = {"type": "integer"}, {"type": "string"}
    replies = (Reply(200, number, "Known."), Reply(404, words, "Unknown."), Reply(404, number), Reply(204, None))
    told = posted(program(responds=True, contract=Contract(replies=replies)))["responses"]
    assert told["200"] == {"description": "Known.", "content": {JSON: {"schema": number}}}
    assert told["204"] == {"description": "What the flow answers."}
    assert told["202"]["description"] == "On disk; the flow goes on, and has not answered within 10 s."
    assert told["202"]["content"][JSON]["schema"] == {"$ref": "#/components/schemas/Run"}
    assert told["404"]["content"][JSON] == {"schema": {"anyOf": [words, number]}}
    assert told["404"]["content"][PROBLEM]["examples"]["not-found"]["value"]["status"] == 404
    assert sorted(told["500"]["content"][PROBLEM]["examples"]) == ["failed", "fault"]


def test_repeat_of_a_flow_that_responds_may_get_the_first_run() -> None:
    dedupe = Dedupe(lambda payload, request: None, 1000)  # noqa: ARG005  # as a key of deliveries
    replies = (Reply(200, {"type": "integer"}),)
    told = posted(program(responds=True, dedupe=dedupe, contract=Contract(replies=replies)))["responses"]
    assert told["200"]["content"][JSON]["schema"] == {
        "anyOf": [{"type": "integer"}, {"$ref": "#/components/schemas/Run"}]
    }


@pytest.mark.parametrize(
    ("window", "says"),
    [(86_400_000, "1 day"), (129_600_000, "36 hours"), (90_000, "90 seconds"), (1500, "1500 milliseconds")],
)
def test_how_long_a_repeat_is_known_is_told(window: int, says: str) -> None:
    dedupe = Dedupe(lambda payload, request: None, window)  # noqa: ARG005  # as a key of deliveries
    told = posted(program(dedupe=dedupe))["description"].partition("\n\n")[2]
    assert told == f"A delivery that is sent again within {says} starts nothing: it gets the first answer."


def test_immediate_answer_takes_the_place_of_the_run() -> None:
    told = posted(program(contract=Contract(replies=(Reply(201, {"type": "integer"}),))))["responses"]
    assert [status for status in told if status < "400"] == ["201"]


def test_examples_of_refusals_are_what_the_door_says() -> None:
    told = posted(program(guard=Guard("token", {"secret": "T"}, {"header": "X"}), limit=77))["responses"]
    examples = {
        status: {name: one["value"]["detail"] for name, one in told[status]["content"][PROBLEM]["examples"].items()}
        for status in ("401", "408", "413", "415", "422", "429")
    }
    assert examples == {
        "401": {
            "unauthorized": "This webhook wants a token in X. Compare the secret, and the clock where a time is signed."
            " Nothing was stored."
        },
        "408": {"too-slow": "It has to be here 10 s after the headers. Nothing was stored: send it again."},
        "413": {
            "too-large": "The flow retomada takes 77 bytes at most; its clause `limit` can raise that."
            " Nothing was stored."
        },
        "415": {
            "encoded": "Send the body as it is: no Content-Encoding, and no Transfer-Encoding but chunked."
            " Nothing was stored.",
            "unaccepted": "It is neither JSON nor a form: send a JSON object (application/json)."
            " The flow's clause `accept` says what it takes. Nothing was stored.",
        },
        "422": {
            "misfit": "At /telefone: expected text or number, got nothing."
            " No run was started: send it again with every problem mended."
        },
        "429": {
            "too-many": "They come faster than the flow retomada is set to take them. Nothing was stored: send it"
            " again in 1 s."
        },
    }
    assert list(told["415"]["headers"]) == ["Accept"]
    assert told["400"]["description"] == (
        "The body broke off; The body is not JSON. Without a body: the request is no well-formed HTTP, such as a"
        " Content-Length that is no number."
    )


def test_a_look_at_a_webhook_is_told_too() -> None:
    meta = Guard("meta", {"secret": "S", "verify": "V"}, {})
    looked = described(program(guard=meta, cors=("https://a.example",)))["paths"][PATH]
    assert list(looked) == ["post", "get", "head", "options"]
    assert list(looked["get"]["responses"]) == ["200", "403", "404", "410", "414", "431"]
    assert list(looked["get"]["responses"]["200"]["content"]) == [JSON, "text/plain"]
    assert list(looked["options"]["responses"]) == ["204", "404", "410", "414", "431"]
    assert list(described(program())["paths"][PATH]) == ["post", "get", "head"]


def test_version_follows_what_is_described() -> None:
    first = described(program())["info"]["version"]
    assert described(program())["info"]["version"] == first
    assert described(program(shape=record("P", field("quando", moment))))["info"]["version"] != first
