"""By which keys a delivery is told from others, and what else of it is kept."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from runtime.engine.ids import encode
from runtime.failures import StepFailure
from runtime.journal.writes import Accept
from runtime.program import Program, Request
from runtime.shapes import Decoded


def complete(accept: Accept, program: Program, payload: Any, request: Request) -> None:
    """Add to a write what the clauses of its flow's trigger ask for."""
    accept.keep = program.keep
    accept.context = context(program, request)
    if program.dedupe is not None:
        accept.dedupe = _key(program.dedupe.key, payload, request)
        accept.dedupe_until = accept.received_at + program.dedupe.window
    if program.serial is not None:
        accept.serial = _key(program.serial, payload, request)


def context(program: Program, request: Request) -> bytes:
    """What is kept of a request beside its body: what the plan names, and its trace; of nothing nothing."""
    if not (program.headers or program.query or request.form or request.trace):
        return b""
    form = {"form": True} if request.form else {}
    trace = {"trace": request.trace} if request.trace else {}
    return encode({"headers": dict(request.headers), "query": dict(request.query), **form, **trace})


def notes_of(decoded: Decoded) -> bytes:
    """Say which fields of a payload did not fit and were left out, because nobody insisted on them."""
    return encode({"left_out": decoded.left_out}) if decoded.left_out else b""


def _key(find: Callable[[Any, Any], str | None], payload: Any, request: Request) -> bytes | None:
    """A key's hash. One that cannot be computed is absent: the delivery is accepted, and its run says what is wrong."""
    try:
        key = find(payload, request)
    except StepFailure:
        return None
    return None if key is None else blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
