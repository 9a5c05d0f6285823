"""What leaves a flow is told by host and by field, personal data apart."""

from compiler.check import Environment
from compiler.egress import Egress, egress
from compiler.pipeline import compile_folder
from dsl import Source
from runtime.steps import catalog

FLOW = """
on webhook {telefone: phone, nome: text?, nota: pii text, id: text, doc: cpf}
  -> upsert person by telefone with {nome}
  -> send hsm "oi" to person with {id}
  -> code(nota, id): {score: int, eco: text} ```python
     return {"score": 1, "eco": nota}
     ``` as s
  -> post "{config.erp}/p/{id}" with {doc, junto: "{nome ?? "?"}-{nota}", eco: s.eco}
  -> get "https://api.example/{doc}?x={id}" as r
  -> log r.x
""".replace('{nome ?? "?"}', "{id}")


def test_each_step_says_where_data_goes_and_what_of_it_is_personal() -> None:
    folder = compile_folder([Source("a.seta", FLOW)], Environment(catalog(), frozenset({"erp"})))
    assert not folder.broken, folder.diagnostics
    assert egress(folder.flows[0]) == [
        Egress("3:6", "persons", ("telefone", "nome"), ("telefone",)),
        Egress("4:6", "messages", ("person", "id"), ("person",)),
        Egress("8:6", "config.erp", ("doc", "junto", "eco", "id"), ("doc", "junto", "eco")),
        Egress("9:6", "api.example", ("doc", "id"), ("doc",)),
    ]
