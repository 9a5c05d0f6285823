"""What operations give, as data: the same structs on either side of the socket, and the JSON for scripts."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from runtime.connections import local
from runtime.engine.starting import Replayed
from runtime.journal.rows import RejectedDelivery, RejectedRow, RunDetail, RunRow, RunState, StepRow
from runtime.program import NO_REQUEST, Request
from runtime.shapes import Problem


class RunError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run ended or stands still.

    `where` is FILE:LINE:COLUMN, where that is known; `handler` says how `on error` failed after that.
    """

    step: str
    code: str
    message: str
    attempt: int = 0
    where: str | None = None
    handler: "RunError | None" = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as lists show it. Times are RFC 3339, UTC."""

    id: str
    flow: str
    state: RunState
    plan: str
    received_at: str
    ended_at: str | None = None
    step: str | None = None  # at which it stands, or ended
    error: RunError | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a run. `value` is what the step gave, or how it failed; null for neither."""

    step: str
    kind: str
    attempt: int
    at: str
    value: msgspec.Raw


class RunWithSteps(Run, frozen=True, kw_only=True):
    """A run with all that is kept of it."""

    key: str
    wake_at: str | None = None
    deaths: int = 0  # of the server while the run was in memory, since it last left it in good order
    strikes: int = 0  # those of them at which no other run was in memory
    payload: msgspec.Raw
    notes: msgspec.Raw  # null for none
    steps: list[Step]


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that did not fit its flow, as lists show it: on this plan, with these problems, up to a hundred."""

    id: str
    flow: str
    plan: str
    received_at: str
    size: int  # bytes that are kept
    problems: list[Problem]


class RejectedWithBody(Rejected, frozen=True, kw_only=True):
    """A delivery that did not fit its flow, with all that is kept of it: until then. A form is an object of texts."""

    expires_at: str
    headers: dict[str, str]
    query: dict[str, str]
    form: bool
    body: msgspec.Raw


class Url(msgspec.Struct, frozen=True):
    """Where a flow is called. `sample` is a body that it takes; `accept` are the media types of such bodies.

    `proof` is what a delivery has to carry, for people; `credentials` are curl's arguments for it, for a shell that has
    the secrets, where curl can do it.
    """

    flow: str
    method: str
    url: str
    sample: str
    accept: tuple[str, ...] = ("application/json",)
    proof: str = ""
    credentials: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person that is kept beside the journal."""

    id: str
    name: str | None
    phone: str | None
    email: str | None
    tags: list[str] = []
    opt_out: bool = False
    wa_id: str | None = None
    keys: dict[str, str] = {}
    created_at: str
    updated_at: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is kept beside the journal instead of being sent. `person` is an id, where that is known."""

    id: str
    to: str
    template: str
    params: dict[str, Any]
    person: str | None
    at: str


LIST_LIMIT: Final = 1000
NULL: Final = b"null"

_read_request = msgspec.json.Decoder(Request).decode
_read_problems = msgspec.json.Decoder(list[Problem]).decode


def rfc3339(milliseconds: int) -> str:
    """Write a Unix time in milliseconds as people and programs read it."""
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_json(text: bytes) -> bool:
    """Whether a text is a JSON value."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _optional_time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)


def _raw(data: bytes) -> msgspec.Raw:
    return msgspec.Raw(data or NULL)  # msgspec cannot read a Raw that may be absent


def _error(raw: msgspec.Raw | None) -> RunError | None:
    return None if raw is None else msgspec.json.decode(raw, type=RunError)


def run_from(row: RunRow) -> Run:
    """Make a run from the journal's row."""
    return Run(**_fields(row))


def _fields(row: RunRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "flow": row.flow,
        "state": row.state,
        "plan": row.plan,
        "received_at": rfc3339(row.received_at),
        "ended_at": _optional_time(row.ended_at),
        "step": row.step or None,
        "error": _error(row.error),
    }


def detail_from(detail: RunDetail) -> RunWithSteps:
    """Make a run with its steps from what the journal keeps."""
    return RunWithSteps(
        **_fields(detail.run),
        key=detail.key,
        wake_at=_optional_time(detail.wake_at),
        deaths=detail.deaths,
        strikes=detail.strikes,
        payload=msgspec.Raw(detail.body),
        notes=_raw(detail.notes),
        steps=[_step_from(row) for row in detail.steps],
    )


def _step_from(row: StepRow) -> Step:
    return Step(step=row.step, kind=row.kind.value, attempt=row.attempt, at=rfc3339(row.at), value=_raw(row.value))


def rejected_from(row: RejectedRow) -> Rejected:
    """Make a rejected delivery from the journal's row."""
    return Rejected(**_rejected_fields(row))


def rejected_detail_from(row: RejectedDelivery) -> RejectedWithBody:
    """Make a rejected delivery with its body from what the journal keeps."""
    request = _read_request(row.context) if row.context else NO_REQUEST
    return RejectedWithBody(
        **_rejected_fields(row),
        expires_at=rfc3339(row.expires_at),
        headers=dict(request.headers),
        query=dict(request.query),
        form=request.form,
        body=msgspec.Raw(row.body),
    )


def _rejected_fields(row: RejectedRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "flow": row.flow,
        "plan": row.plan,
        "received_at": rfc3339(row.received_at),
        "size": row.size,
        "problems": _read_problems(row.problems),
    }


def person_from(row: local.PersonRow) -> Person:
    """Make a person from the connection's row."""
    return Person(
        id=row.id,
        name=row.name,
        phone=row.phone,
        email=row.email,
        tags=row.tags,
        opt_out=row.opt_out,
        wa_id=row.wa_id,
        keys=row.keys,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def message_from(row: local.Message) -> Message:
    """Make a message from the connection's row."""
    return Message(
        id=row.id, to=row.to, template=row.template, params=row.params, person=row.person, at=rfc3339(row.at)
    )


class RunList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.runs/1"):
    """`seta runs list --json`."""

    runs: list[Run]


class RunDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.run/1"):
    """`seta runs show --json`."""

    run: RunWithSteps


class PersonList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.persons/1"):
    """`seta persons --json`."""

    persons: list[Person]


class MessageList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.outbox/1"):
    """`seta outbox --json`."""

    outbox: list[Message]


class RejectedList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.rejected/1"):
    """`seta rejected --json`."""

    rejected: list[Rejected]


class RejectedDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.rejected-delivery/1"):
    """`seta rejected show --json`."""

    rejected: RejectedWithBody


class UrlList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.urls/1"):
    """`seta urls --json`."""

    urls: list[Url]


class Released(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.release/1"):
    """`seta runs release --json`: how many runs go on."""

    released: int


class Backup(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.backup/1"):
    """`seta backup --json`: where the copy is."""

    file: str


class Restored(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.restore/1"):
    """`seta restore --json`: how many runs are parked until they are released."""

    parked: int


class ReplayList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.replay/1"):
    """`seta replay --json`; over the socket a page of it, with where the next one begins.

    Where no server is, what was replayed runs when the next one starts.
    """

    replays: list[Replayed]
    next: int | None = None
    upto: int = 0
    served: bool = True


class Reloaded(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.reload/1"):
    """`seta reload --json`: the generation that is served, and its flows in order of name."""

    generation: int
    flows: list[str]


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem (RFC 9457) of the admin address. `ids` are the runs that an unclear id could mean."""

    type: str
    title: str
    status: int
    detail: str
    ids: list[str] = []
