"""Codes of names and of the catalog: E2xx, up to E218."""

from dsl.codes.code import Code

RETOMADA = """\
{
  "schema": "seta.catalog-file/1",
  "entries": [
    {
      "type": "template",
      "name": "retomada",
      "language": "pt_BR",
      "params": [
        {
          "name": "nome",
          "type": "text"
        }
      ]
    }
  ]
}
"""

NAMES: tuple[Code, ...] = (
    Code(
        "E201",
        "a name that stands for nothing",
        """\
A bare name is a field of the payload or what a step before has bound. Only a name that stands as a whole argument in a
typed slot is taken for a field of a payload that is not declared.
""",
        bad="""\
flow a
on webhook {telefone: text}
  -> log telefon
""",
        good="""\
flow a
on webhook {telefone: text}
  -> log telefone
""",
    ),
    Code(
        "E202",
        "a field that may be a slip of the pen",
        """\
A payload that is not declared is inferred from use. Two names that differ by a letter or two are more likely one field
written in two ways than two fields: say which, or declare the payload.
""",
        bad="""\
on webhook -> format_phone(telefone) -> upsert person by telefon
""",
        good="""\
on webhook -> format_phone(telefone) -> upsert person by telefone
""",
    ),
    Code(
        "E203",
        "a function that the catalog does not have",
        """\
Functions compute and do nothing else. The note lists those that there are.
""",
        bad="""\
flow a
on webhook {t: text}
  -> x = format_fone(t)
  -> log x
""",
        good="""\
flow a
on webhook {t: text}
  -> x = format_phone(t)
  -> log x
""",
    ),
    Code(
        "E204",
        "a verb that the catalog does not have",
        """\
A step with an effect is a verb, mostly with a noun: `upsert person`, `send hsm "name"`, `post "https://…"`.
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> upsrt person
""",
        good="""\
flow a
on webhook {telefone: phone}
  -> upsert person
""",
    ),
    Code(
        "E205",
        "a type that does not exist",
        """\
The types of a payload are text, int, bool, decimal, scalar, json, phone and email; `"a" | "b"` is one of some texts,
`[T]` an array, `{a: T}` an object, and `T?` may be absent.
""",
        bad="""\
flow a
on webhook {nome: string}
  -> log nome
""",
        good="""\
flow a
on webhook {nome: text}
  -> log nome
""",
    ),
    Code(
        "E206",
        "a clause that this step does not take",
        """\
Which clauses a verb takes (`by`, `to`, `with`, `as`, `retry`, `every`) is written in the catalog.
""",
        bad="""\
flow a
on webhook {telefone: phone, id: text}
  -> upsert person by telefone to id
""",
        good="""\
flow a
on webhook {telefone: phone, id: text}
  -> upsert person by telefone
""",
    ),
    Code(
        "E207",
        "something is given twice",
        """\
A field, a JSON key, a key of a record and a clause stand once. The second one would silently win.
""",
        bad="""\
flow a
on webhook {nome: text}
  -> log {nome, nome: "x"}
""",
        good="""\
flow a
on webhook {nome: text}
  -> log {nome}
""",
    ),
    Code(
        "E208",
        "a name that is taken",
        """\
A folder is one namespace: names and paths of flows are unique in it. One flow of a file may go without a name; it takes
the file's.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log n

flow a
on webhook {n: int}
  -> log n
""",
        good="""\
flow a
on webhook {n: int}
  -> log n

flow b
on webhook {n: int}
  -> log n
""",
    ),
    Code(
        "E209",
        "a result that nobody uses",
        """\
A call stands as a step of its own only if it rewrites its first argument, as `format_phone(telefone)` does. Otherwise
bind its result: `x = f(y)`.
""",
        bad="""\
flow a
on webhook {t: text}
  -> format_phone("11 98765-4321")
""",
        good="""\
flow a
on webhook {t: text}
  -> x = format_phone("11 98765-4321")
  -> log x
""",
    ),
    Code(
        "E210",
        "a field that is not there",
        """\
The note lists the fields that there are. `run` and `config` are read by their parts: `run.id`, `config.erp`.
""",
        bad="""\
flow a
on webhook {cliente: {nome: text}}
  -> log cliente.nomi
""",
        good="""\
flow a
on webhook {cliente: {nome: text}}
  -> log cliente.nome
""",
    ),
    Code(
        "E211",
        "a key or recipient that nothing can fill",
        """\
A key or a recipient that is left out is filled by the only value in scope of exactly the right type. Here there is
none: make one, or say which value you mean.
""",
        bad="""\
flow a
on webhook {telefone: text}
  -> upsert person
""",
        good="""\
flow a
on webhook {telefone: text}
  -> format_phone(telefone)
  -> upsert person
""",
    ),
    Code(
        "E212",
        "a key or recipient that two values could fill",
        """\
Nothing is guessed: with two values of the right type in scope, say which one you mean. So an edit can break the build,
but never send a message to somebody else.
""",
        bad="""\
flow a
on webhook {celular: phone, fixo: phone}
  -> upsert person
""",
        good="""\
flow a
on webhook {celular: phone, fixo: phone}
  -> upsert person by celular
""",
    ),
    Code(
        "E213",
        "arguments that do not match the function",
        """\
The label shows what the function takes. Arguments go by place or by name, each once.
""",
        bad="""\
flow a
on webhook {t: text}
  -> x = format_phone(t, pais: "BR")
  -> log x
""",
        good="""\
flow a
on webhook {t: text}
  -> x = format_phone(t, region: "BR")
  -> log x
""",
    ),
    Code(
        "E214",
        "a word that cannot be bound",
        """\
`payload`, `headers`, `query`, `run`, `secret`, `config` and `error` mean the same everywhere.
""",
        bad="""\
flow a
on webhook {n: int}
  -> config = n
  -> log n
""",
        good="""\
flow a
on webhook {n: int}
  -> total = n
  -> log total
""",
    ),
    Code(
        "E215",
        "quoted text that is missing, unwanted or not fixed",
        """\
The text after `send hsm` names a template: it is part of the plan, so that it can be checked, counted and compared, and
has no holes. A verb without such a name takes no quoted text.
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> send hsm "oi {telefone}" to telefone
""",
        good="""\
flow a
on webhook {telefone: phone}
  -> send hsm "oi" to telefone
""",
    ),
    Code(
        "E216",
        "a setting that is not configured",
        """\
`config.NAME` is text from `[config]` in the `seta.toml` beside the flows, which is reviewed with them.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log config.missing
""",
        good="""\
flow a
on webhook {n: int}
  -> log config.erp
""",
    ),
    Code(
        "E217",
        "an address that cannot be called",
        """\
The text after `post`, `get` and the like is an absolute http or https URL, or begins with one `{config.NAME}` that
holds the base; via a connection it may be a path.
""",
        bad="""\
flow a
on webhook {n: int}
  -> post "erp.example/pedidos" with {n}
""",
        good="""\
flow a
on webhook {n: int}
  -> post "https://erp.example/pedidos" with {n}
""",
    ),
    Code(
        "E218",
        "a parameter that the template does not have",
        """\
A template that `seta.catalog.json` lists is sent with exactly its parameters: WhatsApp refuses any other. The note
names them.
""",
        bad="""\
flow a
on webhook {telefone: phone, nome: text}
  -> send hsm "retomada" to telefone with {nomee: nome}
""",
        good="""\
flow a
on webhook {telefone: phone, nome: text}
  -> send hsm "retomada" to telefone with {nome: nome}
""",
        catalog=RETOMADA,
    ),
)
