"""The verbs of the language: one module a verb, with signature, docs and what it does."""

from collections.abc import Mapping
from typing import Final

from compiler.catalog import Catalog, Entry
from runtime.code import CodePool
from runtime.connections.asking import Asks
from runtime.connections.declared import Local
from runtime.connections.pace import Paces
from runtime.connections.ready import NO_CONNECTION, Ready, Signed, Web
from runtime.context import Verb, over
from runtime.functions import FUNCTIONS
from runtime.schemes import SCHEMES
from runtime.steps import code, delete, find_person, get, patch, post, put, send_hsm, tag_person, upsert_person
from runtime.steps._plain import plain
from runtime.steps._results import fitted
from runtime.steps._services import service_verbs
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


_LOCAL: Final[Mapping[str, Verb]] = {
    find_person.SIGNATURE.title: find_person.VERB,
    send_hsm.SIGNATURE.title: send_hsm.VERB,
    tag_person.SIGNATURE.title: tag_person.VERB,
    upsert_person.SIGNATURE.title: upsert_person.VERB,
}


def catalog() -> Catalog:
    """All that a flow may use without Python of its own."""
    return Catalog.of((*SIGNATURES, *(signature for signature, _ in FUNCTIONS), *SCHEMES))


def verbs(
    http: Asks, pool: CodePool, connections: Mapping[str, Ready] | None = None, *, paces: Paces | None = None
) -> dict[str, Verb]:
    """What each verb does, under its title in the catalog; and `code`, which the language has itself.

    What a verb does over a connection of seta.toml stands under both names (`runtime.context.over`). `paces` are the
    lines in which messages wait, of a server that makes its verbs more than once.
    """
    lines = paces or Paces()
    table: dict[str, Verb] = {code.TITLE: code.verb(pool), **_LOCAL, **_web(http, NO_CONNECTION)}
    for name, connection in (connections or {}).items():
        table |= {over(title, name): verb for title, verb in _over(http, connection, lines).items()}
    return table


def _over(http: Asks, connection: Ready, paces: Paces) -> Mapping[str, Verb]:
    match connection:
        case Web():
            return _web(http, connection)
        case Signed():
            return service_verbs(http, connection, paces)
        case Local():
            return _LOCAL


def _web(http: Asks, web: Web) -> dict[str, Verb]:
    return {
        delete.SIGNATURE.title: delete.verb(http, web),
        get.SIGNATURE.title: get.verb(http, web),
        patch.SIGNATURE.title: patch.verb(http, web),
        post.SIGNATURE.title: post.verb(http, web),
        put.SIGNATURE.title: put.verb(http, web),
    }
