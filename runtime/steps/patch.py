"""`patch "URL" with {…}`: change what the URL names, as the JSON says."""

from typing import Final

from compiler.catalog import EffectClass, Verb
from runtime.connections.asking import Asks
from runtime.connections.ready import NO_CONNECTION, Web
from runtime.context import RemoteVerb
from runtime.steps._http import FAILURES, sending

SIGNATURE: Final = Verb(
    "patch",
    "",
    EffectClass.KEYED,
    doc=(
        "Changes what the URL names, as the JSON says, with an idempotency key that stays the same over all attempts. "
        "A lost answer is repeated only where the flow says `retry`."
    ),
    literal="url",
    with_="record",
    result="json",
    connection="http",
    failures=FAILURES,
)


def verb(http: Asks, web: Web = NO_CONNECTION) -> RemoteVerb:
    """The verb over this client and connection."""
    return sending(http, web, "PATCH")
