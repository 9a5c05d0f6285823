"""Connections as the compiler sees them: which one a step gets, what of it is in the plan, what a reviewer is told."""

import pytest

from compiler import ir
from compiler.catalog import Connection, Template, TemplateParam
from compiler.check import Environment, origin
from compiler.egress import egress
from compiler.explain import step_lines
from compiler.pipeline import Compiled, compile_folder
from dsl import Diagnostic, Source, render_text
from runtime.steps import catalog

ERP = Connection("erp", "http", ("http",), origin="https://erp.example")
CRM = Connection("crm", "http", ("http",), idempotent=True, origin="http://crm.example:8080")
HABLLA = Connection("hablla", "hablla", ("persons",), origin="https://api.hablla.com")
WHATSAPP = Connection("whatsapp", "whatsapp_cloud", ("messages",), origin="https://graph.facebook.com")
CASA = Connection("casa", "local", ("persons", "tags", "keys", "messages"))


def environment(*connections: Connection, open_hosts: bool = False) -> Environment:
    config = frozenset({"erp", "crm"})
    return Environment(catalog(), config, connections=connections, open_hosts=open_hosts)


def compiled(steps: str, known: Environment) -> Compiled:
    text = f"flow a\non webhook {{telefone: phone, id: text, volta: url, doc: cpf}}\n  {steps}\n"
    folder = compile_folder([Source("a.seta", text)], known)
    assert not folder.broken, render_text(folder.diagnostics)
    return folder.flows[0]


def refused(step: str, known: Environment) -> str:
    """The whole message about the one step of a flow."""
    text = f"flow a\non webhook {{telefone: phone, id: text, volta: url}}\n  {step}\n"
    found: list[Diagnostic] = [
        d for d in compile_folder([Source("a.seta", text)], known).diagnostics if d.code.startswith("E")
    ]
    return render_text(found, color=False)


def via(flow: Compiled) -> list[str | None]:
    effects = (op for op in ir.all_steps(flow.plan) if isinstance(op, ir.Effect))
    return [op.connection.name if op.connection is not None else None for op in effects]


# Which one ----------------------------------------------------------------------------------------


def test_step_takes_the_connection_it_names() -> None:
    known = environment(ERP, CRM, CASA)
    steps = '-> post "/p" via erp -> post via crm -> post "{config.erp}/p" via erp -> upsert person via casa'
    assert via(compiled(steps, known)) == ["erp", "crm", "erp", "casa"]


def test_step_that_names_none_takes_the_only_one_that_can_do_it() -> None:
    assert via(compiled('-> upsert person -> send hsm "x" -> post "/p"', environment(ERP, CASA))) == [
        "casa",
        "casa",
        "erp",
    ]


def test_without_connections_persons_and_messages_have_their_own_and_a_whole_address_needs_none() -> None:
    assert via(compiled('-> upsert person -> send hsm "x" -> post "https://a.example/p"', environment())) == [None] * 3


def test_a_whole_address_takes_no_connection_that_it_does_not_name() -> None:
    steps = '-> post "https://erp.example/p" -> post "{config.erp}/p" -> post to config.erp'
    assert via(compiled(steps, environment(ERP))) == [None] * 3


# What the plan has of it --------------------------------------------------------------------------


def test_plan_follows_which_connection_it_is_and_whether_it_takes_repeats_and_not_where_it_is() -> None:
    flow = '-> post "/p" via erp with {id}'
    plan = compiled(flow, environment(ERP)).hash
    assert compiled(flow, environment(replace_(ERP, origin="https://staging.example"))).hash == plan
    assert compiled(flow, environment(ERP, CRM)).hash == plan
    assert compiled(flow, environment(replace_(ERP, idempotent=True))).hash != plan
    assert compiled(flow.replace("erp", "crm"), environment(replace_(ERP, name="crm"))).hash != plan


def replace_(connection: Connection, **changes: object) -> Connection:
    return Connection(**{name: getattr(connection, name) for name in connection.__struct_fields__} | changes)


def test_connection_that_takes_repeats_has_lost_answers_of_post_repeated() -> None:
    flow = compiled('-> post "/p" via erp -> post "/p" via crm -> put "/p" via crm', environment(ERP, CRM))
    assert {line.id: line.failure for line in step_lines(flow, catalog())} == {
        "post": "repeated only if surely not done: 5 tries, 1s..5m; a lost answer: dead letter",
        "post~2": (
            "repeated with the same key, also after a lost answer, which crm takes for one: 5 tries, 1s..5m; "
            "then dead letter"
        ),
        "put": "whatever may pass is repeated: 5 tries, 1s..5m; then dead letter",
    }


# What a reviewer is told --------------------------------------------------------------------------


def test_what_leaves_is_told_with_the_host_of_the_connection() -> None:
    steps = """
        -> upsert person by telefone via casa
        -> post "/p/{doc}" via erp with {id}
        -> post via crm with {id}
        -> get to config.erp
        -> get to "https://a.example/{id}"
        -> get to volta with {id}
    """
    flow = compiled(steps, environment(ERP, CRM, CASA, open_hosts=True))
    assert [(one.where, one.fields, one.personal) for one in egress(flow)] == [
        ("persons via casa", ("telefone",), ("telefone",)),
        ("erp.example via erp", ("id", "doc"), ("doc",)),
        ("crm.example:8080 via crm", ("id",), ()),
        ("config.erp", (), ()),
        ("a.example", ("id",), ()),
        ("any host: volta", ("volta", "id"), ()),
    ]


# What is refused ----------------------------------------------------------------------------------


def test_unknown_connection_is_refused_with_what_was_meant() -> None:
    assert (
        refused('-> post "/p" via erpp', environment(ERP, CRM))
        == """\
error[E241]: there is no connection `erpp`
 --> a.seta:3:20
  |
3 |   -> post "/p" via erpp
  |                    ^^^^ did you mean `erp`?
  |
  = seta.toml has `erp` and `crm`
  = a connection is written [connections.erpp] in seta.toml
  = fix (safe): replace `erpp` by `erp`
  = seta help E241
"""
    )


def test_connection_of_another_kind_is_refused_with_those_that_could_do_it() -> None:
    assert (
        refused("-> upsert person via erp", environment(ERP, CASA))
        == """\
error[E242]: `upsert person` cannot go via `erp`, which is a connection of kind http
 --> a.seta:3:24
  |
3 |   -> upsert person via erp
  |                        ^^^ a connection for persons is needed
  |
  = of these, `upsert person` can go via `casa`
  = seta help E242
"""
    )


def test_path_alone_is_refused_where_two_connections_could_take_it() -> None:
    assert (
        refused('-> post "/p"', environment(ERP, CRM))
        == """\
error[E243]: `post` could go via `erp` and `crm`
 --> a.seta:3:6
  |
3 |   -> post "/p"
  |      ^^^^^^^^^ say which
  |
  = fix (choose): post … via erp
  = fix (choose): post … via crm
  = seta help E243
"""
    )


def test_path_alone_is_refused_where_no_connection_could_take_it() -> None:
    assert (
        refused('-> post "/p"', environment())
        == """\
error[E217]: this is not an address that can be called
 --> a.seta:3:11
  |
3 |   -> post "/p"
  |           ^^^^ an absolute http or https URL is required
  |
  = write "https://host/path"; a path alone goes `via` a connection of kind http
  = seta help E217
"""
    )


def test_another_host_is_refused_because_the_connection_signs_in_there() -> None:
    assert (
        refused('-> post "https://evil.example/p" via erp', environment(ERP))
        == """\
error[E604]: `erp` is a connection to https://erp.example, and this is another host
 --> a.seta:3:11
  |
3 |   -> post "https://evil.example/p" via erp
  |           ^^^^^^^^^^^^^^^^^^^^^^^^ not the connection's host
  |
  = what the connection sends to sign in would go there; leave `via` out, or write the path only
  = seta help E604
"""
    )


def test_host_that_a_value_gives_is_refused_unless_hosts_are_open_or_a_connection_has_it() -> None:
    assert (
        refused("-> post to volta", environment(ERP))
        == """\
error[E603]: the host of a request may not come from data
 --> a.seta:3:14
  |
3 |   -> post to volta
  |              ^^^^^ scheme and host are literal, or one config.NAME
  |
  = a sender who chooses the host could make this server call any machine that it can reach
  = `[http] open_hosts = true` in seta.toml allows it; the guard on addresses stays
  = seta help E603
"""
    )
    assert refused("-> post to volta", environment(open_hosts=True)) == ""
    assert refused("-> post to volta via erp", environment(ERP)) == ""


def test_open_hosts_open_no_host_inside_of_quotes() -> None:
    assert "E603" in refused('-> post "https://{id}/p"', environment(open_hosts=True))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://erp.example/api", "https://erp.example"),
        ("HTTPS://ERP.example:443", "https://erp.example"),
        ("http://erp.example:80/x?y", "http://erp.example"),
        ("http://erp.example:443/", "http://erp.example:443"),
        ("https://user:pass@erp.example/", "https://erp.example"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        ("/path", ""),
        ("ftp://erp.example/", ""),
    ],
)
def test_origins_are_compared_in_one_form(url: str, expected: str) -> None:
    assert origin(url) == expected


def test_persons_and_messages_go_to_the_only_service_for_them_and_say_so() -> None:
    steps = '-> upsert person -> tag person "lead" -> send hsm "oi" with {id}'
    flow = compiled(steps, environment(ERP, HABLLA, WHATSAPP))
    assert via(flow) == ["hablla", None, "whatsapp"]
    assert [(one.where, one.fields, one.personal) for one in egress(flow)] == [
        ("api.hablla.com via hablla", ("telefone",), ("telefone",)),
        ("tags", ("person",), ("person",)),
        ("graph.facebook.com via whatsapp", ("person", "id"), ("person",)),
    ]


@pytest.mark.parametrize(
    ("known", "failure"),
    [
        (environment(), "in one transaction with its record, so never in doubt: 5 tries, 1s..5m; then dead letter"),
        (environment(CASA), "in one transaction with its record, so never in doubt: 5 tries, 1s..5m; then dead letter"),
        (
            environment(WHATSAPP),
            "repeated only if surely not done: 5 tries, 1s..5m; a lost answer: parked as unknown",
        ),
    ],
    ids=["default", "local", "whatsapp"],
)
def test_message_may_be_in_doubt_only_over_a_service(known: Environment, failure: str) -> None:
    (line,) = step_lines(compiled('-> send hsm "oi" to telefone', known), catalog())
    assert line.failure == failure


def test_service_that_cannot_do_it_is_told_with_those_that_can() -> None:
    assert (
        refused('-> send hsm "oi" to telefone via hablla', environment(HABLLA, WHATSAPP))
        == """\
error[E242]: `send hsm` cannot go via `hablla`, which is a connection of kind hablla
 --> a.seta:3:36
  |
3 |   -> send hsm "oi" to telefone via hablla
  |                                    ^^^^^^ a connection for messages is needed
  |
  = of these, `send hsm` can go via `whatsapp`
  = seta help E242
"""
    )


# Keys of other systems ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["upsert person", "find person", 'tag person "x"'])
def test_key_goes_only_where_persons_have_keys(verb: str) -> None:
    hablla = replace_(HABLLA, does=("persons", "tags"))
    assert refused(f"-> {verb} by {{erp: id}} via casa", environment(hablla, CASA)) == ""
    said = refused(f"-> {verb} by {{erp: id}}", environment(hablla))
    start = len(f"  -> {verb} by ")
    assert (
        said
        == f"""\
error[E242]: `{verb.split('"')[0].strip()}` cannot match by a key via `hablla`, which is a connection of kind hablla
 --> a.seta:3:{start + 1}
  |
3 |   -> {verb} by {{erp: id}}
  | {" " * start}^^^^^^^^^ it knows persons by phone and email
  |
  = the server's own persons have keys: a connection of kind local
  = seta help E242
"""
    )


def test_connection_that_follows_redirects_is_told_with_what_leaves() -> None:
    flow = compiled('-> get "/p" via erp with {id}', environment(replace_(ERP, redirects=True)))
    assert [one.where for one in egress(flow)] == ["erp.example via erp, and on to where that redirects"]


def test_key_is_told_with_what_leaves() -> None:
    flow = compiled("-> upsert person by {erp: doc} via casa", environment(CASA))
    assert [(one.where, one.fields, one.personal) for one in egress(flow)] == [
        ("persons via casa", ("erp", "phone"), ("erp", "phone"))
    ]


# Templates that not every service can send --------------------------------------------------------

BUTTON = TemplateParam("codigo", "text", part="button.0.url")
POINT = tuple(TemplateParam(name, "decimal", part=f"header.location.{name}") for name in ("latitude", "longitude"))


@pytest.mark.parametrize(
    ("params", "given", "said", "there"),
    [
        ((BUTTON,), "codigo: id", "buttons", "`codigo`"),
        (POINT, "latitude: 1.5, longitude: 2.5", "locations", "`latitude` and `longitude`"),
    ],
    ids=["button", "location"],
)
def test_template_that_a_service_cannot_send_is_refused_before_anything_runs(
    params: tuple[TemplateParam, ...], given: str, said: str, there: str
) -> None:
    known = catalog().extended([Template("oferta", "pt_BR", params)])
    hablla = replace_(HABLLA, does=("persons", "tags", "messages"))
    whatsapp = replace_(WHATSAPP, does=("messages", "buttons", "locations"))
    step = f'-> send hsm "oferta" to telefone with {{{given}}}'

    assert refused(step, Environment(known)) == ""
    assert refused(step, Environment(known, connections=(whatsapp,))) == ""
    assert (
        refused(step, Environment(known, connections=(hablla,)))
        == f"""\
error[E242]: `send hsm` cannot go via `hablla`: a connection of kind hablla sends no parameters of {said}
 --> a.seta:3:15
  |
3 |   {step}
  |               ^^^^^^^^ it has {there}
  |
  = WhatsApp itself sends them: a connection of kind whatsapp_cloud
  = seta help E242
"""
    )
