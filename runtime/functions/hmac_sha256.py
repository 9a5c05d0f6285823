"""hmac_sha256: the signature of a text."""

import hmac

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="hmac_sha256",
    params=(Param("key", "secret", doc="such as `secret.ERP_KEY`"), Param("value", "text")),
    result="text",
    doc=(
        "Signs the text in UTF-8 with a secret, for APIs that want a signature: HMAC with SHA-256, as 64 hexadecimal "
        "digits. Deliveries that come signed are checked by `signed`."
    ),
    examples=(
        Example(  # RFC 4231, 4.3; the secret JEFE is `Jefe`
            'hmac_sha256(secret.JEFE, "what do ya want for nothing?")',
            gives='"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"',
        ),
    ),
)


def hmac_sha256(key: str, value: str) -> str:
    """The HMAC-SHA-256 (RFC 2104, RFC 4231) in small hexadecimal digits."""
    return hmac.digest(key.encode(), value.encode(), "sha256").hex()
