"""`seta catalog`: what flows may use."""

import json
import re

import pytest

from compiler.check import Environment
from compiler.pipeline import compile_folder
from dsl import Source
from runtime.steps import catalog
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.narrow import narrow

UPSERT_PERSON = """\
upsert person [by phone | email | {NAME: text}] [with {name, phone, email, opt_out}]: person

Gives the person of a phone or an email, and makes one where there is none. What is given replaces
what is known; what is absent leaves it. Both forms of a Brazilian mobile, with and without the
ninth digit, are one person's. Phone and email fill their own field. `by {erp: id}` is a key of
another system's: where nobody has it, it goes to the person of the given phone, or else to a new
one.

Clauses
  by phone | email | {NAME: text}    without it: the only phone in scope

Fields of `with`
  name: text       also called nome, nome_completo, name
  phone: phone     also called telefone, celular, whatsapp, fone, phone
  email: email     also called email, e_mail
  opt_out: bool    True for who wants no messages, false for who wants them again

Effect
  idempotent    may be repeated: whatever may pass is tried again

Fails as
  bad_key, opt_out, phone_taken

Over a service it also fails as
  address_refused, connect, hablla, held, http_STATUS, no_answer, no_connection, unsendable
"""

ROUND = """\
round(value: decimal, places: int?): decimal

Rounds a number to at most that many decimal places. What lies
just between two goes to the even one, as in division and in
ABNT NBR 5891, so that sums of many do not drift: 0.125 is 0.12,
0.135 is 0.14.

Parameters
  value: decimal
  places: int?      how many decimal places stay, 0 to 28;
                    without it 0

Fails as
  out_of_range

Examples
  round(10.456, 2)    10.46
  round(0.125, 2)     0.12
  round(0.135, 2)     0.14
  round(-2.5)         -2
  round(7, 2)         7
  round(7, -1)        fails: out_of_range
"""

PERSON = """\
person = {id: text, name: text?, phone: phone?, email: email?, tags: [text]?, opt_out: bool?, via: text?}

Somebody who is known by phone, email or key.

Fields
  id: text          The same for as long as the person is kept
  name: text?       also called nome
  phone: phone?     the key; also called telefone, celular, whatsapp
  email: email?
  tags: [text]?     What `tag person` has put there
  opt_out: bool?    True for who wants no messages: `send hsm` fails as `opted_out`
  via: text?        The connection that knows the person by that id; absent: the server itself
"""

STRIPE = """\
signed stripe(secret.SECRET, [secret.OLD], [tolerance: …])

Takes what Stripe signs with an endpoint's signing secret, which is used whole, with its `whsec_`.
Of several signatures one is enough. `dedupe by id for 3d`, over the body's id, lets an event count
once.

Wants
  HMAC-SHA256 of time and body in Stripe-Signature

Parameters
  secret: secret
  old: secret?            a second secret that is good too, while the first one replaces it
  tolerance: duration?    how far the signed time may be from now; without it 5m
"""

BRL = """\
Functions
  format_brl(value: decimal): text
      Writes an amount in reais with its centavos, rounded
      as `round` does.
  parse_brl(value: text): decimal
      Reads an amount in reais, with or without R$, as
      `parse_decimal_br` reads its number.
"""


def test_all_is_listed_in_columns_that_a_pipe_can_read(seta: Seta) -> None:
    result = seta("catalog")
    assert result.exit_code == 0
    heading, *rows = [re.split(r"  +", line) for line in result.output.splitlines()]
    assert heading == ["KIND", "SIGNATURE", "WHAT IT DOES"]
    known = catalog()
    assert [row[0] for row in rows] == (
        ["verb"] * len(known.verbs)
        + ["function"] * len(known.functions)
        + ["record"] * len(known.entities)
        + ["scheme"] * len(known.schemes)
    )
    assert ["verb", 'send hsm "NAME" [to person | phone] [with {…}]'] in [row[:2] for row in rows]
    assert ["verb", 'post "URL" [with {…}]: json'] in [row[:2] for row in rows]
    assert ["verb", "find person [by phone | email | {NAME: text}]: person?"] in [row[:2] for row in rows]
    assert ["function", "abs(value: decimal): decimal", "Gives the number without its sign."] in rows
    assert [
        "record",
        PERSON.splitlines()[0],
        "Somebody who is known by phone, email or key.",
    ] in rows


def test_list_on_a_terminal_is_wrapped(seta: Seta, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 60)
    assert seta("catalog", "_BRL").output == BRL
    lines = seta("catalog").output.splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert [line for line in lines if not line.startswith(" ")] == [
        *("Verbs", "", "Functions", "", "Records", "", "Schemes")
    ]


def test_what_is_said_is_searched_where_no_name_fits(seta: Seta) -> None:
    names = [entry["name"] for entry in json.loads(seta("catalog", "NBR", "5891", "--json").output)["functions"]]
    assert names == ["round"]


@pytest.mark.parametrize(
    ("words", "page"), [(["upsert", "person"], UPSERT_PERSON), (["upsert person"], UPSERT_PERSON), (["person"], PERSON)]
)
def test_one_is_shown_whole(seta: Seta, words: list[str], page: str) -> None:
    result = seta("catalog", *words)
    assert (result.exit_code, result.output) == (0, page)


def test_page_is_wrapped_on_a_narrow_terminal(seta: Seta, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 64)
    assert seta("catalog", "round").output == ROUND


def test_scheme_is_shown_whole(seta: Seta) -> None:
    assert seta("catalog", "stripe").output == STRIPE


def test_schemes_are_found_by_the_word_that_a_trigger_has(seta: Seta) -> None:
    names = [entry["name"] for entry in json.loads(seta("catalog", "signed", "--json").output)["schemes"]]
    assert names == sorted(name for name, scheme in catalog().schemes.items() if scheme.clause == "signed")


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("meta", "signed meta(secret.SECRET, [secret.OLD], [verify: secret.VERIFY])"),
        ("token", 'token header "X-Token" (secret.SECRET, [secret.OLD])'),
        ("basic", "basic(secret.USER, secret.PASSWORD, [secret.OLD])"),
    ],
)
def test_scheme_is_written_as_in_a_trigger(seta: Seta, name: str, signature: str) -> None:
    [scheme] = json.loads(seta("catalog", name, "--json").output)["schemes"]
    assert scheme["signature"] == signature


@pytest.mark.parametrize("name", catalog().schemes)
def test_every_scheme_has_a_page(seta: Seta, name: str) -> None:
    result = seta("catalog", name)
    assert result.exit_code == 0
    assert "\nWants\n" in result.output
    assert all(line == line.rstrip() for line in result.output.splitlines())


def test_function_that_may_stand_as_a_step_says_so(seta: Seta) -> None:
    assert "\nAs a step\n  -> trim(x)    rewrites x\n" in seta("catalog", "trim").output


@pytest.mark.parametrize("name", [*catalog().verbs, *catalog().functions, *catalog().entities])
def test_everything_has_a_page(seta: Seta, name: str) -> None:
    result = seta("catalog", name)
    assert result.exit_code == 0
    assert result.output.startswith(name)
    assert all(line == line.rstrip() for line in result.output.splitlines())


def test_catalog_is_a_document(seta: Seta) -> None:
    document = json.loads(seta("catalog", "--json").output)
    assert list(document) == ["schema", "verbs", "functions", "entities", "templates", "schemes"]
    assert document["schema"] == "seta.catalog/1"
    known = catalog()
    assert [entry["name"] for entry in document["verbs"]] == sorted(known.verbs)
    assert [entry["name"] for entry in document["functions"]] == sorted(known.functions)
    assert [entry["name"] for entry in document["entities"]] == sorted(known.entities)
    assert [entry["name"] for entry in document["schemes"]] == sorted(known.schemes)


def test_document_of_one_has_all_of_it(seta: Seta) -> None:
    assert json.loads(seta("catalog", "send", "hsm", "--json").output) == {
        "schema": "seta.catalog/1",
        "verbs": [
            {
                "name": "send hsm",
                "signature": 'send hsm "NAME" [to person | phone] [with {…}]',
                "doc": catalog().verbs["send hsm"].doc,
                "effect": "once",
                "literal": "static",
                "clauses": [{"clause": "to", "types": ["person", "phone"], "fills": True}],
                "fields": [],
                "result": "",
                "connection": "messages",
                "failures": ["no_person", "no_phone", "opted_out"],
                "service_failures": list(catalog().verbs["send hsm"].service_failures),
            }
        ],
        "functions": [],
        "entities": [],
        "templates": [],
        "schemes": [],
    }
    [function] = json.loads(seta("catalog", "abs", "--json").output)["functions"]
    assert function == {
        "name": "abs",
        "signature": "abs(value: decimal): decimal",
        "doc": "Gives the number without its sign.",
        "params": [{"name": "value", "type": "decimal"}],
        "result": "decimal",
        "rewrites": False,
        "failures": [],
        "examples": [{"call": one.call, "gives": one.gives, "fails": None} for one in EXAMPLES],
    }


EXAMPLES = catalog().functions["abs"].examples


def test_signature_of_a_function_declares_a_def(seta: Seta) -> None:
    """The signature is the language's own way to write one, but for the variables of generic functions."""
    functions = json.loads(seta("catalog", "--json").output)["functions"]
    plain = [one["signature"] for one in functions if not re.search(r"\bT\b|secret", one["signature"])]
    assert len(plain) > 30
    text = "".join(f"def own_{signature} = none\n" for signature in plain)
    folder = compile_folder([Source("a.seta", text)], Environment(catalog()))
    assert {d.code for d in folder.diagnostics} <= {"E311", "E301", "W210"}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["fromat_phone"], "did you mean `format_phone`?"),
        (["upsrt", "person"], "did you mean `upsert person`?"),
        (["zzz"], "`seta catalog` lists what there is"),
    ],
)
def test_unknown_name_is_told_what_may_be_meant(seta: Seta, words: list[str], hint: str) -> None:
    result = seta("catalog", *words)
    assert (result.exit_code, result.stderr) == (
        2,
        "Usage: seta catalog [OPTIONS] [FILTER]\nTry 'seta catalog --help' for help.\n\n"
        f"Error: nothing in the catalog is called '{' '.join(words)}': {hint}\n",
    )
