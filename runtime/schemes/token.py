"""token: a secret in a header, as a trigger clause of its own."""

from functools import partial

from compiler.catalog import Delivery, Param, Scheme
from runtime.schemes._call import Call
from runtime.schemes._lock import Denied, Lock, Options, Secrets, is_one_of, keys
from runtime.schemes._signature import SECRETS

_BEARER = b"bearer "

SCHEME = Scheme(
    name="token",
    params=(Param("header", "header", doc="where the token stands"), *SECRETS),
    proof="a token in {header}",
    doc=(
        "Takes what carries the secret itself in a header: for senders that sign nothing and let you add a header. In "
        "`Authorization` it stands after `Bearer`, or alone."
    ),
    clause="token",
    curl='-H "{header}: {secret}"',
    examples=(
        Delivery(secrets={"secret": "s3cr3t"}, options={"header": "X-Token"}, headers={"X-Token": "s3cr3t"}),
        Delivery(
            secrets={"secret": "s3cr3t"},
            options={"header": "Authorization"},
            headers={"Authorization": "Bearer s3cr3t"},
        ),
    ),
)


def make(secrets: Secrets, options: Options) -> Lock:
    """Give the scheme its secrets."""
    header = str(options["header"]).lower()
    bearer = header == "authorization"
    challenge = 'Bearer realm="seta"' if bearer else f'Token header="{header}"'
    return Lock(partial(_denies, header.encode(), keys(secrets, "secret", "old")), challenge)


def _denies(header: bytes, known: tuple[bytes, ...], call: Call, now: int) -> Denied | None:  # noqa: ARG001  # nothing here has a time
    given = call.header(header)
    if given is None:
        return Denied.ABSENT
    if header == b"authorization" and given[: len(_BEARER)].lower() == _BEARER:
        given = given[len(_BEARER) :].strip()
    return None if is_one_of(given, known) else Denied.WRONG
