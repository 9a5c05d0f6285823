"""The ways in which a delivery proves who sent it: one module a scheme, with its signature, docs and worked example."""

from typing import Final

from compiler.catalog import Scheme
from runtime.schemes import (
    basic,
    clicksign,
    github,
    hmac_,
    hotmart,
    hubspot,
    meetime,
    mercadopago,
    meta,
    pagarme,
    shopify,
    slack,
    standard,
    stripe,
    token,
    typeform,
    woocommerce,
)
from runtime.schemes._call import Call, call_of
from runtime.schemes._lock import Denied, Lock, Make, Options, SecretError, Secrets

_MADE: Final[tuple[tuple[Scheme, Make], ...]] = (
    (basic.SCHEME, basic.make),
    (clicksign.SCHEME, clicksign.make),
    (github.SCHEME, github.make),
    (hmac_.SCHEME, hmac_.make),
    (hotmart.SCHEME, hotmart.make),
    (hubspot.SCHEME, hubspot.make),
    (meetime.SCHEME, meetime.make),
    (mercadopago.SCHEME, mercadopago.make),
    (meta.SCHEME, meta.make),
    (pagarme.SCHEME, pagarme.make),
    (shopify.SCHEME, shopify.make),
    (slack.SCHEME, slack.make),
    (standard.SCHEME, standard.make),
    (stripe.SCHEME, stripe.make),
    (token.SCHEME, token.make),
    (typeform.SCHEME, typeform.make),
    (woocommerce.SCHEME, woocommerce.make),
)

SCHEMES: Final = tuple(scheme for scheme, _ in _MADE)
_BY_NAME: Final = {scheme.name: (scheme, make) for scheme, make in _MADE}


def make_lock(scheme: str, secrets: Secrets, options: Options) -> Lock:
    """Give a scheme its secrets and options, each by parameter. Raises SecretError where one is not of its kind."""
    return _BY_NAME[scheme][1](secrets, options)


def proof(scheme: str, options: Options) -> str:
    """What a sender has to send, for people."""
    return _BY_NAME[scheme][0].proof.format_map({"header": options.get("header", "")})


def describe(scheme: str) -> str:
    """What a scheme is for, for people."""
    return _BY_NAME[scheme][0].doc


def by_curl(scheme: str, options: Options, secrets: Secrets) -> str:
    """What curl is given to prove the sender, from what a shell reads secrets by; nothing where that is computed."""
    return _BY_NAME[scheme][0].curl.format_map({"header": options.get("header", ""), **secrets})


def signs_address(scheme: str, options: Options) -> bool:
    """Whether senders sign the address that they call."""
    return _BY_NAME[scheme][0].signs_address or "{url}" in str(options.get("signed", ""))


def proving_headers(scheme: str, options: Options) -> tuple[str, ...]:
    """The headers in which a sender proves who it is, as people write them: first the one that `proof` ends with.

    Of a scheme without options for them, they are those without which its worked example is not accepted.
    """
    known = _BY_NAME[scheme][0]
    params = [param.name for param in known.params if param.type == "header"]
    if params:
        return tuple(str(options[name]) for name in params if name in options)
    example = known.examples[0]
    lock = make_lock(scheme, example.secrets, example.options)
    needed = [name for name in example.headers if lock.denies(call_of(example, without=name), example.at) is not None]
    first = known.proof.rpartition(" ")[2]
    return tuple(sorted(needed, key=lambda name: name.lower() != first.lower()))


__all__ = [
    "SCHEMES",
    "Call",
    "Denied",
    "Lock",
    "SecretError",
    "by_curl",
    "call_of",
    "describe",
    "make_lock",
    "proof",
    "proving_headers",
    "signs_address",
]
