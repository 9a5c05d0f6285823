"""What a test does: deliveries, time, mocks, and what it finds."""

from pathlib import Path

from tests.runtime.trial.conftest import outcomes

CARRINHO = """\
flow carrinho
on webhook {telefone: phone, id: text}
  -> upsert person by telefone
  -> wait for pagamento by id within 2h as pago: {valor: decimal} else {
    -> send hsm "lembrete" to person
    -> stop
  }
  -> wait 2d
  -> send hsm "pesquisa" to person with {valor: pago.valor}

flow pagamento
on webhook {id: text, valor: decimal}
  -> emit pagamento by id with {valor}
"""
PEDIDO = """\
flow pedido
on webhook {id: text}
  -> post "{config.erp}/pedidos/{id}" with {id} retry 2 every 1s..1s as r: {n: int}
  -> log "{r.n}"
on error
  -> post "{config.erp}/alertas" with {passo: error.step}
"""


async def test_time_stands_still_until_it_is_advanced(folder: Path) -> None:
    found = await outcomes(
        folder,
        CARRINHO
        + """
test "just before the end of the wait" for carrinho {
  given {telefone: "11999998888", id: "c1"}
  advance 7199s
  expect not send hsm
  expect not stop
}

test "at its end" for carrinho {
  given {telefone: "11999998888", id: "c1"}
  advance 2h
  expect send hsm "lembrete" to "+5511999998888"
  expect stop
}
""",
    )
    assert found.failed == []


async def test_event_of_another_flow_wakes_a_run_and_what_is_due_on_the_way_happens_in_its_order(folder: Path) -> None:
    found = await outcomes(
        folder,
        CARRINHO
        + """
test "t" for carrinho {
  given {telefone: "11999998888", id: "c1"}
  advance 1h
  given pagamento {id: "c2", valor: 1}
  given pagamento {id: "c1", valor: 9.90}
  expect not send hsm
  advance 10d
  expect send hsm "pesquisa" with {valor: 9.9}
  expect emit pagamento by "c1" with {valor: 9.9}
  expect emit pagamento by "c2"
  expect not emit pagamento
  expect not send hsm
  expect not stop
}
""",
    )
    assert found.told() == ""


async def test_failure_of_a_mock_is_repeated_as_a_real_one_is(folder: Path) -> None:
    found = await outcomes(
        folder,
        PEDIDO
        + """
test "until it works" for pedido {
  given {id: "7"}
  mock post = fail("http_503")
  mock post = fail("no_answer")
  mock post = {n: 1}
  advance 2s
  expect post "{config.erp}/pedidos/7" with {id: "7"}
  expect not post
  expect not fail
}

test "or not at all" for pedido {
  given {id: "7"}
  mock post "{config.erp}/pedidos/{id}" = fail("http_503")
  advance 2s
  expect fail "http_503"
  expect post "{config.erp}/alertas" with {passo: "post_r"}
}

test "what a repeat cannot mend" for pedido {
  given {id: "7"}
  mock post "{config.erp}/pedidos/{id}" = fail("http_400")
  expect fail "http_400"
}
""",
    )
    assert found.failed == []


async def test_mock_of_an_address_counts_before_one_with_holes_and_the_last_of_several_holds_on(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {ids: [text]}
  -> for id in ids { -> get "{config.erp}/p/{id}" as p: {n: int} -> post "{config.erp}/log" with {n: p.n} }

test "t" {
  mock get = {n: 0}
  mock get "{config.erp}/p/{id}" = {n: 1}
  mock get "{config.erp}/p/{id}" = {n: 2}
  mock get "{config.erp}/p/a%20b" = {n: 9}
  given {ids: ["x", "a b", "y", "z"]}
  expect post with {n: 1}
  expect post with {n: 9}
  expect post with {n: 2}
  expect post with {n: 2}
  expect not post
}
""",
    )
    assert (
        found.told()
        == """\
error: no call of `get` came to this mock
 --> flows/a.seta:6:3
  |
6 |   mock get = {n: 0}
  |   ^^^^^^^^^^^^^^^^^ never used
  |
  = a ran for/get_p[0], for/post[0], for/get_p[1], for/post[1], for/get_p[2], for/post[2],
    for/get_p[3], for/post[3]; it went through to its end
"""
    )


async def test_local_steps_work_and_can_be_mocked(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook answer within 5s {telefone: phone, nome: text?}
  -> find person by telefone as p else { -> upsert person by telefone with {nome} as p }
  -> respond 200 {id: p.id, nome: p.nome}
  -> send hsm "oi" to p
  -> wait 1h
  -> send hsm "tchau" to p

test "at work" {
  given {telefone: "11999998888", nome: "Ana"}
  given {telefone: "11999998888"}
  expect respond 200 {nome: "Ana"}
  expect upsert person with {nome: "Ana"}
  expect not upsert person
  expect find person by "+5511999998888"
  expect find person by "+5511999998888"
}

test "mocked" {
  given {telefone: "11999998888"}
  mock find person = {id: "p1", nome: "Bia", telefone: "+5511777776666"}
  mock send hsm "oi" = none
  advance 1h
  expect respond 200 {id: "p1", nome: "Bia"}
  expect send hsm "oi" to {id: "p1"}
  expect send hsm "tchau" to "+5511777776666"
}

test "failing" {
  given {telefone: "11999998888"}
  mock send hsm "oi" = fail("no_phone")
  expect fail "no_phone"
}
""",
    )
    assert found.failed == []


async def test_code_runs_and_a_result_that_may_be_absent_needs_no_mock(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {n: int}
  -> code(n): {dobro: int} ```python
     return {"dobro": 2 * n}
     ``` as c
  -> post "{config.erp}/x" with {dobro: c.dobro} as r
  -> post "{config.erp}/y" with {r: r.id}

test "t" {
  given {n: 4}
  expect post "{config.erp}/x" with {dobro: 8}
  expect post "{config.erp}/y" with {r: none}
}
""",
    )
    assert found.failed == []


async def test_headers_query_and_secrets_are_there_and_a_repeat_makes_no_run(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook dedupe by headers["x-id"] ?? query.id for 1h {n: int}
  -> post "{config.erp}/x" with {n, chave: hmac_sha256(secret.CHAVE, "x")}

test "t" {
  given {n: 1} headers {"X-Id": "a"}
  given {n: 2} headers {"X-Id": "a"}
  given {n: 3} query {id: "b"}
  expect post with {n: 1}
  expect post with {n: 3}
  expect not post
  expect respond 200
  advance 1h
  given {n: 4} headers {"x-id": "a"}
  expect post with {n: 4}
}
""",
    )
    assert found.failed == []


async def test_delivery_that_the_door_refuses_fails_a_test_that_does_not_say_so(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {telefone: phone}
  -> upsert person by telefone

test "t" { given {telefone: "não tenho"} }
test "meant" {
  given {telefone: "não tenho"}
  expect respond 422 {flow: "a", problems: [{pointer: "/telefone"}]}
  expect not upsert person
  expect not fail
}
test "otherwise" {
  given {telefone: "11999998888"}
  expect respond 422
}
""",
    )
    assert found.failed == ["t", "otherwise"]
    assert (
        found.told()
        == """\
error: the door refuses this delivery to a
 --> flows/a.seta:5:12
  |
5 | test "t" { given {telefone: "não tenho"} }
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ refused
  |
  = at /telefone: expected phone, got text
  = a test of that says `expect respond 422`
"""
    )


async def test_failed_run_fails_a_test_that_does_not_say_so_and_shows_where_it_failed(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {n: int}
  -> post "{config.erp}/x" with {n: 1 / n}

test "t" {
  given {n: 0}
}
""",
    )
    assert (
        found.told()
        == """\
error: the run of a failed as division_by_zero: the divisor is zero
 --> flows/a.seta:6:3
  |
3 |   -> post "{config.erp}/x" with {n: 1 / n}
  |      ------------------------------------- failed here
  :
6 |   given {n: 0}
  |   ^^^^^^^^^^^^ of this delivery
  |
  = a test of that says `expect fail "division_by_zero"`
  = a ran no step that is recorded; it failed at post as division_by_zero: the divisor is zero
"""
    )


async def test_step_that_needs_a_result_asks_for_a_mock(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {id: text}
  -> get "{config.erp}/p/{id}" as p: {n: int}
  -> log p.n

test "t" {
  given {id: "7"}
}
""",
    )
    assert (
        found.told()
        == """\
error: nothing says what `get "{config.erp}/p/7"` gives
 --> flows/a.seta:6:6
  |
3 |   -> get "{config.erp}/p/{id}" as p: {n: int}
  |      ---------------------------------------- needs a result
  :
6 | test "t" {
  |      ^^^ no mock for it
  |
  = add to the test: mock get "{config.erp}/p/7" = …
  = a ran get_p (failed as not_mocked); it failed at get_p as not_mocked: the step needs a result,
    and nobody was asked for one
"""
    )


async def test_what_was_sent_otherwise_is_told_field_by_field(folder: Path) -> None:
    found = await outcomes(
        folder,
        CARRINHO
        + """
test "t" for carrinho {
  given {telefone: "11999998888", id: "c1"}
  expect send hsm "pesquisa"
  given pagamento {id: "c1", valor: 10}
  advance 2d
  expect send hsm "pesquisa" with {valor: 11}
  expect not send hsm "pesquisa"
  expect not emit pagamento
}
""",
    )
    assert (
        found.told()
        == """\
error: `send hsm "pesquisa"` was not sent
  --> flows/a.seta:17:3
   |
17 |   expect send hsm "pesquisa"
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected here
   |
   = called: upsert person by "+5511999998888"
   = carrinho ran upsert_person, wait_for_pagamento, wait, send_hsm; it went through to its end
   = pagamento ran emit_pagamento; it went through to its end

error: `send hsm "pesquisa"` was sent, but otherwise
  --> flows/a.seta:20:3
   |
20 |   expect send hsm "pesquisa" with {valor: 11}
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not like this
   |
   = sent: with.valor is 10, expected 11
   = it was 2026-01-07 12:00:00 UTC

error: `send hsm "pesquisa"` was sent
  --> flows/a.seta:21:3
   |
21 |   expect not send hsm "pesquisa"
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected not to be
   |
   = sent: send hsm "pesquisa" to {id: "bfb3a7c46c3f3a30d14f8f7b", phone: "+5511999998888"} with
     {valor: 10}
   = it was 2026-01-07 12:00:00 UTC

error: `emit pagamento` was sent
  --> flows/a.seta:22:3
   |
22 |   expect not emit pagamento
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^ expected not to be
   |
   = sent: emit pagamento by "c1" with {valor: 10}
   = it was 2026-01-07 12:00:00 UTC
"""
    )


async def test_answers_and_ends_that_are_others_are_told(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook answer within 2s {n: int}
  -> if n == 0 { -> respond 404 {erro: "nada", n} -> stop }
  -> get "{config.erp}/{n}" retry 1 every 3s
  -> respond 200 {n}

test "t" {
  given {n: 0}
  expect respond 200
  expect respond 404 {n: 1}
  expect not respond 404
  expect not stop
  expect fail
  expect fail "x"
}
test "late" {
  given {n: 1}
  mock get = fail("http_503")
  expect respond 200
  expect not respond 200
  expect stop
  advance 2s
  expect respond 202
  advance 2s
  expect fail "http_503"
  expect not fail "http_503"
  expect respond 202
}
test "failed" {
  given {n: 1}
  mock get = fail("http_400")
  expect respond 500 {flow: "a"}
  expect fail
}
""",
    )
    assert found.failed == ["t", "late"]
    told = [line for line in found.told("t").splitlines() if line.startswith("error") or "^" in line]
    assert [line.split("^")[-1].strip() for line in told] == [
        'error: the answer is 404 {erro: "nada", n: 0}',
        "expected 200",
        'error: the answer is 404 {erro: "nada", n: 0}',
        "n is 0, expected 1",
        'error: the answer is 404 {erro: "nada", n: 0}',
        "expected not to be",
        "error: the run of a has stopped itself",
        "it stopped itself",
        "error: the run of a has not failed",
        "it stopped itself",
        "error: the run of a has not failed as x",
        "it stopped itself",
    ]
    late = [line for line in found.told("late").splitlines() if line.startswith("error") or "^" in line]
    assert [line.split("^")[-1].strip() for line in late] == [
        "error: nobody has answered with 200 yet",
        "the sender still waits",
        "error: the run of a has not stopped itself",
        "it waits at get until 2026-01-05 12:00:02 UTC",
        "error: the run of a has failed as http_503",
        "it failed at get as http_503: as the test says",
    ]


async def test_run_that_waits_for_its_turn_is_at_rest(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook serial by id {id: text, n: int}
  -> wait 1h
  -> post "{config.erp}/x" with {n}

test "t" {
  given {id: "x", n: 1}
  given {id: "x", n: 2}
  advance 1h
  expect post with {n: 1}
  expect not post
  advance 1h
  expect post with {n: 2}
}
""",
    )
    assert found.failed == []


async def test_unknown_outcome_is_an_end_that_a_test_can_expect(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow a
on webhook {telefone: phone}
  -> send hsm "oi" to telefone

test "t" {
  given {telefone: "11999998888"}
  mock send hsm = fail("no_phone")
  expect fail "no_phone"
  expect not fail "unknown"
}
""",
    )
    assert found.failed == []


async def test_tests_are_the_same_each_time(folder: Path) -> None:
    text = """\
flow a
on webhook {n: int}
  -> post "{config.erp}/{run.id}" with {em: run.at}

test "t" { given {n: 1} expect not post }
"""
    first, second = [await outcomes(folder, text) for _ in range(2)]
    assert first.told() == second.told() != ""
    assert '"2026-01-05T12:00:00Z"' in first.told()


async def test_body_may_be_an_array_or_text(folder: Path) -> None:
    found = await outcomes(
        folder,
        """\
flow xml
on webhook accept text corpo: text(1..)
  -> wait 1h
  -> post "{config.erp}/xml" with {corpo}

flow lista
on webhook itens: [{n: int}]
  -> wait 1h
  -> post "{config.erp}/lista" with {soma: count(itens)}

test "text" for xml {
  given "<a/>"
  advance 1h
  expect post with {corpo: "<a/>"}
}

test "no text" for xml {
  given ""
  expect respond 422
}

test "array" for lista {
  given [{n: 1}, {n: 2}]
  advance 1h
  expect post with {soma: 2}
}
""",
    )
    assert found.failed == []


CONNECTED = """\
flow pedido
on webhook {id: text, volta: url, telefone: phone}
  -> post "/pedidos/{id}" via erp with {id} as r: {n: int}
  -> post to volta with {n: r.n}
  -> upsert person by telefone
  -> send hsm "oi" to person
"""
CONNECTIONS = """\
http = {open_hosts = true}
connections.erp = {kind = "http", url = "https://erp.example", auth = {kind = "bearer", token = "env:NOT_THERE"}}
connections.crm = {kind = "hablla", workspace = "66aa00000000000000000001", auth = {kind = "token", token = "env:NO"}}
connections.meta = {kind = "whatsapp_cloud", number_id = "1", token = "env:NO"}
"""


async def test_step_via_a_connection_is_mocked_as_it_is_written_and_needs_no_secret(folder: Path) -> None:
    (folder / "seta.toml").write_text(CONNECTIONS)
    found = await outcomes(
        folder,
        CONNECTED
        + """
test "t" for pedido {
  given {id: "a b", volta: "https://volta.example/x", telefone: "11999998888"}
  mock post "/pedidos/{id}" = {n: 7}
  expect post "/pedidos/a%20b" with {id: "a b"}
  expect post "https://volta.example/x" with {n: 7}
  expect upsert person by "+5511999998888"
  expect send hsm "oi" to "+5511999998888"
}

test "what is sent" for pedido {
  given {id: "1", volta: "https://volta.example/x", telefone: "11999998888"}
  mock post "/pedidos/1" = {n: 7}
  expect post "https://outra.example/"
}
""",
    )
    assert found.told() == ""
    assert (
        found.told("what is sent")
        == """\
error: `post "https://outra.example/"` was not sent
  --> flows/a.seta:20:3
   |
20 |   expect post "https://outra.example/"
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected here
   |
   = called: post "/pedidos/1" via erp with {id: "1"}
   = called: post "https://volta.example/x" with {n: 7}
   = called: upsert person via crm by "+5511999998888"
   = called: send hsm "oi" via meta to {id: "bfb3a7c46c3f3a30d14f8f7b", phone: "+5511999998888"}
   = pedido ran post_r, post, upsert_person, send_hsm; it went through to its end
"""
    )


FORMULARIO = """\
flow contato
on webhook accept json, form {
  form: {name: text?}?
  fields: {name: {value: text}, email: {value: email}, aceite: {value: bool}?}
  notas: [int]?
  rawRequest: {q3: text}?
}
  -> log {nome: fields.name.value, form: form.name, aceite: fields.aceite.value, notas, q3: rawRequest.q3}
"""


async def test_text_to_a_flow_that_takes_forms_is_a_form_with_brackets_and_json_in_fields(folder: Path) -> None:
    found = await outcomes(
        folder,
        FORMULARIO
        + """
test "brackets of PHP, as Elementor sends them" for contato {
  given "form[name]=Contato&fields[name][value]=Ana+Lima&fields[email][value]=a%40b.example&fields[aceite][value]=on"
  expect log with {nome: "Ana Lima", form: "Contato", aceite: true, notas: none}
}

test "a field that comes again, and those that hold JSON, as JotForm sends them" for contato {
  given "fields[name][value]=Ana&fields[email]=%7B%22value%22:%22a%40b.example%22%7D&notas=1&notas=2&rawRequest=%7B%22q3%22:%22x%22%7D"
  expect log with {nome: "Ana", notas: [1, 2], q3: "x"}
}

test "the same flow takes JSON" for contato {
  given {fields: {name: {value: "Ana"}, email: {value: "a@b.example"}}, notas: [1]}
  expect log with {nome: "Ana", notas: [1]}
}

test "what a form lacks is refused" for contato {
  given "fields[name][value]=Ana"
  expect respond 422
}
""",  # noqa: E501  # a form is one line
    )
    assert found.failed == []


async def test_form_that_does_not_fit_or_cannot_be_read_is_told(folder: Path) -> None:
    found = await outcomes(
        folder,
        FORMULARIO
        + """
test "lacks" for contato {
  given "fields[name][value]=Ana&fields[email]=a%40b.example"
}

test "unreadable" for contato {
  given "fields[name]=Ana&fields[name][value]=Ana"
}
""",
    )
    assert (
        found.told("lacks")
        == """\
error: the door refuses this delivery to contato
  --> flows/a.seta:11:3
   |
11 |   given "fields[name][value]=Ana&fields[email]=a%40b.example"
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ refused
   |
   = at /fields/email: expected object, got text
   = a test of that says `expect respond 422`
"""
    )
    assert (
        found.told("unreadable")
        == """\
error: the door refuses this delivery to contato
  --> flows/a.seta:15:3
   |
15 |   given "fields[name]=Ana&fields[name][value]=Ana"
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ refused
   |
   = One of its fields is a value and also holds others, by the brackets in their names. Nothing was
     stored.
"""
    )


async def test_text_is_a_form_where_a_flow_takes_forms_and_no_text(folder: Path) -> None:
    found = await outcomes(
        folder,
        """
flow ambos on webhook accept form, text corpo: json -> log {corpo}
flow forma on webhook accept form corpo: json -> log {corpo}

test "text" for ambos {
  given "a=b"
  expect log with {corpo: "a=b"}
}

test "form" for forma {
  given "a=b&c[]=1&c[]=2"
  expect log with {corpo: {a: "b", c: ["1", "2"]}}
}
""",
    )
    assert found.failed == []
