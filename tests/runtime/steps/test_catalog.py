"""The signatures of the verbs and functions hang together, and with what runs."""

from types import NoneType, UnionType
from typing import get_args, get_type_hints

import httpx
import msgspec
import pytest

from compiler.catalog import Catalog, EffectClass, Entity, Entry, Verb
from runtime.code import CodePool
from runtime.connections.http import HttpClient
from runtime.connections.person import Person
from runtime.context import LocalVerb, RemoteVerb
from runtime.steps import SIGNATURES, catalog, verbs
from runtime.steps.entities import PERSON

TYPES = {"text", "int", "bool", "decimal", "phone", "email", "json"}
CLAUSES = {"by", "to", "from"}
WORDS = {
    *("on", "webhook", "if", "else", "match", "parallel", "for", "wait", "respond", "stop", "fail", "log", "emit"),
    *("code", "flow", "type", "def", "test", "lang", "by", "to", "from", "with", "via", "as", "retry", "every"),
    *("within", "unknown"),
}

VERBS = [entry for entry in SIGNATURES if isinstance(entry, Verb)]
each_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.title)


def test_the_catalog_has_verbs_entities_and_functions() -> None:
    found = catalog()

    assert list(found.verbs) == [
        "delete",
        "find person",
        "get",
        "patch",
        "post",
        "put",
        "send hsm",
        "tag person",
        "upsert person",
    ]
    assert list(found.entities) == ["person"]
    assert "format_phone" in found.functions


async def test_each_verb_does_something_and_code_too() -> None:
    done = verbs(HttpClient(httpx.MockTransport(lambda _: httpx.Response(200))), CodePool(size=1, environment={}))

    assert done.keys() == {*catalog().verbs, "code"}
    local = {title for title, verb in done.items() if isinstance(verb, LocalVerb)}
    assert local == {"find person", "send hsm", "tag person", "upsert person"}
    assert all(isinstance(done[title], RemoteVerb) for title in done.keys() - local)


def test_entries_survive_being_written_down() -> None:
    data = msgspec.json.encode(SIGNATURES)

    assert msgspec.json.decode(data, type=tuple[Entry, ...]) == SIGNATURES
    assert Catalog.of(SIGNATURES).verbs == catalog().verbs


@each_verb
def test_words_of_a_verb_are_not_words_of_the_language(verb: Verb) -> None:
    assert WORDS.isdisjoint(verb.title.split())


@each_verb
def test_types_of_a_verb_exist(verb: Verb) -> None:
    known = TYPES | catalog().entities.keys()

    assert {kind for slot in verb.slots for kind in slot.types} <= known
    assert {field.type for field in verb.fields} <= known
    assert verb.result in {"", *known}


@each_verb
def test_clauses_of_a_verb_fit_together(verb: Verb) -> None:
    fields = {field.name for field in verb.fields}

    assert {slot.clause for slot in verb.slots} <= CLAUSES
    assert verb.literal in {"", "static", "url"}
    assert verb.with_ in {"", "fields", "record", "params"}
    assert bool(fields) == (verb.with_ == "fields")
    assert not verb.infers_fields or fields
    assert verb.key_field in {"", *fields}
    assert verb.connection
    assert verb.doc.endswith(".")
    assert list(verb.failures) == sorted(verb.failures)


@each_verb
def test_an_alias_means_one_field(verb: Verb) -> None:
    names = [name for field in verb.fields for name in {field.name, *field.aliases}]

    assert len(names) == len(set(names))


def test_effects_are_of_the_class_that_they_are() -> None:
    by_class: dict[EffectClass, set[str]] = {kind: set() for kind in EffectClass}
    for verb in VERBS:
        by_class[verb.effect].add(verb.title)

    assert by_class == {
        EffectClass.IDEMPOTENT: {"delete", "find person", "get", "put", "tag person", "upsert person"},
        EffectClass.KEYED: {"patch", "post"},
        EffectClass.ONCE: {"send hsm"},
    }


def test_the_fields_of_a_person_are_read_from_portuguese_forms_in_this_order() -> None:
    [upsert] = [verb for verb in VERBS if verb.title == "upsert person"]

    fields = [field for field in upsert.fields if field.inferred]
    assert {field.name: list(dict.fromkeys((*field.aliases, field.name))) for field in fields} == {
        "name": ["nome", "nome_completo", "name"],
        "phone": ["telefone", "celular", "whatsapp", "fone", "phone"],
        "email": ["email", "e_mail"],
    }


def test_the_entity_person_is_what_the_connection_gives() -> None:
    assert isinstance(PERSON, Entity)
    hints = get_type_hints(Person)

    assert [field.name for field in PERSON.fields] == list(hints)
    for field in PERSON.fields:
        hint = hints[field.name]
        optional = isinstance(hint, UnionType) and NoneType in get_args(hint)
        assert field.type.endswith("?") == optional
    assert PERSON.key in hints
