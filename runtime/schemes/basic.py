"""basic: user and password (RFC 7617), as a trigger clause of its own. The example is the RFC's."""

from base64 import b64decode
from functools import partial

from compiler.catalog import Delivery, Param, Scheme
from runtime.schemes._call import Call
from runtime.schemes._lock import Denied, Lock, Options, Secrets, is_one_of, keys

_SCHEME = b"basic "

SCHEME = Scheme(
    name="basic",
    params=(
        Param("user", "secret"),
        Param("password", "secret"),
        Param("old", "secret", required=False, doc="a second password that is good too, while the first replaces it"),
    ),
    proof="user and password in Authorization",
    doc="Takes what carries user and password, for senders that sign nothing and let you put both into the address.",
    clause="basic",
    curl='-u "{user}:{password}"',
    examples=(
        Delivery(
            secrets={"user": "Aladdin", "password": "open sesame"},
            headers={"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        ),
    ),
)


def make(secrets: Secrets, options: Options) -> Lock:  # noqa: ARG001  # there are none
    """Give the scheme its secrets."""
    [user] = keys(secrets, "user")
    known = tuple(user + b":" + password for password in keys(secrets, "password", "old"))
    return Lock(partial(_denies, known), 'Basic realm="seta", charset="UTF-8"')


def _denies(known: tuple[bytes, ...], call: Call, now: int) -> Denied | None:  # noqa: ARG001  # nothing here has a time
    given = call.header(b"authorization")
    if given is None:
        return Denied.ABSENT
    if given[: len(_SCHEME)].lower() != _SCHEME:
        return Denied.MALFORMED
    try:
        pair = b64decode(given[len(_SCHEME) :].strip(), validate=True)
    except ValueError:
        return Denied.MALFORMED
    return None if is_one_of(pair, known) else Denied.WRONG
