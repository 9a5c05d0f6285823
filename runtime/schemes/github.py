"""github: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.

The example is the test that GitHub publishes.
"""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, prefixed, signed

SCHEME = Scheme(
    name="github",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in X-Hub-Signature-256",
    doc=(
        "Takes what GitHub signs with the webhook's secret. The time is not signed; "
        '`dedupe by headers["x-github-delivery"] for 3d` lets a delivery count once. The older signature with SHA-1 '
        "proves nothing here."
    ),
    examples=(
        Delivery(
            secrets={"secret": "It's a Secret to Everybody"},
            headers={
                "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
                "X-Hub-Signature": "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59",
            },
            body="Hello, World!",
        ),
    ),
)

make = signed(SCHEME, Signature("x-hub-signature-256", (body,), prefixed("sha256=")))
