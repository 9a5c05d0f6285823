"""The address of an HTTP step, from its literal, its connection, the configuration and the values of its holes."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from runtime.connections.ready import Web
from runtime.context import Call, Hole, Setting, Whole
from runtime.failures import StepFailure
from runtime.steps._plain import plain
from runtime.values import text_of

_WITH_HOST = re.compile(r"[^/?#]+://[^/?#]+[/?#]")
# Scheme, host and port as every reader of URLs understands them: no user, no backslash, nothing to read in two ways.
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?=[/?#]|$)")
_PORTS = {"http": "80", "https": "443"}


def address(call: Call, holes: Iterable[object], web: Web) -> str:
    """Give the URL of a step.

    A path is added to the connection's base. A setting at the start is a base too: a host, host:port or URL; https
    where nothing says otherwise. Fails as `no_setting`, as `other_host` where a connection would be used for a host
    that is not its own, or as `bad_url` where a value would make it the address of something else.
    """
    values = iter(holes)
    url = ""
    for number, part in enumerate(call.spec.literal):
        match part:
            case str():
                url = web.base if number == 0 and part.startswith(("/", "?")) else url
                url = (url.removesuffix("/") if part.startswith("/") else url) + part
            case Hole():
                url += _hole(next(values), url)
            case Setting(name):
                url += _setting(call.config, name, url)
            case Whole():
                return _of_connection(_absolute(next(values), web), web)
        url = url if "://" in url else f"https://{url}"
    return _of_connection(_within_folder(url or web.base), web)


def with_query(url: str, query: object) -> str:
    """Give the URL with the fields of a record as its query. Fails as `bad_url` where they are none."""
    if query is None or not (pairs := fields_of(query, "bad_url", "the query")):
        return url
    return url + ("&" if "?" in url else "?") + urlencode(pairs, quote_via=quote, safe="")


def fields_of(value: object, code: str, what: str) -> list[tuple[str, str]]:
    """Names and texts of a record; a list is its name many times. Fails with `code` where it is more than that."""
    fields = plain(value, absent=False)
    if not isinstance(fields, Mapping):
        raise StepFailure(code, f"{what} is not a record")
    return [(name, _field(name, item, code, what)) for name, value in fields.items() for item in _items(value)]


def _absolute(value: object, web: Web) -> str:
    """An address that is a value: an http or https URL, or a path of the connection."""
    url = str(value)
    if web.base and url.startswith("/") and not url.startswith("//"):
        return _within_folder(web.base + url)
    origin(url)
    return url


def _of_connection(url: str, web: Web) -> str:
    """Refuse an address of another host: it would be sent what the connection signs in with."""
    if web.base and not url.startswith(web.base + "/") and url != web.base and origin(url) != origin(web.base):
        raise StepFailure("other_host", f"the address is not one of {web.base}, which `{web.name}` is a connection to")
    return url


def origin(url: str) -> tuple[str, str, str]:
    """Scheme, host and port of a URL. Fails as `bad_url` where it is none of http or https with a plain host."""
    found = _ORIGIN.match(url)
    if found is None:
        raise StepFailure("bad_url", "the address is not an http or https URL with a plain host")
    scheme, host, port = found.groups()
    return scheme, host.lower(), port or _PORTS[scheme]


def _setting(config: Mapping[str, str], name: str, before: str) -> str:
    value = config.get(name, "")
    if not value:
        raise StepFailure("no_setting", f"seta.toml has no `{name}` under [config]")
    if _WITH_HOST.match(before):
        return quote(value, safe="/")
    if before and "://" in value:
        scheme = value.partition("//")[0]
        raise StepFailure("bad_url", f"`config.{name}` begins with {scheme}//, but the flow has {before} before it")
    return value


def _hole(value: object, before: str) -> str:
    if not _WITH_HOST.match(before):
        raise StepFailure("bad_url", "a value may not choose the host")
    text = _written(value)
    if not text and "?" not in before:
        raise StepFailure("bad_url", "a value in the path of the URL is empty: it would call what is above it")
    if text.isalnum() and text.isascii():  # most are, and `quote` looks at each character
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise StepFailure("bad_url", "a value in the URL is no text of Unicode") from error


def _within_folder(url: str) -> str:
    """Refuse `.` and `..`, which no encoding keeps from being taken as steps through folders (RFC 3986, 6.2.2.3)."""
    if "/." not in url:
        return url
    path, *_ = re.split("[?#]", url, maxsplit=1)
    if {".", ".."}.isdisjoint(path.split("/")):
        return url
    raise StepFailure("bad_url", "a value in the path of the URL is `.` or `..`: it would call what is above it")


def _items(value: object) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if item is not None]


def _field(name: str, value: object, code: str, what: str) -> str:
    if isinstance(value, str | int | Decimal):
        return _written(value)
    raise StepFailure(code, f"{what}'s `{name}` is neither text nor a number")


def _written(value: Any) -> str:
    if type(value) is str:
        return value
    return str(value).lower() if isinstance(value, bool) else text_of(value)
