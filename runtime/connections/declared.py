"""Connections as `[connections.NAME]` in seta.toml declares them: what they are, and where their secrets are.

A kind is a struct of its own. `does` says what verbs may ask of it; the verbs that it does are in `runtime.steps`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Literal, get_args
from unicodedata import normalize
from urllib.parse import urlsplit

import msgspec

from runtime.connections import hablla, pace, whatsapp_cloud

Encoding = Literal["json", "form", "text"]

LONGEST: Final = 120.0  # s; the engine's last net for one attempt
LARGEST: Final = 64 * 1024**2  # bytes
MOST_REDIRECTS: Final = 5

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_BYTES: Final = {"kb": 1024, "mb": 1024**2}
_FASTEST: Final = 1000  # messages a second of a number, after Meta has raised it
_PLACE: Final = re.compile(r"(env|file):.+")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
_ID: Final = re.compile(r"[0-9a-f]{24}")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAME: Final = re.compile(r"[^\W\d][\w\u0300-\u036f]*")
_OURS: Final = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "idempotency-key",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


class Bearer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bearer"):
    """`Authorization: Bearer …`."""

    token: str

    def __post_init__(self) -> None:
        _is_place("token", self.token)


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="basic"):
    """`Authorization: Basic …`. The user may be text of the file too: a colon, as in `env:NAME`, can be in no user."""

    user: str
    password: str = ""

    def __post_init__(self) -> None:
        if ":" in self.user:
            _is_place("user", self.user)
        if self.password:
            _is_place("password", self.password)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="header"):
    """Headers of the service's own, each with a secret."""

    headers: dict[str, str]

    def __post_init__(self) -> None:
        for name, place in self.headers.items():
            _is_header(name)
            _is_place(name, place)


Auth = Bearer | Basic | Header


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="token"):
    """`Authorization: …`, with nothing before the token."""

    token: str

    def __post_init__(self) -> None:
        _is_place("token", self.token)


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="login"):
    """A person's own account, which is exchanged for a token. The email may be text of the file too."""

    email: str
    password: str

    def __post_init__(self) -> None:
        if ":" in self.email:
            _is_place("email", self.email)
        _is_place("password", self.password)


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="http"):
    """A web service: where it is, how it is signed in to, and how it wants to be spoken to."""

    does: ClassVar[tuple[str, ...]] = ("http",)

    url: str
    headers: dict[str, str] = {}
    auth: Auth | None = None
    timeout: str = "15s"  # for one request and its answer
    idempotent: bool = False
    encoding: Encoding = "json"
    max_answer: str = "1mb"  # decoded
    redirects: int = 0  # that are followed, one after the other

    def __post_init__(self) -> None:
        _is_base(self.url)
        for name, value in self.headers.items():
            _is_header(name)
            _is_plain(name, value)
        _seconds(self.timeout)
        if not 0 < self.cap <= LARGEST:
            raise ValueError(f"`max_answer` is more than nothing and at most 64mb, not {self.max_answer!r}")
        if not 0 <= self.redirects <= MOST_REDIRECTS:
            raise ValueError(f"`redirects` is how many are followed, 0 to {MOST_REDIRECTS}, not {self.redirects}")

    @property
    def seconds(self) -> float:
        """For one request and its answer."""
        return _seconds(self.timeout)

    @property
    def cap(self) -> int:
        """Bytes of an answer, decoded."""
        return int(_measure("max_answer", self.max_answer, _BYTES, "500kb or 5mb"))

    @property
    def in_headers(self) -> bool:
        """Whether its secrets become headers as they are; those of `basic` are encoded before."""
        return not isinstance(self.auth, Basic)

    def places(self) -> Iterator[str]:
        """Where its secrets are: `env:NAME` or `file:PATH`."""
        match self.auth:
            case Bearer(token=token):
                yield token
            case Basic(user=user, password=password):
                yield from (text for text in (user, password) if ":" in text)
            case Header(headers=headers):
                yield from headers.values()
            case None:
                return


class WhatsAppCloud(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="whatsapp_cloud"):
    """A phone number of a business, from which Meta's Cloud API sends templates."""

    does: ClassVar[tuple[str, ...]] = ("messages", "buttons", "locations")
    idempotent: ClassVar[bool] = False
    in_headers: ClassVar[bool] = True

    number_id: str  # Meta's id of the number, not the number itself
    token: str
    language: str = "pt_BR"  # of templates that the catalog file does not list
    per_second: int = pace.PER_SECOND  # messages that Meta takes from the number
    account: str = ""  # Meta's id of the WhatsApp Business account, which `seta catalog pull` asks for templates
    other_form: bool = False  # of a Brazilian mobile that Meta does not reach is tried too
    url: str = whatsapp_cloud.URL
    timeout: str = "15s"  # for one request and its answer

    def __post_init__(self) -> None:
        _is_base(self.url)
        _is_place("token", self.token)
        _seconds(self.timeout)
        if not (self.number_id.isascii() and self.number_id.isdigit()):
            raise ValueError(f"`number_id` is Meta's id of the phone number, all digits, not {self.number_id!r}")
        if self.account and not (self.account.isascii() and self.account.isdigit()):
            raise ValueError(f"`account` is Meta's id of the business account, all digits, not {self.account!r}")
        if not 0 < self.per_second <= _FASTEST:
            raise ValueError(f"`per_second` is what Meta takes from the number, 1 to {_FASTEST}, not {self.per_second}")
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"`language` is written as WhatsApp does, such as pt_BR or es, not {self.language!r}")

    @property
    def seconds(self) -> float:
        """For one request and its answer."""
        return _seconds(self.timeout)

    def places(self) -> Iterator[str]:
        """Where its secret is."""
        yield self.token


class Hablla(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hablla"):
    """A workspace of Hablla: its persons, and templates over one of the channels that it has itself."""

    idempotent: ClassVar[bool] = False

    workspace: str
    auth: Token | Login
    channel: str = ""  # Hablla calls it a connection; without one, no templates are sent
    sector: str = ""  # in whose name they are sent
    url: str = hablla.URL
    timeout: str = "15s"  # for one request and its answer; a step may take several

    def __post_init__(self) -> None:
        _is_base(self.url)
        _seconds(self.timeout)
        _is_id("workspace", self.workspace)
        if bool(self.channel) != bool(self.sector):
            raise ValueError("`channel` and `sector` go together: templates are sent over the one and from the other")
        if self.channel:
            _is_id("channel", self.channel)
            _is_id("sector", self.sector)

    @property
    def does(self) -> tuple[str, ...]:
        """What verbs may ask of it."""
        return ("persons", "tags", "messages") if self.channel else ("persons", "tags")

    @property
    def in_headers(self) -> bool:
        """Whether its secrets become headers as they are."""
        return isinstance(self.auth, Token)

    @property
    def seconds(self) -> float:
        """For one request and its answer."""
        return _seconds(self.timeout)

    def places(self) -> Iterator[str]:
        """Where its secrets are: `env:NAME` or `file:PATH`."""
        match self.auth:
            case Token(token=token):
                yield token
            case Login(email=email, password=password):
                yield from (text for text in (email, password) if ":" in text)


class Local(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="local"):
    """The server's own persons and outbox."""

    does: ClassVar[tuple[str, ...]] = ("persons", "tags", "keys", "messages", "buttons", "locations")

    idempotent: ClassVar[bool] = False
    in_headers: ClassVar[bool] = False
    url: ClassVar[str] = ""

    def places(self) -> Iterator[str]:
        """It has no secrets."""
        return iter(())


Service = WhatsAppCloud | Hablla  # those with a client of their own
Connection = Http | WhatsAppCloud | Hablla | Local
KINDS: Final[tuple[str, ...]] = tuple(str(kind.__struct_config__.tag) for kind in get_args(Connection))


def check(tables: object) -> None:
    """Read each table on its own. Raises ValueError, whose message names the table and says what is wrong in it."""
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if not _NAME.fullmatch(name) or normalize("NFC", name) != name:
            raise ValueError(f"[connections.{name}]: the name is for `via`: letters, digits and _, and no digit first")
        kind = table.get("kind") if isinstance(table, dict) else None
        if kind not in KINDS:
            *first, last = (f'"{known}"' for known in KINDS)
            kinds = f"{', '.join(first)} or {last}"
            raise ValueError(f"[connections.{name}]: `kind` is {kinds}" + (f", not {kind!r}" if kind else ""))
        try:
            msgspec.convert(table, Connection)
        except msgspec.ValidationError as error:
            raise ValueError(f"[connections.{name}]: {error}") from error


def _seconds(text: str) -> float:
    seconds = _measure("timeout", text, _SECONDS, "15s or 800ms")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"`timeout` is more than nothing and at most {LONGEST:g}s, not {text!r}")
    return seconds


def _measure(what: str, text: str, units: Mapping[str, float], such_as: str) -> float:
    found = re.fullmatch(r"([0-9]{1,9})([a-z]+)", text)
    if found is None or found[2] not in units:
        raise ValueError(f"`{what}` is written like {such_as}, not {text!r}")
    return int(found[1]) * units[found[2]]


def _is_place(what: str, text: str) -> None:
    if not _PLACE.fullmatch(text):
        raise ValueError(f"`{what}` says where the secret is, as env:NAME or file:PATH; it never holds it")


def _is_id(what: str, text: str) -> None:
    if not _ID.fullmatch(text):
        raise ValueError(f"`{what}` is an id of Hablla's, 24 digits of 0-9 and a-f, not {text!r}")


def _is_header(name: str) -> None:
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if name.lower() in _OURS:
        raise ValueError(f"the header {name} is set by Seta itself")


def _is_plain(name: str, value: str) -> None:
    if name.lower() in ("authorization", "cookie", "proxy-authorization") or _PLACE.fullmatch(value):
        raise ValueError(f"the header {name} is a secret: it belongs to `auth`")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"the value of the header {name} is printable ASCII")


def _is_base(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"`url` is not an address that can be called: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"`url` is an http or https address such as https://erp.example/api, not {url!r}")
    if "@" in parts.netloc:
        raise ValueError("`url` holds no user and password: they belong to `auth`")
    if "?" in url or "#" in url:
        raise ValueError("`url` is a base to which paths are added: it has no ? and no #")
