"""A compiled flow as the runtime holds it: what to decode, what to run, where each step stands in the text."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, MappingProxyType
from typing import Any, Final

from runtime.shapes import Decoded, Shape

ANSWER_WITHIN: Final = 10_000  # ms


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands: 1-based line and column for people, and its range as Python keeps it (UTF-8 bytes)."""

    step: str
    line: int
    column: int
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Request:
    """What of a delivery's request, beside its body, the plan names; and whether the body was a form.

    `trace` is the `traceparent` of its acceptance, where somebody traces: its run may go on days later.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: bool = False
    trace: str = ""


NO_REQUEST: Final = Request(MappingProxyType({}), MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Dedupe:
    """`dedupe by key for window`: a delivery whose key was accepted within the window is a repeat."""

    key: Callable[[Any, Request], str | None]  # payload, request; None: never a repeat
    window: int  # ms


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call: a scheme of the catalog with the names of its secrets and its options, each by parameter."""

    scheme: str
    secrets: Mapping[str, str]
    options: Mapping[str, str | int]

    def chosen(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Of all secrets those of this guard, by parameter."""
        return {param: secrets[name] for param, name in self.secrets.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that a flow itself gives. `schema` is JSON Schema (2020-12); None: it has no body."""

    status: int
    schema: Mapping[str, Any] | None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a flow tells its senders beside the types of its payload.

    `fields` says what fields mean, by the keys that lead to them: items of an array have the path of the array.
    """

    doc: str = ""
    fields: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """One flow, ready to run. `plan` is the hash that runs are pinned to."""

    flow: str
    plan: str
    path: str | None  # the path that the flow names itself; None: one is derived from the server's key
    limit: int  # bytes of a body
    responds: bool
    payload: Shape
    run: Callable[[Any, Any], Awaitable[bool]]  # payload, context -> whether the flow stopped itself
    filename: str  # as tracebacks show it
    places: tuple[Place, ...]
    code: CodeType
    sources: bytes  # the bundle that the journal keeps
    handler: Callable[[Any, Any, Any], Awaitable[bool]] | None = None  # payload, context, error; as `run`
    headers: tuple[str, ...] = ()  # names, in lower case, that the plan reads: only these are kept
    query: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()  # names of the secrets that the plan reads
    connections: tuple[str, ...] = ()  # names of the connections that its steps go via
    dedupe: "Dedupe | None" = None
    serial: Callable[[Any, Any], str | None] | None = None  # payload, request -> equal keys run one at a time
    answer: Callable[[str], tuple[int, Any]] | None = None  # run id -> status and body instead of {"run": id}
    answer_within: int = ANSWER_WITHIN  # ms that a sender waits for `respond`
    keep: int | None = None  # ms after its end that a run is kept
    waits: int = 0  # ms: the longest `within` of a `wait for`
    concurrency: int | None = None  # runs of this flow at the same time
    accept: tuple[str, ...] = ("json",)  # kinds of bodies: json, form, multipart, text
    cors: tuple[str, ...] = ()  # sites whose pages may read what the door answers; "*": all
    guard: Guard | None = None  # None: whoever knows the address may call
    contract: Contract = Contract()

    def read(self, body: bytes, request: Request) -> Any:
        """The payload of a delivery that was kept. Raises NotJsonError, MisfitError."""
        return self.decode(body, request).payload

    def decode(self, body: bytes, request: Request) -> Decoded:
        """As `read`, with what was left out of it."""
        return (self.payload.decode_form if request.form else self.payload.decode)(body)

    def place(self, step: str) -> Place | None:
        """Where a step stands in the text."""
        return next((place for place in self.places if place.step == step), None)

    def place_of(self, position: tuple[int, int]) -> Place | None:
        """The innermost step around a line and byte offset of generated code, or None."""
        around = [place for place in self.places if place.start <= position < place.end]
        return max(around, key=lambda place: place.start, default=None)
