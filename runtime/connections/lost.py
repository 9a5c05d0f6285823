"""What a failure says of an effect that takes more than one request, or whose answer cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runtime.failures import Kind, StepFailure

_UNREAD: Final = ("response_encoding", "response_too_large")


@contextmanager
def nothing_sent_yet() -> Iterator[None]:
    """What fails before the effect's own request leaves no doubt: the effect did not happen."""
    try:
        yield
    except StepFailure as failure:
        if failure.kind is Kind.TRANSIENT:
            failure.kind = Kind.NOT_DONE
        raise


@contextmanager
def sent_for_all_we_know() -> Iterator[None]:
    """An answer that came and cannot be read says as little as one that was lost: nobody knows what it said."""
    try:
        yield
    except StepFailure as failure:
        if failure.code in _UNREAD:
            failure.kind = Kind.TRANSIENT
        raise
