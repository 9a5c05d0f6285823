"""Sample bodies are such that their flow takes them."""

import json

import pytest

from runtime.door.samples import sample, sample_of
from runtime.shapes import (
    Kind,
    anything,
    array,
    boolean,
    decimal,
    email,
    enum,
    field,
    integer,
    nominal,
    record,
    scalar,
    text,
    whole,
)
from tests.runtime.door.harness import House, program

ITEM = record("Item", field("id", integer), field("nome", text), field("valor", decimal), field("x", scalar))
PHONE = nominal("phone", lambda value: f"+55{int(value)}")


PLAIN = [text, boolean, integer, decimal, scalar, anything, email, enum("a", "b"), PHONE]
NESTED = [array(text), array(integer), array(ITEM.kind()), ITEM.kind(), array(array(decimal)), array(enum("x"))]


@pytest.mark.parametrize("kind", [*PLAIN, *NESTED], ids=lambda kind: kind.name)
@pytest.mark.parametrize("key", ["campo", "id", "nome", "valor", "email", "telefone"])
def test_sample_fits(kind: Kind, key: str) -> None:
    shape = record("S", field("a", kind, key=key), field("b", kind, required=False))
    shape.decode(sample(shape).encode())


@pytest.mark.parametrize("kind", [*PLAIN, *NESTED], ids=lambda kind: kind.name)
async def test_sample_of_a_form_is_taken(kind: Kind) -> None:
    shape = record("S", field("a", kind), field("b", kind, required=False))
    house = House(program(shape=shape, accept=("form",)))
    reply = await house.post(sample_of(("form",), shape).encode(), content_type="application/x-www-form-urlencoded")
    assert reply.status == 200


@pytest.mark.parametrize("accept", [("json",), ("form",), ("text",)])
async def test_sample_of_a_whole_body_is_taken(accept: tuple[str, ...]) -> None:
    shape = whole("corpo", {"json": array(ITEM.kind()), "form": ITEM.kind(), "text": text}[accept[0]])
    house = House(program(shape=shape, accept=accept))
    reply = await house.post(sample_of(accept, shape).encode(), content_type="application/x-www-form-urlencoded")
    assert reply.status == 200


def test_sample_of_the_first_example_is_the_one_of_the_readme() -> None:
    shape = record(
        "Lead",
        field("telefone", scalar),
        field("nome", text, required=False, lenient=True),
        field("name", text, required=False, lenient=True),
        field("email", text, required=False, lenient=True),
        field("apelido", text, required=False, lenient=True),
    )
    assert json.loads(sample(shape)) == {
        "telefone": "11999998888",
        "nome": "João Silva",
        "email": "joao@example.com",
    }


def test_sample_of_an_order_has_values_that_people_know() -> None:
    shape = record(
        "Order",
        field("id", text),
        field("nome", text),
        field("valor", decimal),
        field("tags", array(text), required=False),
        field("pago", boolean),
        field("faixa", enum("a", "b")),
    )
    assert json.loads(sample(shape)) == {
        "id": "A-1",
        "nome": "João Silva",
        "valor": 10.5,
        "tags": ["texto"],
        "pago": True,
        "faixa": "a",
    }
