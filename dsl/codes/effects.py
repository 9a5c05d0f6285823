"""Codes of effects, of secrets and hosts, and of compatibility: E5xx to E7xx."""

from dsl.codes.code import Code

EFFECTS: tuple[Code, ...] = (
    Code(
        "E501",
        "a step that can never run",
        """\
Nothing goes on after `stop` and `fail`, nor after an `if` whose every path ends.
""",
        bad="""\
flow a
on webhook {n: int}
  -> stop
  -> log n
""",
        good="""\
flow a
on webhook {n: int}
  -> log n
  -> stop
""",
    ),
    Code(
        "E502",
        "a path that leaves the sender without an answer",
        """\
A flow that uses `respond` answers on every path that does not fail; `respond 204` answers with nothing.
""",
        bad="""\
flow a
on webhook {n: int}
  -> if n > 1 { -> respond 200 {n} }
""",
        good="""\
flow a
on webhook {n: int}
  -> if n > 1 { -> respond 200 {n} } else { -> respond 204 }
""",
    ),
    Code(
        "E503",
        "a durable wait before the answer",
        """\
A sender waits for seconds, a flow for weeks: answer first, then wait.
""",
        bad="""\
flow a
on webhook {n: int}
  -> wait 2h
  -> respond 200 {n}
""",
        good="""\
flow a
on webhook {n: int}
  -> respond 200 {n}
  -> wait 2h
""",
    ),
    Code(
        "E504",
        "a second answer",
        """\
A sender gets one answer.
""",
        bad="""\
flow a
on webhook {n: int}
  -> respond 200 {n}
  -> respond 204
""",
        good="""\
flow a
on webhook {n: int}
  -> respond 200 {n}
""",
    ),
    Code(
        "E505",
        "a step that may not stand in a block like this",
        """\
Branches of `parallel` and bodies of `for` run side by side or many times: `stop` and `respond` have no place there, nor
has a durable wait in a `for` with `parallel`.
""",
        bad="""\
flow a
on webhook {xs: [int]}
  -> for x in xs { -> stop }
""",
        good="""\
flow a
on webhook {xs: [int]}
  -> for x in xs { -> log x }
  -> stop
""",
    ),
    Code(
        "E601",
        "a secret where it could leave",
        """\
A secret goes only into a parameter that takes one: never into text, a log, a request's body or code.
""",
        bad="""\
flow a
on webhook {n: int}
  -> log secret.TOKEN
""",
        good="""\
flow a
on webhook {n: int}
  -> log n
""",
    ),
    Code(
        "E602",
        "a path that anybody may call",
        """\
Without a path, a webhook answers at an address that nobody can guess. With one, the flow says who may call it with
`signed`, `token` or `basic`; `open` says that anybody may.
""",
        bad="""\
flow a
on webhook "/leads" {n: int}
  -> log n
""",
        good="""\
flow a
on webhook "/leads" token header "X-Token" (secret.LEADS) {n: int}
  -> log n
""",
    ),
    Code(
        "E603",
        "a host that comes from data",
        """\
Scheme and host of a request are literal, one `config.NAME`, or those of a connection. A sender who chooses the host
could make this server call any machine that it can reach. `[http] open_hosts = true` in seta.toml allows it after `to`;
addresses that are not public stay refused.
""",
        bad="""\
flow a
on webhook {host: text}
  -> post "https://{host}/x" with {host}
""",
        good="""\
flow a
on webhook {host: text}
  -> post "{config.erp}/{host}" with {host}
""",
    ),
    Code(
        "E604",
        "a connection used for another host",
        """\
A connection signs in at its own host. A request via it goes there: with a path, or with a URL of that host.
""",
        bad="""\
flow a
on webhook {n: int}
  -> post "https://other.example/x" via erp with {n}
""",
        good="""\
flow a
on webhook {n: int}
  -> post "/x" via erp with {n}
""",
    ),
    Code(
        "E605",
        "a value where only a secret may stand",
        """\
What a sender is known by is never written in a flow, which everybody reads: the flow names a secret, and its value
comes from the environment or a file.
""",
        bad="""\
flow a
on webhook "/leads" signed github("s3cr3t") {n: int}
  -> log n
""",
        good="""\
flow a
on webhook "/leads" signed github(secret.GITHUB) {n: int}
  -> log n
""",
    ),
    Code(
        "E606",
        "a part of a request that is judged and not signed",
        """\
A time or an id that the signature does not cover proves nothing: whoever has seen a delivery could send it again with
another one.
""",
        bad="""\
flow a
on webhook "/leads" signed hmac(secret.K, header: "X-Sign", timestamp: "X-Time") {n: int}
  -> log n
""",
        good="""\
flow a
on webhook "/leads" signed hmac(secret.K, header: "X-Sign", timestamp: "X-Time", signed: "{timestamp}.{body}") {n: int}
  -> log n
""",
    ),
    Code(
        "E701",
        "an edition that this version does not know",
        """\
`lang 1` at the top of a file names the edition of the language that it is written in.
""",
        bad="""\
lang 9

flow a
on webhook {n: int}
  -> log n
""",
        good="""\
lang 1

flow a
on webhook {n: int}
  -> log n
""",
    ),
)
