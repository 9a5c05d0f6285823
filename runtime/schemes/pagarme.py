"""pagarme: the postbacks of API v1, https://docs.pagar.me/v1/docs/postbacks. The example was computed."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, prefixed, signed

SCHEME = Scheme(
    name="pagarme",
    params=SECRETS,
    proof="HMAC-SHA1 of the body in X-Hub-Signature",
    doc=(
        "Takes the postbacks of Pagar.me's API v1, which are forms signed with the API key. The time is not signed. "
        "Version 5 signs nothing: take `basic` for it."
    ),
    examples=(
        Delivery(
            secrets={"secret": "ak_test_grXijQ4GicOa2BLGZrDRTR5qNQxJW0"},
            headers={"X-Hub-Signature": "5f9f9b4373a0bfbc596f04844565695d76ad1f6f"},
            body="id=123&event=transaction_status_changed&current_status=paid&object=transaction",
        ),
    ),
)

make = signed(SCHEME, Signature("x-hub-signature", (body,), prefixed("sha1="), algorithm="sha1"))
