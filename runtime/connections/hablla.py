"""The connection `hablla`: persons and templates of one workspace of the Brazilian CRM.

Hablla publishes no reference of its API. Paths, bodies and errors are those of github.com/gabrielbarbosel/hablla-sdk
(src/generator/openapi.json, July 2026), which took them from Hablla's own swagger and web application.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import httpx
import msgspec

from runtime.connections.http import HttpClient
from runtime.connections.person import Person
from runtime.failures import Kind, StepFailure
from runtime.functions.format_phone import both_forms, match_key

URL: Final = "https://api.hablla.com"
FAILURES: Final = ("hablla", "in_service", "template")

_IN_SERVICE: Final = 136  # errorCode of a person who is talking to somebody already


class _Known(msgspec.Struct, frozen=True):
    """What has an id: its name in JSON differs from answer to answer."""

    plain: str = msgspec.field(name="id", default="")
    underlined: str = msgspec.field(name="_id", default="")

    @property
    def id(self) -> str:
        return self.plain or self.underlined


class _Person(_Known, frozen=True):
    """Phones and emails are kept as they came, so that nothing of them is lost when they are sent back."""

    name: str | None = None
    phones: tuple[Mapping[str, Any], ...] = ()
    emails: tuple[Mapping[str, Any], ...] = ()

    def phone(self, like: str | None) -> str | None:
        """The phone in E.164 that is another one, in whichever form; or the first."""
        known = [f"+{digits}" for one in self.phones if (digits := _digits(one.get("phone")))]
        same = (one for one in known if like is None or match_key(one) == match_key(like))
        return next(same, None)

    def email(self, like: str | None) -> str | None:
        """The email that is another one but for capitals; or the first."""
        known = [str(one["email"]) for one in self.emails if one.get("email")]
        return next((one for one in known if like is None or one.casefold() == like.casefold()), None)

    def seen(self) -> Person:
        """The person as flows see it."""
        return Person(self.id, self.name, self.phone(None), self.email(None))


class _Persons(msgspec.Struct, frozen=True):
    results: tuple[_Person, ...]


class _Template(_Known, frozen=True):
    name: str = ""


class _Templates(msgspec.Struct, frozen=True):
    results: tuple[_Template, ...]


class _Token(msgspec.Struct, frozen=True, rename="camel"):
    access_token: str


class _Refused(msgspec.Struct, frozen=True, rename="camel"):
    message: str = ""
    error_code: int | None = None


T = TypeVar("T")

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Login(msgspec.Struct, frozen=True):
    """A person's own account, which templates are sent with."""

    email: str
    password: str


class Hablla:
    """One workspace. `access` is a workspace token, which is sent as it is, or a login, which is exchanged for one."""

    def __init__(self, http: HttpClient, workspace: str, access: str | Login, url: str = URL) -> None:
        self._http = http
        self._root = url.rstrip("/")
        self._base = f"{self._root}/v1/workspaces/{workspace}"
        self._access = access
        self._bearer: str | None = None  # of a login, until Hablla no longer takes it
        self._templates: dict[tuple[str, str], str] = {}  # connection and name -> id

    # --- persons

    async def find_person(self, *, phone: str | None = None, email: str | None = None) -> Person | None:
        """The person of a phone (E.164, in either form), or of an email where there is no phone. Raises StepFailure."""
        found = await self._find(phone, email)
        return None if found is None else found.seen()

    async def upsert_person(
        self, *, phone: str | None = None, email: str | None = None, name: str | None = None
    ) -> Person:
        """Give the person of a phone or email, made where there is none. What is None leaves what is known.

        Hablla asks for a name: a new person without one is called by phone or email. Raises StepFailure.
        """
        known = await self._find(phone, email) or _Person()
        phones, emails = [*known.phones], [*known.emails]
        if phone is not None and known.phone(phone) is None:
            phones.append({"phone": phone.removeprefix("+"), "is_whatsapp": True, "type": "personal"})
        if email is not None and known.email(email) is None:
            emails.append({"email": email})
        body = {"name": name or known.name or phone or email, "phones": phones, "emails": emails}
        made = await self._call("POST", f"{self._base}/persons/create-or-update", _Person, body)
        return Person(made.id, made.name, made.phone(phone) or phone, made.email(email) or email)

    async def _find(self, phone: str | None, email: str | None) -> _Person | None:
        if phone is None:
            return next((one for one in await self._list({"email": email or ""}) if one.email(email)), None)
        for form in both_forms(phone):
            for one in await self._list({"phone": form.removeprefix("+")}):
                if one.phone(phone) is not None:
                    return one
        return None

    async def _list(self, query: Mapping[str, str]) -> tuple[_Person, ...]:
        url = httpx.URL(f"{self._base}/persons", params=query)
        return (await self._call("GET", str(url), _Persons)).results

    # --- templates

    async def send_template(
        self, person: Person, name: str, params: Mapping[str, Any], *, connection: str, sector: str
    ) -> str:
        """Send a template over one of the workspace's connections, from one of its sectors; the message's id.

        The parameters go in their order. Raises StepFailure: `in_service` where somebody talks to the person already,
        `template` where the connection has none of that name.
        """
        with _nothing_sent_yet():
            template = await self._template(connection, name)
        to = {"key": (person.phone or "").removeprefix("+"), "type": "whatsapp", "person": person.id}
        examples = {"body": [str(value) for value in params.values()], "header": []}
        body = {"template": template, "sector": sector, "examples": examples, "to": to}
        url = f"{self._base}/connections/{connection}/messages-templates"
        try:
            return (await self._call("POST", url, _Known, body)).id
        except StepFailure:
            self._templates.pop((connection, name), None)  # it may have been made anew, under another id
            raise

    async def _template(self, connection: str, name: str) -> str:
        if (connection, name) not in self._templates:
            listed = await self._call("GET", f"{self._base}/connections/{connection}/templates", _Templates)
            self._templates |= {(connection, one.name): one.id for one in listed.results}
        found = self._templates.get((connection, name))
        if found is None:
            raise StepFailure("template", f'Hablla has no template "{name}" for the connection {connection}')
        return found

    # --- requests

    async def _call(self, method: str, url: str, kind: type[T], body: Mapping[str, Any] | None = None) -> T:
        """One request and its answer; a token that ran out is fetched anew, once."""
        response = await self._send(method, url, body, await self._authorization())
        if response.status_code == 401 and isinstance(self._access, Login):
            self._bearer = None
            response = await self._send(method, url, body, await self._authorization())
        return _read(response, kind)

    async def _authorization(self) -> str:
        if isinstance(self._access, str):
            return self._access
        if self._bearer is None:
            url, body = f"{self._root}/v1/authentication/login", msgspec.to_builtins(self._access)
            with _nothing_sent_yet():
                token = _read(await self._send("POST", url, body, None), _Token).access_token
            self._bearer = f"Bearer {token}"
        return self._bearer

    async def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, authorization: str | None
    ) -> httpx.Response:
        headers = {"User-Agent": "seta/0.1"}
        if authorization is not None:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else _encode(body)
        request = httpx.Request(method, url, headers=headers, content=content)
        response = await self._http.send(request, any_status=True)
        if response.is_success or response.status_code == 401:
            return response
        raise self._refusal(request, response)

    def _refusal(self, request: httpx.Request, response: httpx.Response) -> StepFailure:
        told = _told(response)
        if response.status_code == 409 or told.error_code == _IN_SERVICE:
            return StepFailure("in_service", f"Hablla refused: {told.message or 'the person is in a service'}")
        return self._http.refusal(request, response, told.message)


@contextmanager
def _nothing_sent_yet() -> Iterator[None]:
    """What fails before the effect's own request leaves no doubt: the effect did not happen."""
    try:
        yield
    except StepFailure as failure:
        if failure.kind is Kind.TRANSIENT:
            failure.kind = Kind.NOT_DONE
        raise


def _read(response: httpx.Response, kind: type[T]) -> T:
    if response.status_code == 401:
        raise StepFailure("hablla", f"Hablla does not take our credentials: {_told(response).message}")
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StepFailure("no_answer", f"Hablla's answer is not understood: {error}", Kind.TRANSIENT) from error


def _told(response: httpx.Response) -> _Refused:
    try:
        return msgspec.json.decode(response.content, type=_Refused)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Refused()


def _digits(phone: object) -> str:
    return "".join(filter(str.isdigit, str(phone or "")))
