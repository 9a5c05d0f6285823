"""Codes of warnings and notes."""

from dsl.codes.code import Code

REMARKS: tuple[Code, ...] = (
    Code(
        "W210",
        "a name that is never used",
        """\
Leave it out, or begin it with `_` to say that it is meant.
""",
        bad="""\
flow a
on webhook {n: int}
  -> dobro = n * 2
  -> log n
""",
        good="""\
flow a
on webhook {n: int}
  -> dobro = n * 2
  -> log dobro
""",
    ),
    Code(
        "W211",
        "a key or header in a test that nobody reads",
        """\
What a flow does not declare is ignored, and so is this: it may be a slip for what the flow does read.
""",
        bad="""\
flow a
on webhook {nome: text?}
  -> log nome ?? "x"

test "a" {
  given {nomee: "Ana"}
}
""",
        good="""\
flow a
on webhook {nome: text?}
  -> log nome ?? "x"

test "a" {
  given {nome: "Ana"}
}
""",
    ),
    Code(
        "W411",
        "a default that is never used",
        """\
`??` gives a value for what may be absent; this never is.
""",
        bad="""\
flow a
on webhook {nome: text}
  -> log nome ?? "x"
""",
        good="""\
flow a
on webhook {nome: text?}
  -> log nome ?? "x"
""",
    ),
    Code(
        "W412",
        "a failure handled that cannot happen",
        """\
The step only computes, and nothing in it can fail; what stands after `else` never runs.
""",
        bad="""\
flow a
on webhook {nome: text}
  -> x = nome else { -> stop }
  -> log x
""",
        good="""\
flow a
on webhook {nome: text}
  -> x = nome
  -> log x
""",
    ),
    Code(
        "N201",
        "a payload that is inferred from use",
        """\
Good for a first hour. Written down, the payload is what a sender can be shown, and a slip of a name is found.
""",
        bad="""\
on webhook -> format_phone(telefone) -> upsert person
""",
        good="""\
on webhook {telefone: scalar} -> format_phone(telefone) -> upsert person
""",
    ),
    Code(
        "N202",
        "the payload is used whole",
        """\
`payload` as a value takes every declared field along, also those that are added later. Where data leaves, name the
fields that are meant to.
""",
        bad="""\
flow a
on webhook {n: int, nome: text}
  -> post "https://erp.example/x" with payload
""",
        good="""\
flow a
on webhook {n: int, nome: text}
  -> post "https://erp.example/x" with {n, nome}
""",
    ),
    Code(
        "N203",
        "a template that is not in the catalog file",
        """\
The template is sent as it is named; its parameters are checked once the catalog file lists it.
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> send hsm "oi" to telefone
""",
        good="""\
flow a
on webhook {telefone: phone}
  -> upsert person
""",
    ),
)
