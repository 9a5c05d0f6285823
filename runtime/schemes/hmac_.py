"""hmac: any sender that signs with HMAC, by options. The examples are Pagou's and PayZu's, computed.

https://docs.pagou.com.br/integracao-com-a-api/autenticacao-de-webhooks, https://docs.payzu.com.br/docs/gateway/webhook-signing
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from string import Formatter
from typing import Final, cast

from compiler.catalog import Delivery, Param, Scheme
from runtime.schemes._lock import Lock, Options, Secrets
from runtime.schemes._signature import (
    SECRETS,
    TOLERANCE,
    Algorithm,
    Encoding,
    Part,
    Signature,
    Written,
    body,
    from_base64,
    from_hex,
    identifier,
    lock,
    method,
    parameter,
    timestamp,
    tolerance_of,
    url,
)

_LEAD = '{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}'

SCHEME = Scheme(
    name="hmac",
    params=(
        *SECRETS,
        Param("header", "header", doc="where the signature stands"),
        Param("algorithm", '"sha256" | "sha1" | "sha512"', required=False, doc="without it sha256"),
        Param("encoding", '"hex" | "base64" | "base64url"', required=False, doc="without it hex"),
        Param("prefix", "text", required=False, doc='what may stand before the signature, such as "sha256="'),
        Param(
            "signed",
            "template",
            required=False,
            doc="what is signed, with {body}, {timestamp}, {id}, {method}, {url}, {query.NAME}; without it the body",
        ),
        Param("timestamp", "header", required=False, doc="where the time stands, in seconds or milliseconds"),
        Param("id", "header", required=False, doc="where an id or a nonce stands"),
        TOLERANCE,
        Param("key", '"text" | "base64" | "hex"', required=False, doc="how the secret is written; without it text"),
    ),
    proof="an HMAC in {header}",
    doc=(
        "Takes what a sender signs that has no scheme of its own here. A signature may be one of several, with commas "
        "or spaces between them."
    ),
    examples=(
        Delivery(
            secrets={"secret": "pagou-api-key"},
            options={
                "header": "X-Pagou-Signature",
                "prefix": "sha256=",
                "signed": "{timestamp}{body}",
                "timestamp": "X-Pagou-Timestamp",
            },
            headers={
                "X-Pagou-Signature": "65f3cce90f1473a0265f4df757c94ac8dbd66de7a82d9338137aabbbda518c07",
                "X-Pagou-Timestamp": "1754332106",
            },
            body=_LEAD,
            at=1_754_332_106_000,
        ),
        Delivery(
            secrets={"secret": "payzu-secret"},
            options={
                "header": "X-Webhook-Signature",
                "signed": "{timestamp}.{id}.{body}",
                "timestamp": "X-Webhook-Timestamp",
                "id": "X-Webhook-Nonce",
                "tolerance": 300_000,
            },
            headers={
                "X-Webhook-Signature": "06f9249cf08ef2ffcb552895786082856a70888be840ab8f0052a7bff878a1e6",
                "X-Webhook-Timestamp": "1794410459433",
                "X-Webhook-Nonce": "3f9a1c7e5b2d4086a1e3c5b7d9f02468",
            },
            body=_LEAD,
            at=1_794_410_459_433,
        ),
    ),
)

_PARTS: Final[dict[str, Part]] = {
    "body": body,
    "timestamp": timestamp,
    "id": identifier,
    "method": method,
    "url": url,
}
_KEYS: Final[dict[str, Callable[[str], bytes]]] = {"text": str.encode, "base64": from_base64, "hex": from_hex}


def make(secrets: Secrets, options: Options) -> Lock:
    """Give the scheme its secrets and its options."""
    text = {name: str(value) for name, value in options.items()}
    row = Signature(
        text["header"].lower(),
        tuple(_pieces(text.get("signed", "{body}"))),
        partial(_list, text.get("prefix", "").encode()),
        encoding=cast("Encoding", text.get("encoding", "hex")),
        algorithm=cast("Algorithm", text.get("algorithm", "sha256")),
        timestamp=text.get("timestamp", "").lower(),
        id=text.get("id", "").lower(),
        key=_KEYS[text.get("key", "text")],
    )
    return lock(SCHEME.name, (row,), secrets, tolerance_of(options) if row.timestamp else None)


def _pieces(template: str) -> Iterator[bytes | Part]:
    for text, name, _, _ in Formatter().parse(template):
        yield text.encode()
        if name is not None:
            yield partial(parameter, name.removeprefix("query.")) if name.startswith("query.") else _PARTS[name]


def _list(prefix: bytes, value: bytes) -> Written:
    """The signatures of a header; a prefix may hold a comma itself."""
    between = rb"\s+" if b"," in prefix else rb"[\s,]+"
    return Written(tuple(part.removeprefix(prefix) for part in re.split(between, value) if part))
