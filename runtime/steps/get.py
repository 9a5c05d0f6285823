"""`get "URL" with {…}`: ask a web service; `with` is the query."""

from typing import Final

from compiler.catalog import EffectClass, Verb
from runtime.connections.asking import Asks
from runtime.connections.ready import NO_CONNECTION, Web
from runtime.context import RemoteVerb
from runtime.steps._http import FAILURES, asking

SIGNATURE: Final = Verb(
    "get",
    "",
    EffectClass.IDEMPOTENT,
    doc="Asks a web service. `with` is the query. A text or number in the URL stays one part of it.",
    literal="url",
    with_="record",
    result="json",
    connection="http",
    failures=FAILURES,
)


def verb(http: Asks, web: Web = NO_CONNECTION) -> RemoteVerb:
    """The verb over this client and connection."""
    return asking(http, web, "GET")
