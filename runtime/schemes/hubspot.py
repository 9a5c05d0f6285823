"""hubspot: version 3, https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests.

The example was computed.
"""

import re

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, TOLERANCE, Seen, Signature, body, method, signed, timestamp

SCHEME = Scheme(
    name="hubspot",
    params=(*SECRETS, TOLERANCE),
    signs_address=True,
    proof="HMAC-SHA256 of method, address, body and time in X-HubSpot-Signature-v3",
    doc=(
        "Takes what HubSpot signs with an app's client secret, in version 3 of its signature. The address is signed: "
        "`serve` needs it as `--public-url`. Versions 1 and 2, which HubSpot sends too, prove nothing here, because "
        "they can be sent again for ever."
    ),
    examples=(
        Delivery(
            secrets={"secret": "hubspot-client-secret"},
            headers={
                "X-HubSpot-Signature-v3": "qb7dAoALhdMUgOj1x+mVZaP3GYGZ+UV99a2dBxza0yg=",
                "X-HubSpot-Request-Timestamp": "1767225600000",
            },
            body='[{"eventId":1,"subscriptionType":"contact.creation","objectId":123}]',
            url="https://flows.example.com/v1/66f2bcf870c54828e7da82d0?src=hubspot",
            at=1_767_225_600_000,
        ),
    ),
)

_DECODED = re.compile(rb"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)  # and no others, as HubSpot says


def _address(seen: Seen) -> bytes:
    """The address as HubSpot signs it: with some characters as themselves."""
    return _DECODED.sub(lambda found: bytes.fromhex(found[0][1:].decode()), seen.call.url)


make = signed(
    SCHEME,
    Signature(
        "x-hubspot-signature-v3",
        (method, _address, body, timestamp),
        encoding="base64",
        timestamp="x-hubspot-request-timestamp",
    ),
)
