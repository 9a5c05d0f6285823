"""How large what a function gives may grow: far above what flows need, far below what a machine has."""

from runtime.failures import StepFailure

MAX_TEXT = 10_000_000  # characters; more than any body that the door takes
MAX_PARTS = 100_000  # of a text that is split
MAX_DEPTH = 64  # of nested lists and records, as at the door


def check_length(length: int) -> None:
    """Raise StepFailure `too_long` where a text of that many characters must not be made."""
    if length > MAX_TEXT:
        raise StepFailure("too_long", f"the text would have more than {MAX_TEXT:,} characters")


def check_depth(depth: int) -> None:
    """Raise StepFailure `too_deep` where lists and records are nested that deep."""
    if depth > MAX_DEPTH:
        raise StepFailure("too_deep", f"lists and records are nested more than {MAX_DEPTH} deep")
