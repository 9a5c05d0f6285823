"""The official package of Standard Webhooks signs, and a real server takes what it signed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import httpx
import pytest
from standardwebhooks import Webhook

from tests.outside.serving import SECRETS, server
from tests.runtime.cli.process import ServerProcess

BODY: Final = '{"id":"pedido-1","nome":"João"}'
NEW: Final = Webhook(SECRETS["CHAVE"])
OLD: Final = Webhook(SECRETS["CHAVE_ANTIGA"])
STRANGER: Final = Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODk=")
_numbers = count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("outside")) as serving:
        yield serving


def signed(*keys: Webhook, body: str = BODY, age: timedelta = timedelta(), name: str = "") -> dict[str, str]:
    """The headers of a delivery that was signed with some keys, so long ago."""
    at = datetime.now(UTC) - age
    name = name or f"msg_{next(_numbers)}"
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(key.sign(name, at, body) for key in keys),
    }


def post(served: ServerProcess, headers: Mapping[str, str], body: str = BODY) -> httpx.Response:
    """Send a delivery as it was signed."""
    url = f"http://127.0.0.1:{served.port}/assinado"
    return httpx.post(url, content=body.encode(), headers=dict(headers), timeout=10, trust_env=False)


def test_what_the_package_signs_is_accepted(served: ServerProcess) -> None:
    assert post(served, signed(NEW)).status_code == 200


def test_delivery_that_is_sent_again_is_the_same_run(served: ServerProcess) -> None:
    first = post(served, signed(NEW, name="msg_again"))
    second = post(served, signed(NEW, name="msg_again"))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


def test_while_keys_change_either_is_good_and_so_are_both(served: ServerProcess) -> None:
    assert [post(served, signed(*keys)).status_code for keys in ((OLD,), (OLD, NEW), (STRANGER, NEW), (NEW, OLD))] == [
        200
    ] * 4


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_without_a_header_or_with_another_one_nothing_is_accepted(served: ServerProcess, part: str) -> None:
    headers = signed(NEW)
    other = signed(NEW, body="{}", age=timedelta(seconds=9))[part]
    for sent in ({**headers, part: other}, {name: value for name, value in headers.items() if name != part}):
        answer = post(served, sent)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_another_body_is_refused(served: ServerProcess) -> None:
    assert post(served, signed(NEW), BODY.replace("1", "2")).status_code == 401
    assert post(served, signed(NEW), f"{BODY} ").status_code == 401


def test_another_secret_is_refused(served: ServerProcess) -> None:
    assert post(served, signed(STRANGER)).status_code == 401


@pytest.mark.parametrize(("minutes", "status"), [(4, 200), (-4, 200), (6, 401), (-6, 401)])
def test_time_may_be_five_minutes_off(served: ServerProcess, minutes: int, status: int) -> None:
    assert post(served, signed(NEW, age=timedelta(minutes=minutes))).status_code == status
