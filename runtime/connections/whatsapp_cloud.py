"""The connection `whatsapp_cloud`: template messages over Meta's Cloud API.

Shapes: https://github.com/facebook/openapi, business-messaging-api_v23.0.yaml. The API takes no idempotency key, so a
message whose answer was lost may have been sent.
"""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import msgspec

from runtime.connections.asking import LIMIT, Answer, Asks
from runtime.connections.lost import sent_for_all_we_know
from runtime.connections.whatsapp_templates import Listed, read_page
from runtime.failures import Kind, StepFailure

logger = logging.getLogger("seta.connections")

URL: Final = "https://graph.facebook.com/v23.0"

_MOST_PAGES: Final = 100  # of 100 templates: far more than an account may have
_LARGEST_PAGE: Final = 10_000_000  # bytes

_MINUTES: Final = 120.0  # s: call limits are counted over minutes and more
_PAIR: Final = 6.0  # s: one message to one user in so many, beyond a burst

# What Meta's codes say of a message that it refused:
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
_REPEATED: Final[Mapping[int, float | None]] = {  # nothing was sent, and a repeat may help -> after so many seconds
    1: None,
    2: None,
    4: _MINUTES,
    80007: _MINUTES,
    130429: None,
    131000: None,
    131016: None,
    131056: _PAIR,
    131057: None,
}
OPTED_OUT: Final = "opted_out"
UNDELIVERABLE: Final = "undeliverable"
_NOT_THERE: Final = 131026
_FAILURES: Final[Mapping[str, tuple[int, ...]]] = {  # nothing was sent, and a repeat gives the same
    OPTED_OUT: (131050,),
    UNDELIVERABLE: (_NOT_THERE, 130472, 131049),
    "template": (132000, 132001, 132005, 132007, 132012, 132015, 132016),
    "account": (0, 3, 10, 190, 368, 130497, 131031, 131042, 131048, 133016, *range(200, 300)),
}
_ALERTING: Final = ("account",)  # every message after it fails alike: a person has to look
_CODES: Final = {number: code for code, numbers in _FAILURES.items() for number in numbers}
FAILURES: Final = (*sorted(_FAILURES), "whatsapp_CODE")


_BODY_ONLY: Final[Mapping[str, str]] = {}
_LOCATION: Final = "header.location."
_BUTTONS: Final[Mapping[str, tuple[str, str, str]]] = {  # sub_type, type and key of the parameter
    "url": ("url", "text", "text"),
    "payload": ("quick_reply", "payload", "payload"),
    "code": ("copy_code", "coupon_code", "coupon_code"),
}


class NotThere(StepFailure):
    """No account takes the message under that number: there is none, or it blocks or cannot show it."""


class Sent(msgspec.Struct, frozen=True):
    """A message that WhatsApp has taken; whether it arrives is told later, by a webhook of Meta's."""

    id: str
    wa_id: str  # the account of the recipient, which may lack the ninth digit that the phone has
    status: str = "accepted"


class _Contact(msgspec.Struct, frozen=True):
    wa_id: str


class _Message(msgspec.Struct, frozen=True):
    id: str
    message_status: str = "accepted"


class _Taken(msgspec.Struct, frozen=True):
    contacts: tuple[_Contact, ...]
    messages: tuple[_Message, ...]


class _Details(msgspec.Struct, frozen=True):
    details: str = ""


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str = ""
    error_data: _Details = _Details()


class _Refused(msgspec.Struct, frozen=True):
    error: _Error


_read_taken = msgspec.json.Decoder(_Taken).decode
_read_refused = msgspec.json.Decoder(_Refused).decode


class WhatsAppCloud:
    """One phone number of a business. `limit` is seconds for one request and its answer."""

    def __init__(self, http: Asks, number_id: str, token: str, url: str = URL, limit: float = LIMIT) -> None:
        self._http = http
        self._limit = limit
        self._root = url.rstrip("/")
        self._address = f"{self._root}/{number_id}/messages"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": "seta/0.1",
        }

    async def send_template(
        self, to: str, name: str, language: str, params: Mapping[str, Any], parts: Mapping[str, str] = _BODY_ONLY
    ) -> Sent:
        """Send a template to a phone in E.164.

        `params` are numbered ones under "1", "2", …, or named ones; `parts` says of those that do not go into the body
        where they go (compiler.catalog.TemplateParam). Raises StepFailure: NOT_DONE for what Meta refused and may take
        later, PERMANENT for what it will refuse again, NotThere where another number may do, TRANSIENT where nobody can
        tell whether it was sent.
        """
        body = msgspec.json.encode(message(to, name, language, params, parts))
        with sent_for_all_we_know():
            answer = await self._http.ask(
                "POST", self._address, self._headers, body, limit=self._limit, any_status=True
            )
        if not answer.is_success:
            raise self._refusal(self._address, answer, "the message")
        try:
            taken = _read_taken(answer.content)
            return Sent(taken.messages[0].id, taken.contacts[0].wa_id, taken.messages[0].message_status)
        except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
            raise StepFailure("no_answer", f"WhatsApp's answer is not understood: {error}", Kind.TRANSIENT) from error

    async def templates(self, account: str) -> list[Listed]:
        """The approved templates of a WhatsApp Business account, in all languages. Raises StepFailure."""
        found: list[Listed] = []
        address = f"{self._root}/{account}/message_templates?fields=name,language,status,components&limit=100"
        url = address
        for _ in range(_MOST_PAGES):
            answer = await self._http.ask(
                "GET", url, self._headers, limit=self._limit, cap=_LARGEST_PAGE, any_status=True
            )
            if not answer.is_success:
                raise self._refusal(address, answer, "to list its templates")
            try:
                page, after = read_page(answer.content)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise StepFailure("no_answer", f"WhatsApp's answer is not understood: {error}") from error
            found += page
            if not after:
                return found
            url = f"{address}&after={quote(after, safe='')}"
        raise StepFailure("no_answer", f"WhatsApp lists more than {_MOST_PAGES} pages of templates")

    def _refusal(self, url: str, answer: Answer, what: str) -> StepFailure:
        """What Meta's error says; its code counts, not the status (a call limit, for one, is a 400)."""
        try:
            told = _read_refused(answer.content).error
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._http.refusal(url, answer, "")
        message = f"WhatsApp refused {what}: {told.error_data.details or told.message} (code {told.code})"
        if told.code in _REPEATED:
            return StepFailure(f"whatsapp_{told.code}", message, Kind.NOT_DONE, _REPEATED[told.code])
        code = _CODES.get(told.code, f"whatsapp_{told.code}")
        if code in _ALERTING:
            logger.error("no message goes to WhatsApp until somebody looks at the account: %s", message)
        return NotThere(code, message) if told.code == _NOT_THERE else StepFailure(code, message)


def message(
    to: str, name: str, language: str, params: Mapping[str, Any], parts: Mapping[str, str] = _BODY_ONLY
) -> dict[str, Any]:
    """The body of a request. Raises StepFailure for parameters of which some are numbered and some are named."""
    placed = {key: parts.get(key, "") for key in params}
    body = {key: value for key, value in params.items() if not placed[key]}
    located = {part.removeprefix(_LOCATION): key for key, part in placed.items() if part.startswith(_LOCATION)}
    components: list[Mapping[str, Any]] = [
        _component(part, key, params[key]) for key, part in placed.items() if part and not part.startswith(_LOCATION)
    ]
    if located:
        location = {name: _text(params[key]) for name, key in located.items()}
        components.append({"type": "header", "parameters": [{"type": "location", "location": location}]})
    if body:
        components.append({"type": "body", "parameters": _parameters(body)})
    template = {"name": name, "language": {"code": language}, "components": components}
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": template,
    }


def _component(part: str, name: str, value: Any) -> Mapping[str, Any]:
    """A header or a button. The text of a header has a name where Meta knows it by one, and none as the number 1."""
    match part.split("."):
        case ["header", "text"]:
            named = {} if name == "header" or name.isdigit() else {"parameter_name": name}
            return {"type": "header", "parameters": [{"type": "text", **named, "text": _text(value)}]}
        case ["header", kind]:
            return {"type": "header", "parameters": [{"type": kind, kind: {"link": _text(value)}}]}
        case [_, index, kind]:
            sub_type, given, key = _BUTTONS[kind]
            parameter = {"type": given, key: _text(value)}
            return {"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}
        case _:
            raise ValueError(part)


def _parameters(params: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    numbered = [name for name in params if name.isascii() and name.isdigit()]
    if not numbered:
        return [{"type": "text", "parameter_name": name, "text": _text(value)} for name, value in params.items()]
    order = sorted(numbered, key=int)
    if len(numbered) < len(params) or [int(name) for name in order] != list(range(1, len(order) + 1)):
        known = ", ".join(params)
        raise StepFailure("template", f"numbered parameters are 1, 2, … without a gap, and nothing else: {known}")
    return [{"type": "text", "text": _text(params[name])} for name in order]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
