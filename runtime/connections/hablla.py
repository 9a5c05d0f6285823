"""The connection `hablla`: persons and templates of one workspace of the Brazilian CRM.

Hablla publishes no reference of its API. Paths, bodies and errors are those of github.com/gabrielbarbosel/hablla-sdk
(src/generator/openapi.json, July 2026), which took them from Hablla's own swagger and web application.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from runtime.connections.asking import LIMIT, Answer, Asks
from runtime.connections.lost import nothing_sent_yet, sent_for_all_we_know
from runtime.connections.person import Person
from runtime.failures import Kind, StepFailure
from runtime.functions.format_phone import both_forms, match_key

URL: Final = "https://api.hablla.com"
FAILURES: Final = ("hablla", "in_service", "template")

_SENDS: Final = "/messages-templates"
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


class _Named(_Known, frozen=True):
    name: str = ""


class _Listed(msgspec.Struct, frozen=True):
    """Templates, or tags."""

    results: tuple[_Named, ...]


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
    """One workspace. `access` is a workspace token, which is sent as it is, or a login, which is exchanged for one.

    `limit` is seconds for one request and its answer.
    """

    def __init__(self, http: Asks, workspace: str, access: str | Login, url: str = URL, limit: float = LIMIT) -> None:
        self._http = http
        self._limit = limit
        self._root = url.rstrip("/")
        self._base = f"{self._root}/v1/workspaces/{workspace}"
        self._access = access
        self._bearer: str | None = None  # of a login, until Hablla no longer takes it
        self._one_login = asyncio.Lock()
        self._templates: dict[tuple[str, str], str] = {}  # connection and name -> id
        self._tags: dict[str, str] = {}  # name -> id

    # --- persons

    async def find_person(self, *, phone: str | None = None, email: str | None = None) -> Person | None:
        """The person of a phone (E.164, in either form), or of an email where there is no phone. Raises StepFailure."""
        found = await self._find(phone, email)
        return None if found is None else found.seen()

    async def upsert_person(
        self,
        *,
        phone: str | None = None,
        email: str | None = None,
        name: str | None = None,
        known_by: Literal["phone", "email"] = "phone",
    ) -> Person:
        """Give the person of a phone or email, made where there is none. What is None leaves what is known.

        `known_by="email"` looks by email even where a phone is given too. Hablla asks for a name: a new person without
        one is called by phone or email. Raises StepFailure: `phone_taken` when the person of an email would get the
        phone of another.
        """
        by_email = known_by == "email" and email is not None
        known = await self._find(None if by_email else phone, email) or _Person()
        if by_email and phone is not None and await self._is_of_another(phone, known):
            raise StepFailure("phone_taken", "the person is known by email, and the phone is another person's")
        phones, emails = [*known.phones], [*known.emails]
        if phone is not None and known.phone(phone) is None:
            phones.append({"phone": phone.removeprefix("+"), "is_whatsapp": True, "type": "personal"})
        if email is not None and known.email(email) is None:
            emails.append({"email": email})
        body = {"name": name or known.name or phone or email, "phones": phones, "emails": emails}
        made = await self._call("POST", f"{self._base}/persons/create-or-update", _Person, body)
        return Person(made.id, made.name, made.phone(phone) or phone, made.email(email) or email)

    async def _is_of_another(self, phone: str, person: _Person) -> bool:
        found = await self._find(phone, None)
        return found is not None and found.id != person.id

    async def _find(self, phone: str | None, email: str | None) -> _Person | None:
        if phone is None:
            return next((one for one in await self._list({"email": email or ""}) if one.email(email)), None)
        for form in both_forms(phone):
            for one in await self._list({"phone": form.removeprefix("+")}):
                if one.phone(phone) is not None:
                    return one
        return None

    async def _list(self, query: Mapping[str, str]) -> tuple[_Person, ...]:
        return (await self._call("GET", f"{self._base}/persons?{urlencode(query)}", _Persons)).results

    async def tag_person(self, person: str, tag: str) -> None:
        """Give the person of an id a tag of the workspace, by its name. Raises StepFailure: `no_tag` for none such."""
        number = await self._tag(tag)
        try:
            await self._acknowledged("PUT", f"{self._base}/persons/{person}/add-tags", {"tags": [number]})
        except StepFailure:
            self._tags.pop(tag, None)  # it may have been made anew, under another id
            raise

    async def _tag(self, name: str) -> str:
        if name not in self._tags:
            listed = await self._call("GET", f"{self._base}/tags?{urlencode({'name': name})}", _Listed)
            self._tags |= {one.name: one.id for one in listed.results}
        if name not in self._tags:
            raise StepFailure("no_tag", f'Hablla has no tag "{name}": make it there')
        return self._tags[name]

    # --- templates

    async def send_template(  # noqa: PLR0913  # a message is all of these
        self,
        person: Person,
        name: str,
        params: Mapping[str, Any],
        *,
        header: Iterable[Any] = (),
        connection: str,
        sector: str,
    ) -> str:
        """Send a template over one of the workspace's connections, from one of its sectors; the message's id.

        The parameters go in their order, into its body and its header. Raises StepFailure: `in_service` where somebody
        talks to the person already, `template` where the connection has none of that name.
        """
        with nothing_sent_yet():
            template = await self._template(connection, name)
        to = {"key": (person.phone or "").removeprefix("+"), "type": "whatsapp", "person": person.id}
        examples = {"body": [str(value) for value in params.values()], "header": [str(value) for value in header]}
        body = {"template": template, "sector": sector, "examples": examples, "to": to}
        url = f"{self._base}/connections/{connection}{_SENDS}"
        try:
            with sent_for_all_we_know():
                return (await self._call("POST", url, _Known, body)).id
        except StepFailure:
            self._templates.pop((connection, name), None)  # it may have been made anew, under another id
            raise

    async def _template(self, connection: str, name: str) -> str:
        if (connection, name) not in self._templates:
            listed = await self._call("GET", f"{self._base}/connections/{connection}/templates", _Listed)
            self._templates |= {(connection, one.name): one.id for one in listed.results}
        found = self._templates.get((connection, name))
        if found is None:
            raise StepFailure("template", f'Hablla has no template "{name}" for the connection {connection}')
        return found

    # --- requests

    async def _call(self, method: str, url: str, kind: type[T], body: Mapping[str, Any] | None = None) -> T:
        """One request and what its answer says."""
        return _read(await self._acknowledged(method, url, body), kind)

    async def _acknowledged(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One request and its answer; a token that ran out is fetched anew, once."""
        refused = await self._authorization()
        answer = await self._send(method, url, body, refused)
        if answer.status == 401 and isinstance(self._access, Login):
            answer = await self._send(method, url, body, await self._authorization(refused))
        _refuse_unauthorized(answer)
        return answer

    async def _authorization(self, refused: str | None = None) -> str:
        """What signs a request in; `refused` is what Hablla no longer takes. All that wait share one login."""
        if isinstance(self._access, str):
            return self._access
        async with self._one_login:
            if self._bearer is None or self._bearer == refused:
                self._bearer = f"Bearer {await self._log_in(self._access)}"
            return self._bearer

    async def _log_in(self, login: Login) -> str:
        url, body = f"{self._root}/v1/authentication/login", msgspec.to_builtins(login)
        with nothing_sent_yet():
            return _read(await self._send("POST", url, body, None), _Token).access_token

    async def _send(self, method: str, url: str, body: Mapping[str, Any] | None, authorization: str | None) -> Answer:
        headers = {"User-Agent": "seta/0.1"}
        if authorization is not None:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else _encode(body)
        answer = await self._http.ask(method, url, headers, content, limit=self._limit, any_status=True)
        if answer.is_success or answer.status == 401:
            return answer
        raise self._refusal(url, answer)

    def _refusal(self, url: str, answer: Answer) -> StepFailure:
        told = _told(answer)
        if told.error_code == _IN_SERVICE or (url.endswith(_SENDS) and answer.status == 409):
            return StepFailure("in_service", f"Hablla refused: {told.message or 'the person is in a service'}")
        return self._http.refusal(url, answer, told.message)


def _refuse_unauthorized(answer: Answer) -> None:
    if answer.status == 401:
        raise StepFailure("hablla", f"Hablla does not take our credentials: {_told(answer).message}")


def _read(answer: Answer, kind: type[T]) -> T:
    _refuse_unauthorized(answer)
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StepFailure("no_answer", f"Hablla's answer is not understood: {error}", Kind.TRANSIENT) from error


def _told(answer: Answer) -> _Refused:
    try:
        return msgspec.json.decode(answer.content, type=_Refused)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Refused()


def _digits(phone: object) -> str:
    return "".join(filter(str.isdigit, str(phone or "")))
