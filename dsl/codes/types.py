"""Codes of types and absence: E3xx."""

from dsl.codes.code import Code

TYPES: tuple[Code, ...] = (
    Code(
        "E301",
        "a value of the wrong type",
        """\
Nothing converts by itself, but text kinds are usable as text and int as decimal.
""",
        bad="""\
flow a
on webhook {nome: text}
  -> upsert person by nome
""",
        good="""\
flow a
on webhook {nome: phone}
  -> upsert person by nome
""",
    ),
    Code(
        "E302",
        "an operator on values that it does not work on",
        """\
`+` joins text to text or adds numbers; `<` is for numbers; `==` compares two values of one type, and json never.
""",
        bad="""\
flow a
on webhook {nome: text, n: int}
  -> x = nome + n
  -> log x
""",
        good="""\
flow a
on webhook {nome: text, n: int}
  -> x = "{nome}{n}"
  -> log x
""",
    ),
    Code(
        "E303",
        "a hole that takes no such value",
        """\
A hole in text takes text, int or decimal.
""",
        bad="""\
flow a
on webhook {xs: [text]}
  -> log "{xs}"
""",
        good="""\
flow a
on webhook {xs: [text]}
  -> log xs
""",
    ),
    Code(
        "E304",
        "an index that is never there",
        """\
An index counts from the start of an array, from 0. One below 0 is never there, so that `xs[i - 1]` is absent for the
first item, and not the last one by accident: `last(xs)` gives that.
""",
        bad="""\
flow a
on webhook {xs: [text]}
  -> log xs[-1]
""",
        good="""\
flow a
on webhook {xs: [text]}
  -> log last(xs)
""",
    ),
    Code(
        "E305",
        "a name with another type on each path",
        """\
After `if`, a name has a type only if every path that goes on binds it to the same one.
""",
        bad="""\
flow a
on webhook {b: bool}
  -> if b { -> x = 1 } else { -> x = "um" }
  -> log x
""",
        good="""\
flow a
on webhook {b: bool}
  -> if b { -> x = "1" } else { -> x = "um" }
  -> log x
""",
    ),
    Code(
        "E311",
        "a value that may be absent where it must not",
        """\
`T?` may be absent. Give a default with `??`, end the flow where it is absent, or require the field.
""",
        bad="""\
flow a
on webhook {nome: text?}
  -> log "Olá, {nome}"
""",
        good="""\
flow a
on webhook {nome: text?}
  -> if nome == none { -> stop }
  -> log "Olá, {nome}"
""",
    ),
)
