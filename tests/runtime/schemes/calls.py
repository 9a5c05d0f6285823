"""Requests as schemes see them."""

from collections.abc import Mapping
from dataclasses import replace

from compiler.catalog import Delivery, Scheme
from runtime.schemes import SCHEMES, Call, Denied, call_of, make_lock

EXAMPLES = [(scheme, example) for scheme in SCHEMES for example in scheme.examples]


def named(name: str) -> Scheme:
    """The scheme of that name."""
    return next(scheme for scheme in SCHEMES if scheme.name == name)


def verdict(scheme: Scheme, delivery: Delivery, call: Call | None = None) -> Denied | None:
    """What a scheme with the secrets of a delivery says of it, or of another request at the same time."""
    lock = make_lock(scheme.name, delivery.secrets, delivery.options)
    return lock.denies(call or call_of(delivery), delivery.at)


def with_headers(call: Call, changes: Mapping[str, str | None]) -> Call:
    """A request with other values of some headers; None leaves one out."""
    headers = dict(call.headers)
    for name, value in changes.items():
        headers.pop(name.encode(), None)
        if value is not None:
            headers[name.encode()] = value.encode()
    return replace(call, headers=list(headers.items()))
