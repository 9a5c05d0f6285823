"""What is kept of one person, as data: the same structs on either side of the socket, and the JSON for scripts."""

import msgspec

from runtime.admin.documents import (
    Message,
    Person,
    Rejected,
    RejectedWithBody,
    Run,
    RunWithSteps,
    message_from,
    person_from,
    rejected_from,
    rfc3339,
    run_from,
)
from runtime.journal.rows import Tombstone
from runtime.journal.texts import Event
from runtime.privacy.erasure import Counts, Erased, Kept


class KeptEvent(msgspec.Struct, frozen=True):
    """An event that is kept for those who wait for it."""

    name: str
    key: str
    at: str
    value: msgspec.Raw


class KeptAnswer(msgspec.Struct, frozen=True):
    """What a run answered, kept for repeats of its delivery."""

    run: str
    answer: msgspec.Raw


class Erasure(msgspec.Struct, frozen=True):
    """An erasure of the past under the same phone or email."""

    at: str
    kind: str
    counts: Counts


class Found(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.privacy-found/1"):
    """`seta privacy find --json`: what is kept of a person; runs and rejected deliveries as lists show them."""

    runs: list[Run]
    rejected: list[Rejected]
    events: list[KeptEvent]
    answers: list[KeptAnswer]
    persons: list[Person]
    outbox: list[Message]
    erased: list[Erasure]
    opted_out: bool = False  # somebody who was erased wanted no messages: that is kept, as a hash

    @property
    def counts(self) -> Counts:
        """How much it is."""
        return Counts(**{name: len(getattr(self, name)) for name in Counts.__struct_fields__})


class ErasedDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.privacy-erased/1"):
    """`seta privacy erase --json`: what is gone; and whether the database's log was cut off after it."""

    at: str
    counts: Counts
    cancelled: int
    log_is_clean: bool


class _Head(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.privacy/1"):
    """The beginning of `seta privacy export`: all but what is fetched one by one."""

    at: str
    phone: str | None
    email: str | None
    persons: list[Person]
    outbox: list[Message]
    events: list[KeptEvent]
    answers: list[KeptAnswer]


class PersonalData(_Head, frozen=True, tag_field="schema", tag="seta.privacy/1"):
    """`seta privacy export`, read whole."""

    rejected: list[RejectedWithBody]
    runs: list[RunWithSteps]


_encode = msgspec.json.Encoder(decimal_format="number").encode


def found_from(kept: Kept) -> Found:
    """Make a document of what is kept."""
    return Found(
        [run_from(row) for row in kept.runs],
        [rejected_from(row) for row in kept.rejected],
        [_event(event) for event in kept.events],
        [KeptAnswer(run, msgspec.Raw(answer)) for run, answer in kept.answers],
        [person_from(row) for row in kept.persons],
        [message_from(row) for row in kept.outbox],
        [_erasure(tombstone) for tombstone in kept.tombstones],
        kept.opted_out,
    )


def erased_from(erased: Erased) -> ErasedDocument:
    """Make a document of what is gone."""
    return ErasedDocument(rfc3339(erased.at), erased.counts, erased.cancelled, erased.log_is_clean)


def opening(found: Found, at: str, phone: str | None, email: str | None) -> bytes:
    """An export up to its lists of rejected deliveries and of runs; then `}` ends it."""
    head = _Head(at, phone, email, found.persons, found.outbox, found.events, found.answers)
    return _encode(head)[:-1]


def row(document: RunWithSteps | RejectedWithBody) -> bytes:
    """A row of one of these lists."""
    return _encode(document)


def _event(event: Event) -> KeptEvent:
    return KeptEvent(event.name, event.key, rfc3339(event.at), msgspec.Raw(event.value))


def _erasure(tombstone: Tombstone) -> Erasure:
    counts = msgspec.json.decode(tombstone.counts, type=Counts)
    return Erasure(rfc3339(tombstone.at), tombstone.kind, counts)
