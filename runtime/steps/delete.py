"""`delete "URL"`: delete what the URL names."""

from typing import Final

from compiler.catalog import EffectClass, Verb
from runtime.connections.asking import Asks
from runtime.connections.ready import NO_CONNECTION, Web
from runtime.context import RemoteVerb
from runtime.steps._http import FAILURES, bare

SIGNATURE: Final = Verb(
    "delete",
    "",
    EffectClass.IDEMPOTENT,
    doc="Deletes what the URL names. Where an answer is lost, the repeat may find nothing and fail as `http_404`.",
    literal="url",
    result="json",
    connection="http",
    failures=FAILURES,
)


def verb(http: Asks, web: Web = NO_CONNECTION) -> RemoteVerb:
    """The verb over this client and connection."""
    return bare(http, web, "DELETE")
