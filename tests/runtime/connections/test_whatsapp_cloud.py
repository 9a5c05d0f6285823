"""Template messages to a Cloud API that really listens, and what its error codes mean."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from runtime.connections.http import HttpClient
from runtime.connections.whatsapp_cloud import Sent, WhatsAppCloud, message
from runtime.failures import Kind, StepFailure
from tests.fakes.service import Reply
from tests.fakes.whatsapp import NUMBER, TOKEN, WhatsApp, refusal

PHONE = "+5511987654321"


@pytest.fixture
async def service() -> AsyncIterator[WhatsApp]:
    async with WhatsApp() as running:
        yield running


@pytest.fixture
def cloud(service: WhatsApp, http: HttpClient) -> WhatsAppCloud:
    return WhatsAppCloud(http, NUMBER, TOKEN, f"{service.url}/v23.0")


async def test_a_template_is_taken_and_the_account_told(service: WhatsApp, cloud: WhatsAppCloud) -> None:
    assert await cloud.send_template(PHONE, "retomada", "pt_BR", {}) == Sent("wamid.1", "5511987654321")
    assert service.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PHONE,
            "type": "template",
            "template": {"name": "retomada", "language": {"code": "pt_BR"}, "components": []},
        }
    ]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"nome": "Ana", "total": Decimal("10.50")},
            [
                {"type": "text", "parameter_name": "nome", "text": "Ana"},
                {"type": "text", "parameter_name": "total", "text": "10.50"},
            ],
        ),
        ({"2": 7, "1": "Ana"}, [{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}]),
    ],
)
def test_parameters_are_named_or_in_the_order_of_their_numbers(
    params: dict[str, Any], expected: list[dict[str, str]]
) -> None:
    [body] = message(PHONE, "pedido", "pt_BR", params)["template"]["components"]
    assert body == {"type": "body", "parameters": expected}


@pytest.mark.parametrize(
    ("part", "component"),
    [
        ("header.text", {"type": "header", "parameters": [{"type": "text", "parameter_name": "x", "text": "v"}]}),
        ("header.image", {"type": "header", "parameters": [{"type": "image", "image": {"link": "v"}}]}),
        ("header.video", {"type": "header", "parameters": [{"type": "video", "video": {"link": "v"}}]}),
        ("header.document", {"type": "header", "parameters": [{"type": "document", "document": {"link": "v"}}]}),
        (
            "button.0.url",
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "v"}]},
        ),
        (
            "button.1.payload",
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "1",
                "parameters": [{"type": "payload", "payload": "v"}],
            },
        ),
        (
            "button.2.code",
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "2",
                "parameters": [{"type": "coupon_code", "coupon_code": "v"}],
            },
        ),
    ],
)
def test_header_and_buttons_have_their_own_components(part: str, component: dict[str, Any]) -> None:
    components = message(PHONE, "pedido", "pt_BR", {"x": "v", "1": "Ana"}, {"x": part, "1": ""})["template"][
        "components"
    ]
    assert components == [component, {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    assert message(PHONE, "pedido", "pt_BR", {"x": "v"}, {"x": part})["template"]["components"] == [component]


def test_the_text_of_a_header_that_meta_knows_by_number_has_no_name() -> None:
    [header] = message(PHONE, "pedido", "pt_BR", {"header": 7}, {"header": "header.text"})["template"]["components"]
    assert header == {"type": "header", "parameters": [{"type": "text", "text": "7"}]}


def test_a_location_is_one_header_of_its_parameters() -> None:
    params = {"1": "Ana", "lat": Decimal("-23.561414"), "lon": Decimal("-46.655881"), "onde": "MASP"}
    parts = {"lat": "header.location.latitude", "lon": "header.location.longitude", "onde": "header.location.name"}
    location = {"latitude": "-23.561414", "longitude": "-46.655881", "name": "MASP"}
    assert message(PHONE, "mapa", "pt_BR", params, parts)["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "location", "location": location}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
    ]


@pytest.mark.parametrize("params", [{"1": "a", "nome": "b"}, {"1": "a", "3": "b"}, {"0": "a"}])
def test_parameters_that_are_neither_are_refused(params: dict[str, str]) -> None:
    with pytest.raises(StepFailure) as failed:
        message(PHONE, "pedido", "pt_BR", params)
    assert failed.value.message == (
        f"numbered parameters are 1, 2, … without a gap, and nothing else: {', '.join(params)}"
    )


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (refusal(2), ("whatsapp_2", Kind.NOT_DONE, None)),
        (refusal(4), ("whatsapp_4", Kind.NOT_DONE, 120.0)),
        (refusal(130429), ("whatsapp_130429", Kind.NOT_DONE, None)),
        (refusal(131056), ("whatsapp_131056", Kind.NOT_DONE, 6.0)),
        (refusal(131026), ("undeliverable", Kind.PERMANENT, None)),
        (refusal(131050), ("opted_out", Kind.PERMANENT, None)),
        (refusal(132015), ("template", Kind.PERMANENT, None)),
        (refusal(190, status=401), ("account", Kind.PERMANENT, None)),
        (refusal(999_999), ("whatsapp_999999", Kind.PERMANENT, None)),
        (Reply(502, b"<html>"), ("http_502", Kind.TRANSIENT, None)),
        (Reply(200, b"garbage"), ("no_answer", Kind.TRANSIENT, None)),
        (Reply(200, {"messages": [], "contacts": []}), ("no_answer", Kind.TRANSIENT, None)),
        (Reply(200, {}, cut=True), ("no_answer", Kind.TRANSIENT, None)),
    ],
)
async def test_what_an_answer_means(
    service: WhatsApp, cloud: WhatsAppCloud, reply: Reply, meaning: tuple[str, Kind, float | None]
) -> None:
    service.faults.append(reply)
    with pytest.raises(StepFailure) as failed:
        await cloud.send_template(PHONE, "retomada", "pt_BR", {})
    assert (failed.value.code, failed.value.kind, failed.value.retry_after) == meaning


@pytest.mark.parametrize(
    ("codes", "failure", "kind", "after"),
    [
        ((1, 2, 130429, 131000, 131016, 131057), None, Kind.NOT_DONE, None),
        ((4, 80007), None, Kind.NOT_DONE, 120.0),
        ((131056,), None, Kind.NOT_DONE, 6.0),
        ((131050,), "opted_out", Kind.PERMANENT, None),
        ((131026, 130472, 131049), "undeliverable", Kind.PERMANENT, None),
        ((132000, 132001, 132005, 132007, 132012, 132015, 132016), "template", Kind.PERMANENT, None),
        (
            (0, 3, 10, 190, 200, 299, 368, 130497, 131031, 131042, 131048, 133016),
            "account",
            Kind.PERMANENT,
            None,
        ),
        ((33, 100, 131008, 131009, 131047, 131051, 131052, 131053, 300), None, Kind.PERMANENT, None),
    ],
)
async def test_every_code_of_the_documentation_means_what_it_says_there(  # noqa: PLR0913, PLR0917  # pytest's
    service: WhatsApp,
    cloud: WhatsAppCloud,
    codes: tuple[int, ...],
    failure: str | None,
    kind: Kind,
    after: float | None,
) -> None:
    for code in codes:
        service.faults.append(refusal(code))
        with pytest.raises(StepFailure) as failed:
            await cloud.send_template(PHONE, "retomada", "pt_BR", {})
        told = (failed.value.code, failed.value.kind, failed.value.retry_after)
        assert told == (failure or f"whatsapp_{code}", kind, after)


@pytest.mark.parametrize(("code", "told"), [(190, 1), (131048, 1), (132000, 0), (131056, 0)])
async def test_what_stops_all_messages_is_told_as_an_error(
    service: WhatsApp, cloud: WhatsAppCloud, caplog: pytest.LogCaptureFixture, code: int, told: int
) -> None:
    service.faults.append(refusal(code, "why"))
    with pytest.raises(StepFailure):
        await cloud.send_template(PHONE, "retomada", "pt_BR", {})
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == told * [
        "no message goes to WhatsApp until somebody looks at the account: "
        f"WhatsApp refused the message: why (code {code})"
    ]


async def test_a_wrong_number_of_parameters_is_told_as_meta_tells_it(cloud: WhatsAppCloud) -> None:
    with pytest.raises(StepFailure) as failed:
        await cloud.send_template(PHONE, "pedido", "pt_BR", {"1": "a"})
    assert str(failed.value) == (
        "template: WhatsApp refused the message: number of localizable_params (1) does not match (2) (code 132000)"
    )


async def test_the_token_is_in_no_failure(service: WhatsApp, http: HttpClient) -> None:
    cloud = WhatsAppCloud(http, NUMBER, "a-secret-token", f"{service.url}/v23.0")
    with pytest.raises(StepFailure) as failed:
        await cloud.send_template(PHONE, "retomada", "pt_BR", {})
    assert failed.value.code == "account"
    assert "a-secret-token" not in repr(failed.value)
