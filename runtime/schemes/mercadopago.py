"""mercadopago: https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks.

The example was computed.
"""

from functools import partial

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Seen, Signature, pairs, signed

SCHEME = Scheme(
    name="mercadopago",
    params=SECRETS,
    proof="HMAC-SHA256 of `data.id` of the query, request id and time in x-signature",
    doc=(
        "Takes what Mercado Pago signs with the secret of an application. The body is not signed: whoever has seen one "
        'notification can send it again with another body. So trust `query["data.id"]` alone, and ask Mercado Pago '
        "for what it names."
    ),
    examples=(
        Delivery(
            secrets={"secret": "mp_secret_key"},
            headers={
                "x-signature": "ts=1716651000,v1=cef8cbdda35929299224e7152a62a889056ee80a2c920eb0ec1af444bebb4102",
                "x-request-id": "f7b2a1d4-0b1c-4ec2-aaaa-9e8b1d2f3c4d",
            },
            body='{"action":"order.processed","data":{"id":"ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"},"type":"order"}',
            url="https://hooks.example/pago?data.id=ORD01JQ4S4KY8HWQ6NA5PXB65B3D3&type=order",
        ),
    ),
)


def _manifest(seen: Seen) -> bytes | None:
    """What is signed: of the three parts those that the request has. Letters of the id are small ones.

    A part that holds the mark between parts is none: it could say what another one says, under the same signature.
    """
    known = seen.call.parameter("data.id")
    parts = (
        (b"id", None if known is None else known.lower().encode(errors="replace")),
        (b"request-id", seen.call.header(b"x-request-id")),
        (b"ts", seen.timestamp),
    )
    given = [(name, value) for name, value in parts if value]
    return None if any(b";" in value for _, value in given) else b"".join(b"%s:%s;" % part for part in given)


make = signed(SCHEME, Signature("x-signature", (_manifest,), partial(pairs, b"ts", b"v1")))
