"""The address of an HTTP verb: quoted text, a value after `to`, or what a connection has and a path."""

import re

from compiler.catalog import Connection, Verb
from compiler.check.expressions import Expressions
from compiler.check.facts import Environment
from compiler.reports import Reports
from compiler.scope import Scope
from compiler.types import TEXT
from dsl import nodes
from dsl.diagnostics import Fix
from dsl.source import Span

_BASE = re.compile(r"(?P<scheme>https?)://(?:[^/?#@]*@)?(?P<host>[^/?#]+)", re.IGNORECASE)
_HOST = re.compile(r"(?:\w[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_LAST_PORT = 65_535
_PORTS = {"http": ":80", "https": ":443"}


def origin(url: str) -> str:
    """Scheme, host and port of a URL, written as connections have theirs; empty where it has no whole host."""
    found = _BASE.match(url)
    if found is None:
        return ""
    scheme = found["scheme"].lower()
    return f"{scheme}://{found['host'].lower().removesuffix(_PORTS[scheme])}"


def is_path(literal: nodes.Text | None) -> bool:
    """Whether an address lacks its host, so that a connection must have it."""
    return literal is not None and bool(literal.parts) and _is_path(literal.parts[0])


def _is_path(part: str | nodes.Hole) -> bool:
    return isinstance(part, str) and part.startswith(("/", "?"))


def is_setting(value: nodes.Expr) -> bool:
    """Whether a value is `config.NAME`."""
    return isinstance(value, nodes.FieldOf) and isinstance(value.value, nodes.NameRef) and value.value.name == "config"


def _is_host(text: str) -> bool:
    """Whether it names a host, and a port if it has one; what signs in has no place in the text of a flow."""
    found = _HOST.fullmatch(text)
    return found is not None and int(found["port"] or 0) <= _LAST_PORT


class Addresses:
    """Checks the addresses of one flow."""

    def __init__(self, environment: Environment, reports: Reports, expressions: Expressions) -> None:
        self._open_hosts = environment.open_hosts
        self._reports = reports
        self._expressions = expressions

    def check(self, step: nodes.Command, verb: Verb, connection: Connection | None, scope: Scope) -> None:
        """Check where a step sends to. Scheme and host are the flow's, seta.toml's or the connection's."""
        to = next((clause for clause in step.clauses if isinstance(clause, nodes.To)), None)
        if step.literal is not None:
            self._text(step.literal, connection, scope)
        if to is not None:
            self._value(to.value, connection, scope)
        if step.literal is not None and to is not None:
            message = f"`{verb.title}` takes an address in quotes or after `to`, not both"
            self._reports.add("E215", to.span, message, "a second address")
        if step.literal is None and to is None and connection is None:
            self._reports.add(
                "E215",
                step.head,
                f"`{verb.title}` needs an address: text in quotes, `to …`, or `via` and a connection that has one",
                "no address",
                fixes=[Fix(f'{verb.title} "https://…"', "choose")],
            )

    # --- after `to`

    def _value(self, value: nodes.Expr, connection: Connection | None, scope: Scope) -> None:
        if isinstance(value, nodes.Text):
            self._expressions.check(value, scope)
            self._text(value, connection, scope)
            return
        self._expressions.expect(value, TEXT, scope, "an address")
        if not (is_setting(value) or connection or self._open_hosts):
            self._host_from_data(
                value.span, "`[http] open_hosts = true` in seta.toml allows it; the guard on addresses stays"
            )

    # --- in quotes

    def _text(self, literal: nodes.Text, connection: Connection | None, scope: Scope) -> None:
        before = ""
        for part in literal.parts:
            if isinstance(part, str):
                before += part
                continue
            self._expressions.hole(part, scope)
            if not self._in_path(before) and not is_setting(part.path):
                self._host_from_data(part.span)
            before += "config" if is_setting(part.path) else "x"
        if not literal.parts or not self._well_formed(literal, connection):
            self._malformed(literal, connection)
        elif connection is not None and not is_path(literal):
            self._same_host(literal, connection)

    def _in_path(self, before: str) -> bool:
        _, found, rest = before.partition("://")
        path = rest if found else before
        return "/" in path or "?" in path

    def _well_formed(self, literal: nodes.Text, connection: Connection | None) -> bool:
        first = literal.parts[0]
        if isinstance(first, nodes.Hole):
            return is_setting(first.path)
        if _is_path(first):
            return connection is not None
        scheme, found, rest = first.partition("://")
        host, *path = re.split("[/?#]", rest, maxsplit=1)
        whole = bool(path) or len(literal.parts) == 1
        return scheme in ("http", "https") and bool(found) and (not whole or _is_host(host))

    def _malformed(self, literal: nodes.Text, connection: Connection | None) -> None:
        ways = 'write "https://host/path", or "{config.NAME}/path" with the base in seta.toml'
        if connection is not None:
            ways = f'write "/path", which is added to the address of `{connection.name}`'
        elif is_path(literal):
            ways = 'write "https://host/path"; a path alone goes `via` a connection of kind http'
        self._reports.add(
            "E217",
            literal.span,
            "this is not an address that can be called",
            "an absolute http or https URL is required" if connection is None else "a path or a URL is required",
            notes=[ways],
        )

    def _same_host(self, literal: nodes.Text, connection: Connection) -> None:
        """What a connection sends to sign in is for its own host alone."""
        first, *more = literal.parts
        found = _BASE.match(first) if isinstance(first, str) else None
        if found is None or not isinstance(first, str) or (more and found.end() == len(first)):
            return
        if connection.origin and origin(first) != connection.origin:
            self._reports.add(
                "E604",
                literal.span,
                f"`{connection.name}` is a connection to {connection.origin}, and this is another host",
                "not the connection's host",
                notes=["what the connection sends to sign in would go there; leave `via` out, or write the path only"],
            )

    def _host_from_data(self, span: Span, *notes: str) -> None:
        self._reports.add(
            "E603",
            span,
            "the host of a request may not come from data",
            "scheme and host are literal, or one config.NAME",
            notes=["a sender who chooses the host could make this server call any machine that it can reach", *notes],
        )
