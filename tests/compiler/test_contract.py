"""What a flow tells its senders: of its fields what is written there, of its answers their types."""

import pytest

from compiler.contract import Contract, Reply, contract_of
from tests.compiler.test_generated import compiled

TEXT = {"type": "string"}


def contract(text: str) -> Contract:
    return contract_of(compiled(text)[0])


def test_comments_before_flow_and_fields_are_kept_by_the_keys_that_lead_to_them() -> None:
    found = contract(
        """
        ## Takes an order.
        ## And keeps it.
        flow pedido
        on webhook {
          ## Who it is.
          "e-mail" as email: email?
          ## What is wanted.
          itens: [Item]
          plano: {
            ## Its name.
            nome: text
          }?
        }
          -> log email

        type Item = {
          ## The code.
          sku: text
          qtd: int
        }
        """
    )
    assert found == Contract(
        "Takes an order.\nAnd keeps it.",
        (
            (("e-mail",), "Who it is."),
            (("itens",), "What is wanted."),
            (("itens", "sku"), "The code."),
            (("plano", "nome"), "Its name."),
        ),
        (),
    )


def test_fields_of_a_body_under_one_name_begin_at_the_top() -> None:
    found = contract("flow f on webhook pedidos: [{\n## The code.\nsku: text\n}] -> log count(pedidos)")
    assert found.fields == ((("sku",), "The code."),)


def test_flow_without_comments_and_answers_tells_nothing() -> None:
    assert contract("flow f on webhook {a: text} -> log a") == Contract("", (), ())


def test_immediate_answer_is_told_with_its_type() -> None:
    found = contract("flow f on webhook answer 201 with {ok: true, run: run.id, n: [1]} {a: text} -> log a")
    schema = {
        "type": "object",
        "properties": {
            "ok": {"type": "boolean"},
            "run": TEXT,
            "n": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["ok", "run", "n"],
    }
    assert found.replies == (Reply(201, schema),)


def test_each_respond_is_told_with_its_comment() -> None:
    found = contract(
        """
        flow f on webhook {telefone: phone, quando: datetime?}
          -> find person by telefone as p else {
               ## Nobody is known by this phone.
               -> respond 404 {telefone, quando}
               -> stop
             }
          -> if p.email == none {
               -> respond 204
             } else {
               -> respond 200 p
             }
        """
    )
    maybe = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    nobody = {"type": "object", "properties": {"telefone": TEXT, "quando": maybe}, "required": ["telefone"]}
    *first, known = found.replies
    assert first == [Reply(404, nobody, "Nobody is known by this phone."), Reply(204, None)]
    assert known.schema is not None
    assert known.schema["properties"]["id"] == {**TEXT, "description": "The same for as long as the person is kept."}
    assert known.schema["properties"]["email"] == {"anyOf": [{**TEXT, "format": "email"}, {"type": "null"}]}
    assert known.schema["required"] == ["id"]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("1.5", {"type": "number"}),
        ("prazo", {"type": "string", "format": "duration"}),
        ("origem", {"enum": ["a", "b"]}),
        ("tudo", {}),
        ("tudo.x", {}),
        ("none", {"type": "null"}),
        ("link", {"type": "string", "format": "uri"}),
        ("dia", {"type": "string", "format": "date"}),
        ("qtd", {"type": "integer"}),
    ],
)
def test_values_leave_as_their_types_say(value: str, schema: dict[str, object]) -> None:
    found = contract(
        'flow f on webhook {prazo: duration, origem: "a" | "b", tudo: json, link: url, dia: date, qtd: int(1..9)}'
        f" -> respond 200 {value}"
    )
    assert found.replies == (Reply(200, schema),)


def test_comments_change_no_plan() -> None:
    plain, told = "flow f on webhook {{{}a: text}} -> log a".format, "\n## Something.\n"
    assert compiled(plain(""))[0].hash == compiled(plain(told))[0].hash
