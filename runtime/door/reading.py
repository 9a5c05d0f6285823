"""Which kind of body came, whether its flow takes it, and what of it is kept."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from runtime.door import answers
from runtime.door.answers import Refused
from runtime.door.arriving import Content
from runtime.door.bodies import decode, opens_as_json
from runtime.door.forms import path_of, read_form
from runtime.door.hooks import Hook
from runtime.door.parts import read_parts
from runtime.door.texts import UnreadableError, charset_of, read_text
from runtime.shapes import Decoded, MisfitError, NotJsonError, Problem, of_form

_FORM: Final = b"application/x-www-form-urlencoded"
_MULTIPART: Final = b"multipart/form-data"
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Taken(NamedTuple):
    """A body that its flow takes. `kept` is JSON, whatever came: it is what the journal holds and later reads."""

    decoded: Decoded
    kept: bytes
    form: bool = False


class Unfit(Refused):
    """A body is readable, but not what its flow declares. `kept` and `form` are as in `Taken`."""

    def __init__(self, flow: str, kept: bytes, problems: list[Problem], *, form: bool) -> None:
        super().__init__(answers.misfit(flow, problems))
        self.kept = kept
        self.problems = problems
        self.form = form


def has_files(hook: Hook, content_type: bytes) -> bool:
    """Whether a body is a form with files, which its flow takes."""
    return "multipart" in hook.program.accept and content_type.partition(b";")[0].strip().lower() == _MULTIPART


def take(hook: Hook, body: Content, content_type: bytes) -> Taken:
    """Read a body as what it is. Raises Refused where it is of no kind that the flow takes, Unfit where of one."""
    accept, payload = hook.program.accept, hook.program.payload
    kind = kind_of(accept, body, content_type) if isinstance(body, bytes) else "multipart"
    if kind not in accept:
        raise Refused(answers.unaccepted(hook.flow, kind, accept))
    form = kind not in ("json", "text")
    kept = b""
    try:
        if kind == "json":
            kept = bytes(body)
            return Taken(decode(payload, hook.screen, kept), kept)
        fields = _read(hook, kind, body, content_type)
        kept = msgspec.json.encode(fields)
        return Taken(payload.read(of_form(fields)) if form else payload.decode(kept), kept, form)
    except (NotJsonError, UnreadableError) as error:
        raise Refused(answers.unreadable(hook.flow, kind, str(error))) from None
    except MisfitError as misfit:
        raise Unfit(hook.flow, kept, misfit.problems, form=form) from None


def kind_of(accept: Sequence[str], body: bytes, content_type: bytes) -> str:
    """The kind of a body: what begins as JSON is JSON, whatever it is said to be, except of multipart.

    Where a flow takes text, everything is text that is of no other kind which it takes.
    """
    media = content_type.partition(b";")[0].strip().lower()
    if media == _MULTIPART:
        return "multipart"
    found = "json" if opens_as_json(body) else _said(accept, media)
    if found not in accept and "text" in accept:
        return "text"
    if found == "text" not in accept and (body.isspace() or not body or body.startswith(_BYTE_ORDER_MARKS)):
        return "json"  # whose reader says what is wrong with it
    return found


def _said(accept: Sequence[str], media: bytes) -> str:
    """The kind that a media type names; without one, what the flow takes."""
    if not media:
        return next((kind for kind in ("text", "json", "form") if kind in accept), "text")
    if media == _FORM:
        return "form"
    return "json" if media in (b"application/json", b"text/json") or media.endswith(b"+json") else "text"


def _read(hook: Hook, kind: str, body: Content, content_type: bytes) -> str | dict[str, Any]:
    match kind:
        case "text":
            return read_text(bytes(body), charset_of(content_type))
        case "form":
            return read_form(bytes(body), charset_of(content_type))
        case _:
            return read_parts(body, content_type, partial(_takes_content, hook.program.payload.schema))


def _takes_content(schema: Mapping[str, Any], name: str) -> bool:
    """Whether a file in this field of a form has a key for its content, by what the flow declares."""
    at = schema
    for key in (*path_of(name), None):
        at = next((one for one in at.get("anyOf", ()) if "type" in one), at)
        if at.get("type") == "array" and (key is None or key == "" or key.isdecimal()):
            at = at["items"]
        elif key is not None:
            at = at.get("properties", {}).get(key, {})
    return "base64" in at.get("properties", {})
