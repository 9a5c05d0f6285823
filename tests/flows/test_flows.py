"""Each flow of flows/ does what it says: persons, messages, and what the other systems get."""

import asyncio
import json

from runtime.journal.rows import RunState
from tests.flows.conftest import House
from tests.receiver import Fault

PHONE = "+5511999998888"


async def test_retomada_makes_one_person_and_sends_at_every_delivery(house: House) -> None:
    await house.run("retomada", telefone="11999998888", nome="João Silva", email="joao@example.com")
    detail = await house.run("retomada", telefone="1199998888", nome="João S.")
    assert detail.run.state is RunState.DONE
    assert [(p.name, p.phone, p.email) for p in await house.persons()] == [("João S.", PHONE, "joao@example.com")]
    assert await house.messages() == [(PHONE, "retomada", {}), (PHONE, "retomada", {})]


async def test_retomada_keeps_what_is_no_phone_as_a_dead_letter(house: House) -> None:
    detail = await house.run("retomada", telefone="não informado")
    assert (detail.run.state, json.loads(bytes(detail.run.error or b""))["code"]) == (RunState.DEAD, "no_digits")
    assert await house.messages() == []


async def test_erp_scores_in_python_and_posts(house: House) -> None:
    detail = await house.run("erp", id="A-1", nome="Ana", valor=1234.5, tags=["vip"])
    assert detail.run.state is RunState.DONE
    body = {"id": "A-1", "nome": "Ana", "valor": 1234.5, "score": 22, "faixa": "a"}
    assert house.requests() == [("POST", "/pedidos", body)]


async def test_leads_sends_with_a_default_for_what_is_absent(house: House) -> None:
    await house.run("leads", telefone="11999998888", origem="anuncio")
    assert await house.messages() == [(PHONE, "retomada", {"nome": "tudo bem", "origem": "anuncio"})]


async def test_roteia_sends_each_origin_its_own_way(house: House) -> None:
    await house.run("roteia", telefone="11999998888", valor=5, origem="anuncio")
    await house.run("roteia", telefone="11999998888", valor=5, origem="site")
    await house.run("roteia", telefone="11999998888", valor=1000.01, origem="site")
    stopped = await house.run("roteia", telefone="11999998888", valor=5, origem="indicacao")
    assert [template for _, template, _ in await house.messages()] == ["oferta", "retomada"]
    person = (await house.persons())[0].id
    assert house.requests() == [("POST", "/vendedores", {"pessoa": person, "valor": 1000.01})]
    assert stopped.run.state is RunState.STOPPED


async def test_enriquece_takes_what_both_say(house: House) -> None:
    house.receiver.always(Fault(body=b'{"nome": "ACME", "valor": 7}'))
    detail = await house.run("enriquece", documento="11.222.333/0001-81", telefone="11999998888")
    person = (await house.persons())[0]
    assert (person.name, person.phone) == ("ACME", PHONE)
    assert json.loads(detail.steps[-1].value) == {"pessoa": person.id, "score": 7}
    assert [path for _, path, _ in house.requests()] == ["/receita/11222333000181", "/score?documento=11222333000181"]


async def test_enriquece_goes_on_without_the_score(house: House) -> None:
    house.receiver.always(Fault(body=b'{"nome": "ACME"}'))
    detail = await house.run("enriquece", documento="11.222.333/0001-81", telefone="11999998888")
    assert detail.run.state is RunState.DONE
    assert json.loads(detail.steps[-1].value) == {"pessoa": (await house.persons())[0].id, "score": 0}


async def test_estoque_reserves_every_item_and_then_orders(house: House) -> None:
    items = [{"sku": f"s{n}", "qtd": n} for n in range(4)]
    detail = await house.run("estoque", id="P-1", itens=items)
    assert detail.run.state is RunState.DONE
    assert house.receiver.requests[-1].json() == {"id": "P-1", "skus": ["s1", "s2", "s3"]}
    assert [body for _, path, body in house.requests() if path == "/reservas"] == items


async def test_cobranca_insists_and_sends_the_receipt(house: House) -> None:
    house.receiver.script(Fault(status=503, headers={"retry-after": "0"}))
    detail = await house.run("cobranca", txid="t1", telefone="11999998888", valor=1234.5)
    assert detail.run.state is RunState.DONE
    assert await house.messages() == [(PHONE, "pix_recebido", {"valor": "R$ 1.234,50", "recibo": 2})]


async def test_cobranca_tells_somebody_when_it_fails(house: House) -> None:
    house.receiver.script(Fault(status=400))
    detail = await house.run("cobranca", txid="t1", telefone="11999998888", valor=1)
    assert detail.run.state is RunState.DEAD
    alert = house.requests()[0]
    assert alert[:2] == ("POST", "/alertas")
    assert alert[2]["texto"].startswith("cobranca parou em post_baixa: ")


async def test_carrinho_is_remembered_when_nobody_pays(house: House) -> None:
    run = await house.post("carrinho", telefone="11999998888", carrinho={"id": "c1", "total": 10})
    await house.reached(run, RunState.WAITING)
    house.clock.ahead += 2 * 3_600_000 + 1
    await house.wake()
    assert (await house.reached(run)).run.state is RunState.STOPPED
    assert [template for _, template, _ in await house.messages()] == ["carrinho_abandonado"]


async def test_carrinho_asks_days_after_the_payment(house: House) -> None:
    run = await house.post("carrinho", telefone="11999998888", carrinho={"id": "c2", "total": 10})
    await house.reached(run, RunState.WAITING)
    await house.run("pagamento", carrinho="c2", valor=10)
    async with asyncio.timeout(10):
        while "wait" not in [row.step for row in (await house.reached(run, RunState.WAITING)).steps]:
            await asyncio.sleep(0.01)
    house.clock.ahead += 2 * 86_400_000 + 1
    await house.wake()
    assert (await house.reached(run)).run.state is RunState.DONE
    assert [template for _, template, _ in await house.messages()] == ["pesquisa"]
    assert [person.tags for person in await house.persons()] == [["comprou"]]
