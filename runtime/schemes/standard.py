"""standard: Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

The example is the test of its libraries. Svix sends the same under names of its own: https://docs.svix.com/receiving.
"""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import (
    SECRETS,
    TOLERANCE,
    Signature,
    Written,
    body,
    from_base64,
    identifier,
    signed,
    timestamp,
)

_MARK = b"v1,"

SCHEME = Scheme(
    name="standard",
    params=(*SECRETS, TOLERANCE),
    proof="HMAC-SHA256 of id, time and body in webhook-signature",
    doc=(
        "Takes what Standard Webhooks (https://www.standardwebhooks.com) and Svix sign. The secret is base64 after "
        '`whsec_`. The id is the same when a delivery is sent again: `dedupe by headers["webhook-id"] for 3d`. '
        "Asymmetric signatures (`v1a`) are not known."
    ),
    examples=(
        Delivery(
            secrets={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            headers={
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "webhook-timestamp": "1614265330",
                "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            },
            body='{"test": 2432232314}',
            at=1_614_265_330_000,
        ),
    ),
)


def _key(secret: str) -> bytes:
    return from_base64(secret.removeprefix("whsec_"))


def _list(value: bytes) -> Written:
    """Signatures of several versions, and during a rotation of several keys, with spaces between them."""
    return Written(tuple(part.removeprefix(_MARK) for part in value.split() if part.startswith(_MARK)))


def _row(prefix: str) -> Signature:
    return Signature(
        f"{prefix}-signature",
        (identifier, b".", timestamp, b".", body),
        _list,
        encoding="base64",
        timestamp=f"{prefix}-timestamp",
        id=f"{prefix}-id",
        key=_key,
    )


make = signed(SCHEME, _row("webhook"), _row("svix"))
