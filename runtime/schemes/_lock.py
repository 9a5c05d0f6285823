"""What a scheme becomes once it has its secrets: something that can be asked whether a request may come in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest

from runtime.schemes._call import Call


class Denied(StrEnum):
    """Why a request is not accepted: for the log of who runs the server, never for the sender."""

    ABSENT = "what proves the sender is absent or comes twice"
    MALFORMED = "what proves the sender is malformed"
    STALE = "the time that was signed is too far from now"
    WRONG = "the proof is not made with the secret of this flow"


class SecretError(ValueError):
    """A secret is not what its scheme takes: `param` is the scheme's name for it, the message says nothing of it."""

    def __init__(self, param: str, problem: str) -> None:
        super().__init__(problem)
        self.param = param


@dataclass(frozen=True, slots=True)
class Lock:
    """A scheme with its secrets.

    `denies` gives why a request at a time (ms since the epoch) is not accepted, or None. `challenge` is what a 401 says
    in WWW-Authenticate. `greets` knows the request with which a sender tries an address before it sends: it gives the
    text of the answer, or why there is none, or None for any other request.
    """

    denies: Callable[[Call, int], Denied | None]
    challenge: str
    greets: Callable[[Call], bytes | Denied | None] = lambda _: None


Secrets = Mapping[str, str]  # by parameter of the scheme


def keys(secrets: Secrets, *params: str, read: Callable[[str], bytes] = str.encode) -> tuple[bytes, ...]:
    """The secrets of those parameters that have one, as bytes. Raises SecretError for one that cannot be read."""
    return tuple(_key(param, secrets[param], read) for param in params if param in secrets)


def _key(param: str, secret: str, read: Callable[[str], bytes]) -> bytes:
    try:
        key = read(secret)
    except UnicodeEncodeError:
        raise SecretError(param, "is not UTF-8") from None
    except ValueError as error:
        raise SecretError(param, str(error)) from None
    if not key:
        raise SecretError(param, "is empty")
    return key


def is_one_of(given: bytes, known: Iterable[bytes]) -> bool:
    """Whether a text is one of some secret ones, in a time that tells nothing but lengths."""
    found = False
    for one in known:
        found |= compare_digest(given, one)
    return found


Options = Mapping[str, str | int]
Make = Callable[[Secrets, Options], Lock]
