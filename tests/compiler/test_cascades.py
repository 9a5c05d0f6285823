"""One mistake, one report: what follows from a mistake is not reported again."""

import re

import pytest

from compiler.check import Environment
from compiler.pipeline import check_folder
from dsl import Source
from runtime.steps import catalog

ENVIRONMENT = Environment(catalog(), frozenset({"erp"}))

# At the end of each line that has a mistake stands the code that says so. A name that a mistake binds is used below it.
OF_ALL_FAMILIES = """\
type Item = {sku: text, qtd: int(1..)}

flow pedido
on webhook {id: text, telefone: phone, nome: text?, itens: [Itens], origem: "site" | "loja"}  # E205
  -> upsert persn by telefone as cliente  # E204
  -> total = count(itens) + "1"  # E302
  -> bruto = total * 2
  -> match origem { "site" => { -> frete = 10 } }  # E231
  -> get "{config.erp}/frete/{id} as cotacao: {valor: decimal}  # E102
  -> log {valor: cotacao.valor, bruto, frete, cliente: cliente.id}
  -> send hsm "pedido" to telefone with {nome: nome}  # E311
  -> respond 200 {id}
  -> log secret.TOKEN  # E601
  -> log "fim: {bruto}"
"""
OF_SYNTAX = """\
flow carrinho
on webhook {id: text, telefone phone, valor: decimal}  # E101
  -> upsert person by telefone as quem
  -> if valor > 100 { log "caro" }  # E101
  -> total = valor +
  -> dobro = total * 2  # E101
  -> send hsm "oi to quem  # E102
  -> log {total, dobro, quem: quem.id}
  -> emit pago by id with {valor: 1.0  # E103
  -> for x in [1, 2] -> log x  # E101

def dobro(n: int) int = n * 2  # E101
"""
OF_PATHS = """\
flow consulta
on webhook "/consulta" {telefone: phone, n: int, tags: [text]}  # E602
  -> find person by telefone as p else { -> respond 404 -> stop }
  -> log "Olá, {p.nome}"  # E311
  -> parallel { a { -> x = 1 } b { -> x = 2 } }
  -> log x  # E305
  -> for tag in tags { -> post "https://{tag}/x" with {n} }  # E603
  -> wait 2h  # E503
  -> respond 200 {n}
  -> respond 200 {n}  # E504
  -> stop
  -> log n  # E501
"""


@pytest.mark.parametrize("text", [OF_ALL_FAMILIES, OF_SYNTAX, OF_PATHS], ids=["families", "syntax", "paths"])
def test_seven_mistakes_in_one_file_give_seven_reports(text: str) -> None:
    seeded = [(n, c) for n, line in enumerate(text.splitlines(), 1) for c in re.findall(r"# (E\d{3})$", line)]
    source = Source("a.seta", re.sub(r"  # E\d{3}$", "", text, flags=re.MULTILINE))
    found = check_folder([source], ENVIRONMENT).diagnostics
    errors = [(source.position(d.primary.span.start).line, d.code) for d in found if d.code.startswith("E")]
    assert len(seeded) == 7
    assert errors == seeded
