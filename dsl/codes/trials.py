"""Codes of tests: E29x, after what is not supported yet."""

from dsl.codes.code import Code

TRIALS: tuple[Code, ...] = (
    Code(
        "E291",
        "a test of a flow that is not there",
        """\
A test is of one flow of the folder: the one after `for`, or the only one of its file. A delivery may go to another one:
`given FLOW {…}`.
""",
        bad="""\
flow pedidos
on webhook {n: int}
  -> log n

test "soma" for pedido {
  given {n: 1}
}
""",
        good="""\
flow pedidos
on webhook {n: int}
  -> log n

test "soma" for pedidos {
  given {n: 1}
}
""",
    ),
    Code(
        "E292",
        "a test in which nothing has happened yet",
        """\
A test delivers something with `given`, and expects something of it after that.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  expect not fail
  given {n: 1}
}
""",
        good="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: 1}
  expect not fail
}
""",
    ),
    Code(
        "E293",
        "a value in a test that is computed",
        """\
What comes in and what is expected is written out, so that a test can be read alone and does not repeat the mistakes of
the flow: text without holes, numbers, durations, true, false, none, records and lists.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: 1 + 1}
}
""",
        good="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: 2}
}
""",
    ),
    Code(
        "E294",
        "a value in a test that does not fit",
        """\
`given` is the JSON of a delivery and `mock` what another system answers: both have to be what the flow reads there. A
test of what the door refuses says `expect respond 422`. Text is a body only for a flow that takes text as a whole, or
forms: `accept form`.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: "um"}
}
""",
        good="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: "um"}
  expect respond 422
}
""",
    ),
    Code(
        "E295",
        "a step or event that the flow does not have",
        """\
`mock` and `expect` name steps as the flow writes them: verb, noun, and the text after them. A hole of that text stands
for whatever is there, and text in its place for that value alone.
""",
        bad="""\
flow a
on webhook {id: text}
  -> post "{config.erp}/pedidos/{id}" with {id}

test "a" {
  given {id: "7"}
  expect post "{config.erp}/pedido/7"
}
""",
        good="""\
flow a
on webhook {id: text}
  -> post "{config.erp}/pedidos/{id}" with {id}

test "a" {
  given {id: "7"}
  expect post "{config.erp}/pedidos/7"
}
""",
    ),
    Code(
        "E296",
        "a failure that the step does not have",
        """\
`mock … = fail("CODE")` lets a step fail as it could: `seta catalog` lists the codes of each verb. http_STATUS stands
for codes such as http_503.
""",
        bad="""\
flow a
on webhook {id: text}
  -> post "{config.erp}/pedidos" with {id}

test "a" {
  given {id: "7"}
  mock post = fail("503")
  expect fail
}
""",
        good="""\
flow a
on webhook {id: text}
  -> post "{config.erp}/pedidos" with {id}

test "a" {
  given {id: "7"}
  mock post = fail("http_503")
  expect fail
}
""",
    ),
    Code(
        "E297",
        "an answer or end that the flow never comes to",
        """\
A flow that uses `respond` answers as it says, otherwise the door answers for it: 200, or as `answer` says. Either is
422 for a body that does not fit.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: 1}
  expect respond 404
}
""",
        good="""\
flow a
on webhook {n: int}
  -> log n

test "a" {
  given {n: 1}
  expect respond 200
}
""",
    ),
)
