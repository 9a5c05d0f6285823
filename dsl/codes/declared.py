"""Codes of flows, types, defs and matches as a whole: E2xx, from E219."""

from dsl.codes.code import Code
from dsl.codes.names import RETOMADA

DECLARED: tuple[Code, ...] = (
    Code(
        "E219",
        "a flow or trigger that makes no sense",
        """\
A flow has at least one step. A path is like "/leads" or "/erp/orders"; /v1, /livez and /readyz are the server's own. A
body may have up to 64 MB, or 100 MB where the flow accepts multipart.
""",
        bad="""\
flow a
on webhook "leads" open {n: int}
  -> log n
""",
        good="""\
flow a
on webhook "/leads" open {n: int}
  -> log n
""",
    ),
    Code(
        "E220",
        "something that `with` has to hand over",
        """\
A template of `seta.catalog.json` is sent with all of its parameters, and an own verb gets every field that may not be
absent. Hand over each of them.
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> send hsm "retomada" to telefone
""",
        good="""\
flow a
on webhook {telefone: phone, nome: text}
  -> send hsm "retomada" to telefone with {nome}
""",
        catalog=RETOMADA,
    ),
    Code(
        "E221",
        "a type that leads back to itself",
        """\
A type is written out of others; one that holds itself would have no end.
""",
        bad="""\
type A = {b: B}
type B = {a: A}

flow f
on webhook {n: int}
  -> log n
""",
        good="""\
type A = {b: B}
type B = {n: int}

flow f
on webhook {a: A}
  -> log a.b.n
""",
    ),
    Code(
        "E222",
        "a def that calls itself",
        """\
A `def` is one expression and always ends: it calls neither itself nor what calls it.
""",
        bad="""\
def f(n: int): int = f(n - 1)

flow a
on webhook {n: int}
  -> log f(n)
""",
        good="""\
def f(n: int): int = n - 1

flow a
on webhook {n: int}
  -> log f(n)
""",
    ),
    Code(
        "E223",
        "a def that looks beyond its parameters",
        """\
What a `def` gives depends on its arguments alone; hand in what it needs.
""",
        bad="""\
def f(n: int): text = "{run.id}"

flow a
on webhook {n: int}
  -> log f(n)
""",
        good="""\
def f(id: text): text = "run {id}"

flow a
on webhook {n: int}
  -> log f(run.id)
""",
    ),
    Code(
        "E224",
        "a kind of body that there is not",
        """\
`accept` takes json, form, multipart and text. Without it, a webhook takes JSON.
""",
        bad="""\
flow a
on webhook accept json, froms {nome: text}
  -> log nome
""",
        good="""\
flow a
on webhook accept json, form {nome: text}
  -> log nome
""",
    ),
    Code(
        "E225",
        "a payload that cannot come in this kind of body",
        """\
A JSON body is an object or an array, a form has fields, and text is one value under one name. `json` takes them all.
""",
        bad="""\
flow a
on webhook accept text {nome: text}
  -> log nome
""",
        good="""\
flow a
on webhook accept text corpo: text
  -> log corpo
""",
    ),
    Code(
        "E226",
        "a site that no browser names like this",
        """\
`cors` lists origins: scheme, host, and port where it is not the usual one, in lower case, without a path. Browsers
compare them character by character. "*" is every site, and stands alone.
""",
        bad="""\
flow a
on webhook cors "https://site.example/" {nome: text}
  -> log nome
""",
        good="""\
flow a
on webhook cors "https://site.example" {nome: text}
  -> log nome
""",
    ),
    Code(
        "E227",
        "a signature scheme that the catalog does not have",
        """\
`signed` names the way in which a sender signs; `seta catalog signed` lists those that there are. `signed hmac(…)` takes
another sender's way as options.
""",
        bad="""\
flow a
on webhook "/leads" signed gitub(secret.GITHUB) {n: int}
  -> log n
""",
        good="""\
flow a
on webhook "/leads" signed github(secret.GITHUB) {n: int}
  -> log n
""",
    ),
    Code(
        "E231",
        "a match that leaves values out",
        """\
Every value that the subject can have needs an arm; `else` takes all that are left.
""",
        bad="""\
flow a
on webhook {o: "site" | "anuncio"}
  -> match o {
       "site" => { -> log 1 }
     }
""",
        good="""\
flow a
on webhook {o: "site" | "anuncio"}
  -> match o {
       "site" => { -> log 1 }
       "anuncio" => { -> log 2 }
     }
""",
    ),
    Code(
        "E241",
        "a connection that seta.toml does not have",
        """\
`via NAME` names a connection of the `seta.toml` beside the flows, where it stands under `[connections.NAME]`.
""",
        bad="""\
flow a
on webhook {n: int}
  -> post "/pedidos" via erpp with {n}
""",
        good="""\
flow a
on webhook {n: int}
  -> post "/pedidos" via erp with {n}
""",
    ),
    Code(
        "E242",
        "a connection that cannot do what the step asks",
        """\
Requests go via a connection of kind http; persons and messages via one that keeps persons or sends messages. Keys of
other systems (`by {erp: id}`) are known where the server keeps persons itself;
templates with parameters of buttons or a location go over WhatsApp itself.
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> upsert person via erp
""",
        good="""\
flow a
on webhook {telefone: phone}
  -> upsert person
""",
    ),
    Code(
        "E243",
        "more than one connection could do it",
        """\
Where seta.toml has one connection for a step, that is taken. With two nothing is guessed: say `via NAME`.
""",
        bad="""\
flow a
on webhook {n: int}
  -> post "/pedidos" with {n}
""",
        good="""\
flow a
on webhook {n: int}
  -> post "/pedidos" via erp with {n}
""",
    ),
)
