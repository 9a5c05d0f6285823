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
from runtime.schemes._call import Call
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


__all__ = ["SCHEMES", "Call", "Denied", "Lock", "SecretError", "make_lock", "proof"]
