"""Headers of strangers, whatever stands in them: what is malformed is refused, and nothing is a fault of ours."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.catalog import Delivery, Scheme
from runtime.door.answers import HEADERS_BYTES
from runtime.program import Guard
from runtime.shapes import anything, field, integer, record, text, whole
from tests.runtime.door.harness import LEAD, PATH, House, Reply, program
from tests.runtime.door.test_parts import MEDIA, form
from tests.runtime.schemes.calls import EXAMPLES

IDS = [f"{scheme.name}-{number}" for number, (scheme, _) in enumerate(EXAMPLES)]
MARKS = b" ,;=\"'\\:./%?&()<>@-_+\t\x80\xff"

# What may stand in a header by itself: bytes of all kinds but line ends and NUL, and pieces of what is expected there.
junk = st.binary(max_size=60).map(lambda value: bytes(byte for byte in value if byte not in b"\r\n\0"))
pieces = st.lists(st.sampled_from([bytes([mark]) for mark in MARKS]) | junk, max_size=6).map(b"".join)
lengths = st.sampled_from([1, 5_000])
LONGEST = HEADERS_BYTES - 2_000  # of one header beside others


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


Ask = Callable[..., Reply]


@pytest.fixture(scope="module")
def ask(runner: asyncio.Runner) -> Ask:
    """Sends a delivery with these headers, of a length that is said."""

    def asked(
        house: House, headers: Sequence[tuple[bytes, bytes]], body: bytes = LEAD, target: bytes = PATH.encode()
    ) -> Reply:
        said = any(name == b"content-length" for name, _ in headers)
        length = [] if said else [(b"content-length", b"%d" % len(body))]
        return runner.run(house.ask("POST", target, [*headers, *length], [body]))

    return asked


# who sends ------------------------------------------------------------------------------------------------------------


def guarded(scheme: Scheme, delivery: Delivery) -> House:
    """A door that takes the worked example of a scheme, whatever its body is."""
    url = urlsplit(delivery.url)
    guard = Guard(scheme.name, {param: param for param in delivery.secrets}, delivery.options)
    one = program(guard=guard, path=url.path, accept=("text",), shape=whole("x", text))
    return House(one, secrets=delivery.secrets, now=delivery.at, base=f"{url.scheme}://{url.netloc}")


def example(delivery: Delivery) -> tuple[list[tuple[bytes, bytes]], bytes, bytes]:
    """Headers, body and target of a worked example."""
    url = urlsplit(delivery.url)
    headers = [(name.lower().encode(), value.encode()) for name, value in delivery.headers.items()]
    return headers, delivery.body.encode(), f"{url.path}?{url.query}".encode()


@pytest.mark.parametrize(("scheme", "delivery"), EXAMPLES, ids=IDS)
def test_worked_example_comes_in_at_the_door(ask: Ask, scheme: Scheme, delivery: Delivery) -> None:
    headers, body, target = example(delivery)
    house = guarded(scheme, delivery)
    assert ask(house, headers, body, target).status == 200
    assert [kept.payload.x for kept in house.engine.accepted] == [delivery.body]


@pytest.mark.parametrize(("scheme", "delivery"), EXAMPLES, ids=IDS)
@settings(max_examples=25)
@given(data=st.data())
def test_header_of_a_signature_is_good_or_401(
    ask: Ask, scheme: Scheme, delivery: Delivery, data: st.DataObject
) -> None:
    headers, body, target = example(delivery)
    index = data.draw(st.integers(0, len(headers) - 1))
    name, good = headers[index]
    start, end = sorted((data.draw(st.integers(0, len(good))), data.draw(st.integers(0, len(good)))))
    given = data.draw(pieces | st.builds(lambda middle: good[:start] + middle + good[end:], pieces | junk))
    given = (given * data.draw(lengths))[:LONGEST]
    reply = ask(guarded(scheme, delivery), [*headers[:index], (name, given), *headers[index + 1 :]], body, target)
    assert reply.status in (200, 401)
    if reply.status == 200:  # only where all that proves the sender is still there
        unread = scheme.name == "github" and name == b"x-hub-signature"
        assert unread or max(good.split(b","), key=len).rstrip(b"=").lower()[-20:] in given.lower()


@given(given=pieces | st.builds(lambda rest: b"Basic " + rest, pieces | junk) | junk, times=lengths)
def test_authorization_is_good_or_401(ask: Ask, given: bytes, times: int) -> None:
    house = House(program(guard=Guard("basic", {"user": "U", "password": "P"}, {})), secrets={"U": "a", "P": "b"})
    assert ask(house, [(b"authorization", (given * times)[:LONGEST])]).status == 401


@given(query=pieces | junk)
def test_query_that_is_signed_is_good_or_401(ask: Ask, query: bytes) -> None:
    [(scheme, delivery)] = [one for one in EXAMPLES if one[0].name == "mercadopago"]
    headers, body, target = example(delivery)
    reply = ask(guarded(scheme, delivery), headers, body, target.partition(b"?")[0] + b"?" + query)
    assert reply.status == 401


# what is sent ---------------------------------------------------------------------------------------------------------

KINDS = [(kind,) for kind in ("json", "form", "multipart", "text")] + [("json", "form", "multipart", "text")]
MEDIA_TYPES = [
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b"text/plain",
    b"application/problem+json",
]
parameters = st.lists(
    st.builds(
        lambda name, value: b"; " + name + b"=" + value,
        st.sampled_from([b"charset", b"boundary", b"CHARSET", b"q", b""]),
        pieces | junk | st.sampled_from([b"utf-8", b'"latin1"', b"utf-16", b"idna", b"zlib", b"XX", b'"', b'"\\"']),
    ),
    max_size=3,
).map(b"".join)
media_types = st.builds(lambda media, rest: media + rest, st.sampled_from(MEDIA_TYPES) | pieces | junk, parameters)
BODIES = [LEAD, b"x=1&y%5B%5D=2", form(b'--XX\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'), b"\xff\xfe<>"]


@pytest.mark.parametrize("accept", KINDS, ids="-".join)
@settings(max_examples=40)
@given(media=media_types, body=st.sampled_from(BODIES))
def test_content_type_is_read_or_refused(ask: Ask, accept: tuple[str, ...], media: bytes, body: bytes) -> None:
    reply = ask(House(program(accept=accept, shape=whole("x", anything))), [(b"content-type", media)], body)
    assert reply.status in (200, 400, 415, 422)


@given(given=st.text("0123456789 +-_.,exX٣", max_size=12).map(str.encode) | junk | st.just(b"9" * 5000))
def test_content_length_is_a_number_or_400(ask: Ask, given: bytes) -> None:
    reply = ask(House(program(limit=1000)), [(b"content-length", given)])
    if given.isdigit():
        expected = 413 if len(given.lstrip(b"0")) > 4 or int(given) > 1000 else (200, 400)[int(given) == 0]
        assert reply.status == expected
    else:
        assert (reply.status, reply.json()["type"]) == (400, "urn:seta:problem:no-length")


@given(accept=pieces | junk, origin=pieces | junk, method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]))
def test_accept_and_origin_are_nobodys_fault(runner: asyncio.Runner, accept: bytes, origin: bytes, method: str) -> None:
    house = House(program(cors=("https://a.example",)))
    headers = [(b"accept", accept), (b"origin", origin), (b"content-length", b"%d" % len(LEAD))]
    reply = runner.run(house.ask(method, PATH.encode(), headers, [LEAD]))
    assert reply.status in (200, 204)
    assert ("access-control-allow-origin" in reply.headers) is (origin == b"https://a.example")


# parts of a form ------------------------------------------------------------------------------------------------------

FILE = record("File", field("name", text), field("size", integer), field("base64", text, required=False))
PARTS = record("P", field("x", FILE.kind(), required=False), field("y", text, required=False))
disposition = st.builds(
    lambda kind, rest: kind + rest,
    st.sampled_from([b"form-data", b"attachment", b"form-data;", b""]),
    st.lists(
        st.builds(
            lambda name, value: b"; " + name + b"=" + value,
            st.sampled_from([b"name", b"filename", b"filename*", b"name*", b""]),
            pieces
            | junk
            | st.sampled_from([b'"x"', b'"y[a]"', b"UTF-8''%ff", b"utf-16''a", b'"../../etc/passwd"', b'"\\"']),
        ),
        max_size=3,
    ).map(b"".join),
)


@given(says=disposition | pieces | junk, media=media_types, body=junk)
def test_headers_of_a_part_are_read_or_refused(ask: Ask, says: bytes, media: bytes, body: bytes) -> None:
    head = b"--XX\r\nContent-Disposition: " + says + b"\r\nContent-Type: " + media + b"\r\n\r\n"
    house = House(program(accept=("multipart",), shape=PARTS))
    reply = ask(house, [(b"content-type", MEDIA.encode())], form(head + body + b"\r\n"))
    assert reply.status in (200, 400, 422)
