"""What kinds of bodies a trigger takes, and from which sites browsers may send them."""

import re
from urllib.parse import urlsplit

from compiler.check.facts import Facts
from compiler.reports import Reports, listed, way
from compiler.types import JSON, ListOf, RecordOf, Type, Unknown, is_text, required, show
from dsl import nodes

KINDS = ("json", "form", "multipart", "text")

_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
_OWN_PORT = {"https": 443, "http": 80}  # which browsers leave out


def accepted(trigger: nodes.Trigger) -> tuple[str, ...]:
    """The kinds of bodies that a trigger takes, in one order; JSON where it does not say."""
    named = {name.text for clause in trigger.clauses if isinstance(clause, nodes.Accept) for name in clause.kinds}
    return tuple(kind for kind in KINDS if kind in named) or ("json",)


def sites(trigger: nodes.Trigger) -> tuple[str, ...]:
    """The sites that `cors` names."""
    clauses = (clause for clause in trigger.clauses if isinstance(clause, nodes.Cors))
    return tuple(origin.static or "" for clause in clauses for origin in clause.origins)


def check_bodies(trigger: nodes.Trigger, facts: Facts, reports: Reports) -> None:
    """Every kind that a trigger takes is known, given once, and can bring what the payload declares; sites are such."""
    clauses = [clause for clause in trigger.clauses if isinstance(clause, nodes.Accept)]
    for clause in trigger.clauses:
        if isinstance(clause, nodes.Cors):
            _cors(clause, reports)
    for clause in clauses:
        _known_kinds(clause, reports)
        for name in clause.kinds:
            _can_bring(name.text, name, trigger, facts, reports)
    if not clauses and trigger.payload is not None:
        _can_bring("json", trigger.payload, trigger, facts, reports)


def _known_kinds(clause: nodes.Accept, reports: Reports) -> None:
    seen: dict[str, nodes.Name] = {}
    for name in clause.kinds:
        first = seen.setdefault(name.text, name)
        if name.text not in KINDS:
            _unknown(name, reports)
        elif first is not name:
            related = [(first.span, "first given here")]
            reports.add("E207", name.span, f"`{name.text}` is given twice", "given again here", related=related)


def _unknown(name: nodes.Name, reports: Reports) -> None:
    meant = reports.nearest(name.text, KINDS)
    reports.add(
        "E224",
        name.span,
        f"there is no kind of body `{name.text}`",
        f"did you mean `{meant}`?" if meant else "unknown kind",
        notes=[f"the kinds are {listed(KINDS)}"],
        fixes=[reports.replace(f"replace `{name.text}` by `{meant}`", name.span, meant, safe=True)] if meant else [],
    )


def _can_bring(kind: str, at: nodes.Node, trigger: nodes.Trigger, facts: Facts, reports: Reports) -> None:
    named = isinstance(trigger.payload, nodes.NamedPayload)
    whole = required(facts.fields[0].type) if named else facts.payload
    if isinstance(whole, Unknown) or whole == JSON or _fits(kind, whole):
        return
    shown = f"is {show(whole)}" if named else "has fields"
    what, fix = {
        "json": ("a JSON body is an object or an array", way("accept text", "take the body as it is")),
        "text": ("a text is one value", way("on webhook accept text corpo: text", "the whole body under one name")),
    }.get(kind, ("a form has fields", way("on webhook {nome: text}", "name the fields of the form")))
    reports.add("E225", at.span, f"{what}, but this payload {shown}", f"cannot come as {kind}", fixes=[fix])


def _fits(kind: str, whole: Type) -> bool:
    match kind:
        case "json":
            return isinstance(whole, RecordOf | ListOf)
        case "form" | "multipart":
            return isinstance(whole, RecordOf)
        case "text":
            return is_text(whole)
        case _:
            return True  # it is unknown, and reported


def _cors(clause: nodes.Cors, reports: Reports) -> None:
    """Every site is written as browsers name it in the header Origin, and once."""
    seen: dict[str, nodes.Text] = {}
    for text in clause.origins:
        origin = text.static
        if origin is None:
            continue
        first = seen.setdefault(origin, text)
        if first is not text:
            related = [(first.span, "first given here")]
            reports.add("E207", text.span, f'"{origin}" is given twice', "given again here", related=related)
        elif origin == "*" and len(clause.origins) > 1:
            reports.add("E226", text.span, '"*" is every site: the others say nothing', "stands alone or not at all")
        elif origin != "*" and (not _ORIGIN.fullmatch(origin) or _origin_of(origin) != origin):
            _no_origin(text, origin, reports)


def _no_origin(text: nodes.Text, origin: str, reports: Reports) -> None:
    meant = _origin_of(origin)
    reports.add(
        "E226",
        text.span,
        f'"{origin}" is not a site as browsers name it',
        "not an origin",
        notes=['scheme, host and port where it is not the usual one: "https://site.example"; "*" is every site'],
        fixes=[reports.replace("write it as browsers do", text.span, f'"{meant}"')] if meant is not None else [],
    )


def _origin_of(address: str) -> str | None:
    """The origin of an address (RFC 6454): without path, in lower case, without the port that its scheme implies."""
    try:
        parts = urlsplit(address.lower())
        port = parts.port
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    usual = port is None or port == _OWN_PORT.get(parts.scheme)
    origin = f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"
    return origin if _ORIGIN.fullmatch(origin) else None
