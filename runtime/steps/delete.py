"""`delete "URL"`: delete what the URL names."""

from typing import Final

from compiler.catalog import EffectClass, Verb
from runtime.connections.http import HttpClient
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


def verb(http: HttpClient) -> RemoteVerb:
    """The verb over this client."""
    return bare(http, "DELETE")
