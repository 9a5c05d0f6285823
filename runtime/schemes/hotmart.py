"""hotmart: version 2.0.0 of its webhooks, https://developers.hotmart.com/docs/en/2.0.0/webhook/about-webhook/."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes import token
from runtime.schemes._lock import Lock, Options, Secrets
from runtime.schemes._signature import SECRETS

SCHEME = Scheme(
    name="hotmart",
    params=SECRETS,
    curl='-H "X-HOTMART-HOTTOK: {secret}"',
    proof="the account's token in X-HOTMART-HOTTOK",
    doc=(
        "Takes what carries the hottok of a Hotmart account. Nothing is signed. `dedupe by id for 3d`, over the body's "
        "id, lets an event count once."
    ),
    examples=(
        Delivery(secrets={"secret": "hottok-of-the-account"}, headers={"X-HOTMART-HOTTOK": "hottok-of-the-account"}),
    ),
)


def make(secrets: Secrets, options: Options) -> Lock:  # noqa: ARG001  # there are none
    """Give the scheme its secrets."""
    return token.make(secrets, {"header": "X-HOTMART-HOTTOK"})
