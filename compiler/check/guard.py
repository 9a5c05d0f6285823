"""Who may call a flow: the clauses `signed`, `token`, `basic` and `open` of a trigger."""

import re
from collections.abc import Iterator

from compiler.catalog import Param, Scheme
from compiler.check.arguments import paired
from compiler.check.expressions import Expressions
from compiler.ir import Guard
from compiler.reports import Reports, listed, way
from compiler.scope import Scope
from dsl import nodes
from dsl.source import Span

Clause = nodes.Signed | nodes.Token | nodes.Basic
Option = str | int

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_PARTS = ("body", "timestamp", "id", "method", "url")
_MAX_TOLERANCE = 24 * 60 * 60 * 1000  # ms
_WRITTEN = {
    "duration": "a duration such as `5m`",
    "header": "the name of a header in quotes",
    "template": "text in quotes",
    "text": "text in quotes",
}


def guard_of(trigger: nodes.Trigger, expressions: Expressions, reports: Reports) -> Guard | None:
    """What the door has to check of a delivery; None where anybody may call who knows the address."""
    clauses = [c for c in trigger.clauses if isinstance(c, Clause | nodes.Open)]
    for second in (c for c in clauses if type(c) is not type(clauses[0])):
        reports.add(
            "E207",
            second.span,
            "who may call is said twice",
            "said again here",
            related=[(clauses[0].span, "first said here")],
            notes=["a delivery is accepted in one way; two flows at two addresses can accept it in two"],
        )
    if not clauses or isinstance(clauses[0], nodes.Open):
        return None
    return _Reader(expressions, reports).read(clauses[0])


def says_who(trigger: nodes.Trigger) -> bool:
    """Whether a trigger says who may call."""
    return any(isinstance(c, Clause | nodes.Open) for c in trigger.clauses)


class _Reader:
    """Reads one clause against its scheme in the catalog."""

    def __init__(self, expressions: Expressions, reports: Reports) -> None:
        self._expressions = expressions
        self._reports = reports
        self._schemes = expressions.environment.catalog.schemes

    def read(self, clause: Clause) -> Guard | None:
        scheme = self._scheme(clause)
        if scheme is None:
            return None
        pairs = paired(clause.args, _taken(scheme, clause), scheme.name, clause.span, self._reports)
        pairs.sort(key=lambda pair: scheme.params.index(pair[1]))  # the order in a flow is nobody's meaning
        secrets = tuple(
            (param.name, self._secret(arg.value, _where(param, scheme))) for arg, param in pairs if _is_secret(param)
        )
        options = tuple(
            (param.name, self._option(arg.value, param, _where(param, scheme)))
            for arg, param in pairs
            if not _is_secret(param)
        )
        self._covered({param.name: arg for arg, param in pairs})
        return Guard(scheme.name, secrets, (*self._named_header(clause), *options))

    def _named_header(self, clause: Clause) -> tuple[tuple[str, str], ...]:
        """The header that stands before the parentheses of `token`."""
        if not isinstance(clause, nodes.Token):
            return ()
        return (("header", self._header(clause.header, f'"{clause.header.static}"')),)

    def _scheme(self, clause: Clause) -> Scheme | None:
        match clause:
            case nodes.Token():
                return self._known("token", "token", clause.span)
            case nodes.Basic():
                return self._known("basic", "basic", clause.span)
            case nodes.Signed(scheme=name):
                return self._known(name.text, "signed", name.span)

    def _known(self, word: str, clause: str, span: Span) -> Scheme | None:
        known = {scheme.name: scheme for scheme in self._schemes.values() if scheme.clause == clause}
        if word not in known:
            self._unknown(word, sorted(known), span)
        return known.get(word)

    def _unknown(self, word: str, known: list[str], span: Span) -> None:
        meant = self._reports.nearest(word, known)
        fix = [self._reports.replace(f"replace `{word}` by `{meant}`", span, meant)] if meant else []
        self._reports.add(
            "E227",
            span,
            f"the catalog has no scheme `{word}`",
            f"did you mean `{meant}`?" if meant else "unknown scheme",
            notes=[f"the schemes are {listed(known)}", "`hmac` takes what another sender does as options"],
            fixes=fix,
        )

    def _secret(self, value: nodes.Expr, where: str) -> str:
        """The name of a secret: nothing else may stand where a secret is wanted, least of all the secret itself."""
        match value:
            case nodes.FieldOf(value=nodes.NameRef(name="secret"), name=name):
                self._expressions.check(value, Scope())
                return name.text
            case _:
                pass
        self._reports.add(
            "E605",
            value.span,
            f"{where} is a secret: only `secret.NAME` may stand here",
            "not a secret",
            notes=["its value comes from the environment variable SETA_SECRET_NAME, or from where seta.toml says"],
            fixes=[way("secret.NAME", "name it; its value stays out of git")],
        )
        return ""

    def _option(self, value: nodes.Expr, param: Param, where: str) -> Option:
        choices = re.findall(r'"([^"]*)"', param.type)
        match value:
            case nodes.DurationLit() if param.type == "duration":
                return self._duration(value, where)
            case nodes.Text() if param.type == "template":
                return self._template(value)
            case nodes.Text() if value.static is not None and param.type == "header":
                return self._header(value, where)
            case nodes.Text() if value.static is not None and value.static in choices:
                return value.static
            case nodes.Text() if value.static is not None and param.type == "text":
                return value.static
            case _:
                pass
        message = f"{where} is part of the plan: it is {_WRITTEN.get(param.type, param.type)}"
        self._reports.add("E215", value.span, message, "not a literal of this kind")
        return ""

    def _duration(self, value: nodes.DurationLit, where: str) -> int:
        if not 0 < value.milliseconds <= _MAX_TOLERANCE:
            self._reports.add("E219", value.span, f"{where} is at most a day, and more than nothing", "out of range")
        return value.milliseconds

    def _header(self, value: nodes.Text, where: str) -> str:
        name = value.static or ""
        if not _HEADER.fullmatch(name):
            self._reports.add("E219", value.span, f"{where} is not the name of a header", "no sender can send it")
        return name

    def _template(self, value: nodes.Text) -> str:
        """The text with its holes as the runtime reads them: `{body}`, with the braces of text doubled."""
        return "".join(
            part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else f"{{{self._part(part)}}}"
            for part in value.parts
        )

    def _part(self, hole: nodes.Hole) -> str:
        match hole.path:
            case nodes.NameRef(name=name) if name in _PARTS:
                return name
            case nodes.FieldOf(value=nodes.NameRef(name="query"), name=name):
                return f"query.{name.text}"
            case _:
                pass
        self._reports.add(
            "E201",
            hole.span,
            "only parts of a request are signed",
            "not of the request",
            notes=[f"they are {listed([*_PARTS, 'query.NAME'])}"],
        )
        return "body"

    def _covered(self, given: dict[str, nodes.Arg]) -> None:
        """Where a flow says itself what is signed: what it judges by is signed, and what is signed is said."""
        held = set(_holes(given["signed"].value)) if "signed" in given else set()
        for name in ("timestamp", "id"):
            if name in given and name not in held:
                message = f"anybody could change `{name}`: the signature does not cover it"
                note = f'say what is signed, such as signed: "{{{name}}}.{{body}}"'
                self._reports.add("E606", given[name].span, message, "not signed", notes=[note])
            if name in held and name not in given:
                self._needs(given["signed"], name, f"`{name}` is signed, and where it is in a request is not said")
        if "tolerance" in given and "header" in given and "timestamp" not in given:
            self._needs(given["tolerance"], "timestamp", "what `tolerance` is about is not said")

    def _needs(self, arg: nodes.Arg, name: str, message: str) -> None:
        note = f'name its header: {name}: "X-{name.capitalize()}"'
        self._reports.add("E213", arg.span, message, f"`{name}` is missing", notes=[note])


def _taken(scheme: Scheme, clause: Clause) -> tuple[Param, ...]:
    """The parameters that stand between the parentheses."""
    return tuple(p for p in scheme.params if p.name != "header" or not isinstance(clause, nodes.Token))


def _is_secret(param: Param) -> bool:
    return param.type == "secret"


def _where(param: Param, scheme: Scheme) -> str:
    return f"`{param.name}` of {scheme.name}"


def _holes(value: nodes.Expr) -> Iterator[str]:
    for part in value.parts if isinstance(value, nodes.Text) else ():
        if isinstance(part, nodes.Hole) and isinstance(part.path, nodes.NameRef):
            yield part.path.name
