"""The document as a whole: one path a hook, with what a delivery is and what a look at it gives."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from runtime.door.openapi.answering import SCHEMAS, SHARED, answers_to_look, answers_to_post
from runtime.door.openapi.bodies import request_body
from runtime.door.openapi.callers import Callers, parameters
from runtime.program import Program

_encode = msgspec.json.Encoder(decimal_format="number").encode

_ABOUT: Final = """\
Each webhook takes deliveries with POST at an address of its own. A 2xx means that a delivery is on disk and will run;
with any other answer, except where a flow says so, no run was started. A Retry-After says when to come back."""


def document(base: str, flows: Mapping[str, Program], body_seconds: float) -> dict[str, Any]:
    """Describe hooks, each by its path. `base` is what comes before a path in the addresses that senders call.

    `body_seconds` is how long a body may take. The version follows the content: it changes when anything of it does.
    """
    callers = Callers()
    paths = {path: _hook(program, callers, body_seconds) for path, program in flows.items()}
    components = {"schemas": SCHEMAS, "responses": SHARED, "securitySchemes": callers.schemes}
    content = {"paths": paths, "components": {name: each for name, each in components.items() if each}}
    info = {"title": "Webhooks", "version": _version(content), "description": _ABOUT}
    whole = {"openapi": "3.1.0", "info": info, "servers": [{"url": base}], **content}
    return dict(msgspec.json.decode(_encode(whole)))  # numbers and tuples as JSON has them


def _version(content: Mapping[str, Any]) -> str:
    return blake2b(_encode(content), digest_size=6).hexdigest()


def _hook(program: Program, callers: Callers, body_seconds: float) -> dict[str, Any]:
    summary, _, rest = program.contract.doc.partition("\n")
    name = summary or program.flow
    described = "\n\n".join(part for part in (rest.strip(), _caller(program), _repeats(program)) if part)
    post = {
        "operationId": program.flow,
        "summary": name,
        "description": described,
        "parameters": parameters(program),
        "requestBody": request_body(program),
        "responses": answers_to_post(program, body_seconds),
        "security": callers.requirement(program),
    }
    looks = ("get", "head", "options") if program.cors else ("get", "head")
    return {"post": post, **{method: _look(method, program) for method in looks}}


def _look(method: str, program: Program) -> dict[str, Any]:
    return {
        "operationId": f"{program.flow}-{method}",
        "summary": "Whether a page may send" if method == "options" else "What this webhook takes",
        "responses": answers_to_look(method, program),
        "security": [],
    }


def _caller(program: Program) -> str:
    """Who may call, in words, where no scheme says it."""
    if program.guard is not None:
        return ""
    if program.path is not None:
        return "Anybody may call it."
    return "Whoever knows its address may call it: treat the address as a secret."


def _repeats(program: Program) -> str:
    """What comes of a delivery that is sent again."""
    if program.dedupe is None:
        return ""
    window = _in_words(program.dedupe.window)
    return f"A delivery that is sent again within {window} starts nothing: it gets the first answer."


def _in_words(milliseconds: int) -> str:
    """A time as people say it, in the largest unit that it is a multiple of."""
    size, unit = next((size, unit) for size, unit in _UNITS if milliseconds % size == 0)
    number = milliseconds // size
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


_UNITS: Final = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"), (1, "millisecond"))
