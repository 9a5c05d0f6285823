"""What senders get: of each status what the flow says, and the door's own answers, as they are sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from runtime.door import answers
from runtime.door.answers import Answer
from runtime.program import Program, Reply
from runtime.schemes import proof
from runtime.shapes import MisfitError, Problem

Response = dict[str, Any]
Responses = dict[str, Response]

_RUN: Final = "01a20bd8-6393-73ff-96e5-1e27b8c021aa"
_PROBLEM: Final = "application/problem+json"
_TOLD_HEADERS: Final = ("accept", "allow", "retry-after", "www-authenticate")

_NO_HTTP: Final = "Without a body: the request is no well-formed HTTP, such as a Content-Length that is no number."

SCHEMAS: Final = {
    "Run": {
        "type": "object",
        "description": "A delivery that is kept.",
        "properties": {"run": {"type": "string", "format": "uuid", "description": "The id of its run."}},
        "required": ["run"],
    },
    "Problem": {
        "type": "object",
        "description": "Why a delivery is not accepted (RFC 9457).",
        "properties": {
            "type": {"type": "string", "description": "What kind of problem it is, for programs."},
            "title": {"type": "string", "description": "What is wrong."},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "Where, and what to do."},
            "flow": {"type": "string"},
            "run": {"type": "string", "format": "uuid"},
            "accept": {"type": "array", "items": {"type": "string"}},
            "problems": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {"type": "string", "description": "Where in the body (RFC 6901)."},
                        "expected": {"type": "string"},
                        "got": {"type": "string"},
                    },
                    "required": ["pointer", "expected", "got"],
                },
            },
        },
        "required": ["type", "title", "status", "detail"],
    },
}


def _told(refusals: Sequence[Answer]) -> Response:
    """A response from the answers that the door gives with one status."""
    problems = [msgspec.json.decode(refusal.body) for refusal in refusals]
    examples = {problem["type"].rpartition(":")[2]: {"value": problem} for problem in problems}
    schema = {"$ref": "#/components/schemas/Problem"}
    named = {name.decode() for refusal in refusals for name, _ in refusal.start["headers"]}
    headers = {name.title(): _header(name) for name in _TOLD_HEADERS if name in named}
    return {
        "description": "; ".join(dict.fromkeys(problem["title"] for problem in problems)) + ".",
        **({"headers": headers} if headers else {}),
        "content": {_PROBLEM: {"schema": schema, "examples": examples}},
    }


def _header(name: str) -> dict[str, Any]:
    seconds = name == "retry-after"
    return {"schema": {"type": "integer", "minimum": 0} if seconds else {"type": "string"}}


SHARED: Final = {
    "NotFound": _told([answers.NOT_FOUND]),
    "Method": _told([answers.POST_ONLY]),
    "Gone": _told([answers.GONE]),
    "LongTarget": _told([answers.LONG_TARGET]),
    "LargeHeaders": _told([answers.LARGE_HEADERS]),
    "Fault": _told([answers.FAULT]),
    "Later": _told([answers.draining.first, answers.crowded.first, answers.unwell.first]),
    "DiskFull": _told([answers.DISK_FULL]),
}
_SHARED_BY_STATUS: Final = {
    "404": "NotFound",
    "405": "Method",
    "410": "Gone",
    "414": "LongTarget",
    "431": "LargeHeaders",
    "500": "Fault",
    "503": "Later",
    "507": "DiskFull",
}


def answers_to_post(program: Program, body_seconds: float) -> Responses:
    """All that a delivery may be answered with, by status."""
    found = _accepted(program)
    for status, response in (*_shared(_SHARED_BY_STATUS), *_refusals(program, body_seconds)):
        found[status] = _both(found[status], response) if status in found else response
    return dict(sorted(found.items()))


def _shared(statuses: Iterable[str]) -> Iterable[tuple[str, Response]]:
    return [(status, {"$ref": f"#/components/responses/{_SHARED_BY_STATUS[status]}"}) for status in statuses]


def _refusals(program: Program, body_seconds: float) -> Iterable[tuple[str, Response]]:
    """The door's answers that say something of the flow."""
    flow = program.flow
    told = [answers.BROKEN, *(answers.unreadable(flow, kind, _WHY) for kind in program.accept)]
    malformed = _told([*told, answers.PARAMETERS] if program.query else told)
    yield "400", {**malformed, "description": f"{malformed['description']} {_NO_HTTP}"}
    if program.guard is not None:
        yield "401", _told([answers.unauthorized(proof(program.guard.scheme, program.guard.options), "")])
    yield "408", _told([answers.too_slow(body_seconds)])
    yield "413", _told([answers.too_large(flow, program.limit)])
    strangers = [] if "text" in program.accept else [answers.unaccepted(flow, "text", program.accept)]
    yield "415", _told([answers.ENCODED, *strangers])
    yield "422", _told([answers.misfit(flow, _problems(program))])
    yield "429", _told([answers.too_many(flow, 1)])


_WHY: Final = "It cannot be read: byte 17 is not UTF-8."


def _problems(program: Program) -> Sequence[Problem]:
    """What is wrong with an empty object, or else with an array."""
    for body in (b"{}", b"[]"):
        try:
            program.payload.decode(body)
        except MisfitError as misfit:
            return misfit.problems
    return [Problem("/field", "text", "a number")]


def _accepted(program: Program) -> Responses:
    """The answers to deliveries that are kept."""
    kept = _json({"$ref": "#/components/schemas/Run"}, "The delivery is on disk, as this run.")
    found: Responses = {}
    for reply in program.contract.replies:
        said = _reply(reply)
        known = found.get(str(reply.status))
        found[str(reply.status)] = said if known is None else _both(known, said)
    if not found:
        return {"200": kept}
    if program.responds:
        late = _json(
            {"$ref": "#/components/schemas/Run"},
            f"On disk; the flow goes on, and has not answered within {program.answer_within / 1000:g} s.",
        )
        found["202"] = _both(found["202"], late) if "202" in found else late
        ended = _told([answers.failed(program.flow, _RUN)])
        found["500"] = _both(found["500"], ended) if "500" in found else ended
    if program.responds and program.dedupe is not None:
        found["200"] = _both(found["200"], kept) if "200" in found else kept
    return found


def _reply(reply: Reply) -> Response:
    doc = reply.doc or "What the flow answers."
    return {"description": doc} if reply.schema is None else _json(reply.schema, doc)


def _json(schema: Mapping[str, Any], doc: str) -> Response:
    return {"description": doc, "content": {"application/json": {"schema": schema}}}


def _both(one: Response, other: Response) -> Response:
    """A status that comes for two reasons."""
    one, other = _resolved(one), _resolved(other)
    kinds = {**one.get("content", {}), **other.get("content", {})}
    content = {
        kind: _alternative(one.get("content", {}).get(kind, {}), other.get("content", {}).get(kind, {}))
        for kind in kinds
    }
    headers = {**one.get("headers", {}), **other.get("headers", {})}
    description = " ".join(dict.fromkeys((one["description"], other["description"])))
    return {
        "description": description,
        **({"headers": headers} if headers else {}),
        **({"content": content} if content else {}),
    }


def _resolved(response: Response) -> Response:
    return SHARED[response["$ref"].rpartition("/")[2]] if "$ref" in response else response


def _alternative(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    schemas = [content["schema"] for content in (one, other) if content]
    listed = [part for schema in schemas for part in schema.get("anyOf", [schema])]
    unique = [part for index, part in enumerate(listed) if part not in listed[:index]]
    examples = {**one.get("examples", {}), **other.get("examples", {})}
    return {
        "schema": unique[0] if len(unique) == 1 else {"anyOf": unique},
        **({"examples": examples} if examples else {}),
    }


def answers_to_look(method: str, program: Program) -> Responses:
    """What a request gets that delivers nothing, by status."""
    gone = dict(_shared(("404", "410", "414", "431")))
    if method == "options":
        return {"204": {"description": "What a page of the site that asks may send."}, **gone}
    if method == "head":
        return {"200": {"description": "The webhook is here."}, **gone}
    about = answers.webhook(program.flow, program.accept)
    content: dict[str, Any] = {"application/json": {"example": msgspec.json.decode(about.body)}}
    greets = program.guard is not None and "verify" in program.guard.secrets
    if greets:
        content["text/plain"] = {"schema": {"type": "string"}}
    wrong = {"403": _told([answers.WRONG_TOKEN])} if greets else {}
    return {"200": {"description": "The webhook is here.", "content": content}, **wrong, **gone}
