"""How a step fails: as one exception that says what happened and whether a repeat can help."""

from enum import StrEnum


class Kind(StrEnum):
    """What a failure says of the effect."""

    PERMANENT = "permanent"  # a repeat gives the same
    TRANSIENT = "transient"  # it may be repeated where the effect's class allows a repeat after a lost answer
    NOT_DONE = "not_done"  # proven that the effect did not happen: always safe to repeat
    UNKNOWN = "unknown"  # it may have happened: nobody can tell
    HELD = "held"  # nothing was attempted, and nothing counts: it may be after `retry_after` seconds


class StepFailure(Exception):  # noqa: N818  # the field's word for it is failure
    """A step that did not succeed: `code` is for programs, `message` for people.

    `retry_after` is the least number of seconds to wait before a repeat, where the other side said so. The engine sets
    `step` and `attempt` where the failure is known to be a step's; a failure of pure code stands where it was raised.
    `beside` are other steps whose records fall with this failure when the run is tried again.
    """

    def __init__(self, code: str, message: str, kind: Kind = Kind.PERMANENT, retry_after: float | None = None) -> None:
        super().__init__(code, message, kind, retry_after)
        self.code = code
        self.message = message
        self.kind = kind
        self.retry_after = retry_after
        self.step = ""
        self.attempt = 1
        self.beside: list[str] = []

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
