"""The verbs of the language: one module a verb, with signature, docs and what it does."""

from typing import Final

from compiler.catalog import Catalog, Entry
from runtime.code import CodePool
from runtime.connections.http import HttpClient
from runtime.context import Verb
from runtime.functions import FUNCTIONS
from runtime.schemes import SCHEMES
from runtime.steps import code, delete, find_person, get, patch, post, put, send_hsm, tag_person, upsert_person
from runtime.steps._plain import plain
from runtime.steps._results import fitted
from runtime.steps.entities import PERSON

__all__ = ["SIGNATURES", "catalog", "fitted", "plain", "verbs"]

SIGNATURES: Final[tuple[Entry, ...]] = (
    PERSON,
    delete.SIGNATURE,
    find_person.SIGNATURE,
    get.SIGNATURE,
    patch.SIGNATURE,
    post.SIGNATURE,
    put.SIGNATURE,
    send_hsm.SIGNATURE,
    tag_person.SIGNATURE,
    upsert_person.SIGNATURE,
)


def catalog() -> Catalog:
    """All that a flow may use without Python of its own."""
    return Catalog.of((*SIGNATURES, *(signature for signature, _ in FUNCTIONS), *SCHEMES))


def verbs(http: HttpClient, pool: CodePool) -> dict[str, Verb]:
    """What each verb does, under its title in the catalog; and `code`, which the language has itself."""
    return {
        code.TITLE: code.verb(pool),
        delete.SIGNATURE.title: delete.verb(http),
        find_person.SIGNATURE.title: find_person.VERB,
        get.SIGNATURE.title: get.verb(http),
        patch.SIGNATURE.title: patch.verb(http),
        post.SIGNATURE.title: post.verb(http),
        put.SIGNATURE.title: put.verb(http),
        send_hsm.SIGNATURE.title: send_hsm.VERB,
        tag_person.SIGNATURE.title: tag_person.VERB,
        upsert_person.SIGNATURE.title: upsert_person.VERB,
    }
