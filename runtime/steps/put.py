"""`put "URL" with {…}`: put JSON where the URL says."""

from typing import Final

from compiler.catalog import EffectClass, Verb
from runtime.connections.asking import Asks
from runtime.connections.ready import NO_CONNECTION, Web
from runtime.context import RemoteVerb
from runtime.steps._http import FAILURES, sending

SIGNATURE: Final = Verb(
    "put",
    "",
    EffectClass.IDEMPOTENT,
    doc="Puts a value where the URL says, as JSON. The same again changes nothing, so that a lost answer is repeated.",
    literal="url",
    with_="record",
    result="json",
    connection="http",
    failures=FAILURES,
)


def verb(http: Asks, web: Web = NO_CONNECTION) -> RemoteVerb:
    """The verb over this client and connection."""
    return sending(http, web, "PUT")
