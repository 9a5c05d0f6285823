"""typeform: https://www.typeform.com/developers/webhooks/secure-your-webhooks/. The example was computed."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, prefixed, signed

SCHEME = Scheme(
    name="typeform",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in Typeform-Signature",
    doc=(
        "Takes what Typeform signs with the secret of a webhook: base64 after `sha256=`. The time is not signed; "
        "`dedupe by event_id for 3d` lets an answer count once."
    ),
    examples=(
        Delivery(
            secrets={"secret": "typeform-secret"},
            headers={"Typeform-Signature": "sha256=C+BfOkAtoXPEd2pMp1Hw4/+K7NJMNvOGXGDk8lzqVWk="},
            body='{"event_id":"01J9","event_type":"form_response",'
            '"form_response":{"token":"a3a12ec67a1365927098a606107fac15"}}',
        ),
    ),
)

make = signed(SCHEME, Signature("typeform-signature", (body,), prefixed("sha256="), encoding="base64"))
