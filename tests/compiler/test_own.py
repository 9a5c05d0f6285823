"""The catalog file: read, written, refused, and what the checker says of the templates that it lists."""

import json
import textwrap
from typing import Any

import pytest

from compiler.catalog import Catalog, Template, TemplateParam
from compiler.check import Environment
from compiler.own import CatalogFileError, own_entries, read_catalog_file, write_catalog_file
from compiler.pipeline import Folder, compile_folder, used_entries
from dsl import Source, render_text
from dsl.fixes import compatible, edits_by_path, rewrite
from runtime.steps import catalog

SCHEMA = "seta.catalog-file/1"
RETOMADA = {
    "type": "template",
    "name": "retomada",
    "language": "pt_BR",
    "params": [{"name": "nome", "type": "text"}, {"name": "pedido", "type": "int"}],
}


def file(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA, "entries": entries}).encode()


def written(known: Catalog) -> bytes:
    return write_catalog_file(own_entries(known))


def compiled(text: str, *entries: dict[str, Any]) -> Folder:
    known = read_catalog_file(file(*entries), catalog())
    return compile_folder([Source("flows/a.seta", text)], Environment(known))


def said(text: str, *entries: dict[str, Any]) -> str:
    return render_text(compiled(text, *entries).diagnostics)


def rendered(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


# --- the file


WRITTEN = """\
{
  "schema": "seta.catalog-file/1",
  "entries": [
    {
      "type": "template",
      "name": "avisa",
      "language": "pt_BR"
    },
    {
      "type": "template",
      "name": "retomada",
      "language": "pt_BR",
      "params": [
        {
          "name": "nome",
          "type": "text"
        },
        {
          "name": "pedido",
          "type": "int"
        }
      ]
    }
  ]
}
"""


def test_file_is_written_in_one_order_and_form() -> None:
    avisa = {"type": "template", "name": "avisa", "language": "pt_BR"}
    for entries in ((RETOMADA, avisa), (avisa, RETOMADA)):
        assert written(read_catalog_file(file(*entries), catalog())).decode() == WRITTEN
    assert written(read_catalog_file(WRITTEN.encode(), catalog())).decode() == WRITTEN


def test_entries_add_to_what_is_known() -> None:
    found = read_catalog_file(file(RETOMADA), catalog())
    params = (TemplateParam("nome", "text"), TemplateParam("pedido", "int"))
    assert found.templates == {"retomada": Template("retomada", "pt_BR", params)}
    assert (found.verbs, found.functions) == (catalog().verbs, catalog().functions)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "Input data was truncated"),
        (f'{{"schema": "{SCHEMA}",\n "entries": [,]}}', 2, "JSON is malformed: invalid character"),
        ("[]", 1, "Expected `object`, got `array`"),
        ("{}", 1, f'the file does not say its schema; this version of Seta reads "schema": "{SCHEMA}"'),
        (
            '{"schema": "seta.catalog-file/2"}',
            1,
            f'the schema is "seta.catalog-file/2"; this version of Seta reads "schema": "{SCHEMA}"',
        ),
        (f'{{"schema": "{SCHEMA}", "entries": [], "verbs": []}}', 1, "Object contains unknown field `verbs`"),
        (
            f'{{"schema": "{SCHEMA}", "entries": [\n{{"type": "template", "name": "a", "language": "pt_BR",\n'
            '"params": [{"name": "x", "typo": "text"}]}]}',
            2,
            "at params[0]: Object contains unknown field `typo`",
        ),
        (
            f'{{"schema": "{SCHEMA}", "entries": [\n\n{{"type": "macro", "name": "a"}}]}}',
            3,
            "at type: Invalid value 'macro'",
        ),
        (
            f'{{"schema": "{SCHEMA}", "entries": [\n{json.dumps(RETOMADA)},\n{json.dumps(RETOMADA)}]}}',
            3,
            'the template "retomada" is in the file already, in line 2: leave one of them',
        ),
        (
            file({**RETOMADA, "params": [{"name": "x", "type": "bool"}]}).decode(),
            1,
            'the parameter `x` of the template "retomada" is of the type "bool"; it may be `cnpj`, `cpf`, `email`, '
            "`phone`, `scalar`, `text`, `url`, `int` and `decimal`",
        ),
        (
            file({**RETOMADA, "params": [{"name": "x", "type": "int"}, {"name": "x", "type": "int"}]}).decode(),
            1,
            'the template "retomada" has the parameter `x` twice',
        ),
        (
            file({**RETOMADA, "params": [{"name": "x", "type": "url", "part": "footer"}]}).decode(),
            1,
            'the parameter `x` of the template "retomada" goes into "footer"; it may be `header.text`, `header.image`, '
            "`header.video`, `header.document`, `header.location.latitude`, `header.location.longitude`, "
            "`header.location.name`, `header.location.address`, `button.N.url`, `button.N.payload` and "
            "`button.N.code`, or nothing for the body",
        ),
        (
            file({**RETOMADA, "params": [{"name": "x", "type": "text", "part": "header.image"}]}).decode(),
            1,
            'the parameter `x` of the template "retomada" is of the type "text"; a file is a "url"',
        ),
        (
            file(
                {
                    **RETOMADA,
                    "params": [
                        {"name": "x", "type": "url", "part": "header.image"},
                        {"name": "y", "type": "text", "part": "header.text"},
                    ],
                }
            ).decode(),
            1,
            'the template "retomada" has more than one parameter for its `header`',
        ),
        (
            file(
                {
                    **RETOMADA,
                    "params": [
                        {"name": "x", "type": "url", "part": "header.image"},
                        {"name": "y", "type": "decimal", "part": "header.location.latitude"},
                        {"name": "z", "type": "decimal", "part": "header.location.longitude"},
                    ],
                }
            ).decode(),
            1,
            'the template "retomada" has more than one parameter for its `header`',
        ),
        (
            file(
                {**RETOMADA, "params": [{"name": "x", "type": "decimal", "part": "header.location.latitude"}]}
            ).decode(),
            1,
            'the template "retomada" has a location without latitude or longitude',
        ),
        (
            file({**RETOMADA, "params": [{"name": "x", "type": "text", "part": "header.location.name"}]}).decode(),
            1,
            'the template "retomada" has a location without latitude or longitude',
        ),
        (
            file(
                {
                    **RETOMADA,
                    "params": [
                        {"name": "x", "type": "text", "part": "button.0.url"},
                        {"name": "y", "type": "text", "part": "button.0.code"},
                    ],
                }
            ).decode(),
            1,
            'the template "retomada" has more than one parameter for its `button.0`',
        ),
    ],
)
def test_file_that_cannot_be_used_says_where_and_why(text: str, line: int, message: str) -> None:
    with pytest.raises(CatalogFileError) as caught:
        read_catalog_file(text.encode(), catalog())
    assert (caught.value.line, caught.value.message) == (line, message)


# --- templates


def test_listed_template_that_gets_what_it_needs_is_sent_without_a_note() -> None:
    text = 'on webhook {t: phone, nome: text, n: int} -> send hsm "retomada" to t with {nome, pedido: n}\n'
    assert said(text, RETOMADA) == ""


def test_template_that_is_not_listed_is_noted() -> None:
    assert said('on webhook {t: phone} -> send hsm "outra" to t\n', RETOMADA) == rendered(
        """
        note[N203]: template "outra" is not in the catalog file, so its parameters are not checked
         --> flows/a.seta:1:35
          |
        1 | on webhook {t: phone} -> send hsm "outra" to t
          |                                   ^^^^^^^
          |
          = seta help N203
        """
    )


def test_value_that_may_be_absent_is_refused_for_a_parameter() -> None:
    text = """\
on webhook {
  t: phone
  nome: text?
  n: int
}
  -> send hsm "retomada" to t with {nome: nome, pedido: n}
"""
    assert said(text, RETOMADA) == rendered(
        """
        error[E311]: `nome` may be absent, but hsm "retomada" needs text for {nome}
         --> flows/a.seta:6:43
          |
        3 |   nome: text?
          |   ----------- optional since this declaration
          :
        6 |   -> send hsm "retomada" to t with {nome: nome, pedido: n}
          |                                           ^^^^ this is text?, text is required
          |
          = fix (choose): nome ?? …     use a default
          = fix (choose): nome: text    require it
          = seta help E311
        """
    )


def test_value_of_another_type_is_refused_for_a_parameter() -> None:
    text = 'on webhook {t: phone, nome: text}\n  -> send hsm "retomada" to t with {nome, pedido: nome}\n'
    assert said(text, RETOMADA) == rendered(
        """
        error[E301]: hsm "retomada" needs int for {pedido}, but this is text
         --> flows/a.seta:2:51
          |
        2 |   -> send hsm "retomada" to t with {nome, pedido: nome}
          |                                                   ^^^^ this is text, int is required
          |
          = seta help E301
        """
    )


def test_parameter_that_the_template_does_not_have_is_refused_with_what_was_meant() -> None:
    text = 'on webhook {t: phone, nome: text}\n  -> send hsm "retomada" to t with {nom: nome, pedido: 1, cor: nome}\n'
    assert said(text, RETOMADA) == rendered(
        """
        error[E218]: hsm "retomada" has no parameter `nom`
         --> flows/a.seta:2:37
          |
        2 |   -> send hsm "retomada" to t with {nom: nome, pedido: 1, cor: nome}
          |                                     ^^^ did you mean `nome`?
          |
          = its parameters are `nome` and `pedido`
          = fix (safe): replace `nom` by `nome`
          = seta help E218

        error[E218]: hsm "retomada" has no parameter `cor`
         --> flows/a.seta:2:59
          |
        2 |   -> send hsm "retomada" to t with {nom: nome, pedido: 1, cor: nome}
          |                                                           ^^^ no such parameter
          |
          = its parameters are `nome` and `pedido`
          = seta help E218
        """
    )


@pytest.mark.parametrize(
    ("given", "mended"),
    [("{nom: nome, pedido: 1}", "{nome: nome, pedido: 1}"), ("{nomes, pedido: 1}", "{nome: nomes, pedido: 1}")],
)
def test_slip_in_the_name_of_a_parameter_is_mended_safely(given: str, mended: str) -> None:
    text = (
        "on webhook {t: phone, nome: text, nomes: text}\n"
        '  -> send hsm "retomada" to t with %s\n'
        "  -> log [nome, nomes]\n"
    )
    found = compiled(text % given, RETOMADA).diagnostics
    assert [d.code for d in found] == ["E218"]
    edits = edits_by_path(compatible(found, may_change=lambda _: True))["flows/a.seta"]
    assert rewrite((text % given).encode(), edits).decode() == text % mended
    assert compiled(text % mended, RETOMADA).diagnostics == ()


def test_name_that_stands_for_nothing_is_reported_once() -> None:
    text = 'on webhook {t: phone, nome: text} -> log nome -> send hsm "retomada" to t with {nomee, pedido: 1}\n'
    assert [d.code for d in compiled(text, RETOMADA).diagnostics] == ["E201"]


def test_parameters_that_are_missing_are_listed_with_their_types() -> None:
    text = 'on webhook {t: phone}\n  -> send hsm "retomada" to t\n  -> send hsm "retomada" to t with {nome: "x"}\n'
    assert said(text, RETOMADA) == rendered(
        """
        error[E220]: hsm "retomada" needs `nome` and `pedido`
         --> flows/a.seta:2:6
          |
        2 |   -> send hsm "retomada" to t
          |      ^^^^^^^^^^^^^^^^^^^ `with` is missing
          |
          = the catalog file says nome: text, pedido: int
          = fix (choose): with {nome: …, pedido: …}    hand them over
          = seta help E220

        error[E220]: hsm "retomada" needs `pedido`
         --> flows/a.seta:3:31
          |
        3 |   -> send hsm "retomada" to t with {nome: "x"}
          |                               ^^^^^^^^^^^^^^^^ missing here
          |
          = the catalog file says pedido: int
          = fix (choose): with {pedido: …}    hand it over
          = seta help E220
        """
    )


def test_template_without_parameters_takes_none() -> None:
    avisa = {"type": "template", "name": "avisa", "language": "pt_BR"}
    assert said('on webhook {t: phone} -> send hsm "avisa" to t\n', avisa) == ""
    [found] = compiled('on webhook {t: phone} -> send hsm "avisa" to t with {x: "1"}\n', avisa).diagnostics
    assert (found.code, found.notes) == ("E218", ("it takes no parameters",))


def test_plan_is_pinned_to_the_signature_of_its_template_and_of_no_other() -> None:
    text = 'on webhook {t: phone, nome: text} -> send hsm "retomada" to t with {nome, pedido: 1}\n'
    outra = {**RETOMADA, "name": "outra"}
    [plan] = compiled(text, RETOMADA).flows
    [same] = compiled(text, RETOMADA, outra).flows
    [other] = compiled(text, {**RETOMADA, "language": "pt_PT"}).flows
    assert plan.hash == same.hash
    assert plan.hash != other.hash
    known = read_catalog_file(file(RETOMADA, outra), catalog())
    assert [e.name for e in used_entries(plan, known) if isinstance(e, Template)] == ["retomada"]
