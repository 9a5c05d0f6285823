"""Codes of syntax: E1xx."""

from dsl.codes.code import Code

SYNTAX: tuple[Code, ...] = (
    Code(
        "E101",
        "something stands where it cannot",
        """\
The text does not follow the grammar at the marked place. The message says what was found and what could stand there.
Every step starts with `->`, blocks use braces, and line ends mean nothing.

    on webhook {telefone: phone}
      -> upsert person
      -> send hsm "retomada"
""",
        bad="""\
flow a
on webhook {telefone: phone}
  -> upsert person
  log "chegou"
""",
        good="""\
flow a
on webhook {telefone: phone}
  -> upsert person
  -> log "chegou"
""",
    ),
    Code(
        "E102",
        "a text cannot be read",
        """\
Text stands in double quotes, on one line. `\\"` is a quote, `\\\\` a backslash, `\\n` a new line, `\\t` a tab and
`\\u{1F600}` any character by its number; nothing else follows a backslash.

    -> log "Olá, \\"Ana\\""
""",
        bad="""\
flow a
on webhook {nome: text, caminho: text}
  -> log "Olá, {nome}
  -> log caminho
""",
        good="""\
flow a
on webhook {nome: text, caminho: text}
  -> log "Olá, {nome}"
  -> log caminho
""",
    ),
    Code(
        "E103",
        "something opened is never closed",
        """\
A brace, bracket, parenthesis or code fence has no partner. The marked one is the likeliest: where the braces of a file
are indented, the one whose partner stands at another depth.

    -> if valor > 100 {
         -> send hsm "oferta"
       }
""",
        bad="""\
flow a
on webhook {valor: decimal}
  -> if valor > 100 {
       -> log "alto"
""",
        good="""\
flow a
on webhook {valor: decimal}
  -> if valor > 100 {
       -> log "alto"
     }
""",
    ),
    Code(
        "E104",
        "the file holds what cannot be text",
        """\
A file is UTF-8 without NUL, control characters, or characters that change the direction of writing: with those, a
reviewer reads something else than the compiler. Inside text, `\\u{…}` names such a character openly.
""",
        bad="""\
flow a
on webhook {nome: text}
  -> log "Olá,\u202e {nome}"
""",
        good="""\
flow a
on webhook {nome: text}
  -> log "Olá,\\u{202E} {nome}"
""",
    ),
    Code(
        "E105",
        "the file is too large or nests too deep",
        """\
A file has at most 1 MB and 10,000 steps; blocks nest at most 16 deep. Brackets, and the operators of one value, have
limits far above what can be read. Give a part a name of its own: a step `name = …`, a `def`, a `type` or another flow.
Types and defs that name each other come to at most 10,000 words and values, each counted as often as it is named. Of a
payload that is not declared, at most 100 fields are inferred.
""",
        bad=f"""\
flow a
on webhook {{vip: bool}}
  {"-> if vip { " * 17}-> log "sim"{" }" * 17}
""",
        good="""\
flow a
on webhook {vip: bool}
  -> if vip { -> log "sim" }
""",
    ),
    Code(
        "E106",
        "a hole in text is not a path",
        """\
Text has holes, and a hole is a path to a value: a name, its fields, items by number. Anything longer gets a name first.
A brace that is meant is written twice. Keys, paths, patterns and other fixed text have no holes.

    -> total = valor + frete
    -> log "{person.nome} paga {total}, veja {{ajuda}}"
""",
        bad="""\
flow a
on webhook {valor: decimal, frete: decimal}
  -> log "total: {valor + frete}"
""",
        good="""\
flow a
on webhook {valor: decimal, frete: decimal}
  -> total = valor + frete
  -> log "total: {total}"
""",
    ),
    Code(
        "E107",
        "a number is out of range",
        """\
Integers, durations and sizes fit 64 bits; a decimal has at most 28 digits.
""",
        bad="""\
flow a
on webhook {n: int}
  -> if n == 9223372036854775808 { -> stop }
""",
        good="""\
flow a
on webhook {n: int}
  -> if n == 9223372036854775807 { -> stop }
""",
    ),
    Code(
        "E108",
        "a word of another language",
        """\
`none` is what other languages call null, nil or undefined; `true` and `false` are written small. A payload field of
such a name is read as `payload.null`.

    -> if email == none { -> stop }
""",
        bad="""\
flow a
on webhook {email: email?}
  -> if email == null { -> stop }
  -> log "{email}"
""",
        good="""\
flow a
on webhook {email: email?}
  -> if email == none { -> stop }
  -> log "{email}"
""",
    ),
    Code(
        "E109",
        "a flow is started by nothing known",
        """\
A flow begins with `on webhook`. What failed is handled by one `on error` at its end.

    on webhook -> upsert person
    on error -> log "{error.message}"
""",
        bad="""\
flow a
on schedule {n: int}
  -> log n
""",
        good="""\
flow a
on webhook {n: int}
  -> log n
""",
    ),
    Code(
        "E110",
        "too many problems",
        """\
After 100 problems of syntax the rest of a file is not read, and after 1,000 others the rest of a flow is not checked:
what follows is more likely noise than help.
""",
        bad="flow a\non webhook {n: int}\n" + "  log n\n" * 100,
        good="""\
flow a
on webhook {n: int}
  -> log n
""",
    ),
    Code(
        "E111",
        "the Python of a code block is not Python",
        """\
What stands inside the fence is the body of a Python function: its parameters are the names in the parentheses, and
what it returns is checked against the type after the colon.
""",
        bad="""\
flow a
on webhook {n: int}
  -> code(n): {m: int} ```python
     return {"m": n +}
     ``` as r
  -> log r.m
""",
        good="""\
flow a
on webhook {n: int}
  -> code(n): {m: int} ```python
     return {"m": n + 1}
     ``` as r
  -> log r.m
""",
    ),
)
