"""Values that tests write out, and whether they are what is read from outside: by JSON keys, as the door reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from compiler.check.expressions import unique_entries
from compiler.check.facts import PayloadField
from compiler.ir.trials import Json
from compiler.reports import Reports
from compiler.types import EnumOf, ListOf, OptionalOf, Prim, RecordOf, Type, Unknown, required, show
from dsl import nodes

_WRITTEN = (
    nodes.Text, nodes.IntLit, nodes.DecimalLit, nodes.BoolLit, nodes.DurationLit, nodes.Record, nodes.ListLit,
)  # fmt: skip
_KINDS: dict[type[nodes.Node], str] = {
    nodes.Text: "text",
    nodes.IntLit: "a whole number",
    nodes.DecimalLit: "a number",
    nodes.Unary: "a number",
    nodes.BoolLit: "true or false",
    nodes.NoneLit: "none",
    nodes.DurationLit: "a duration",
    nodes.Record: "a record",
    nodes.ListLit: "a list",
}
_TEXT_OR_NUMBER = frozenset({"scalar", "phone", "cpf", "cnpj", "decimal"})
_TEXT = frozenset({"text", "email", "url", "datetime", "date", "duration"})


@dataclass(frozen=True, slots=True)
class Expected:
    """A field that a record is read for, under any of its names."""

    names: tuple[str, ...]  # the first is the one that the value gets
    type: Type
    required: bool

    @classmethod
    def of_payload(cls, field: PayloadField) -> "Expected":
        """A field of a payload; what does not fit a lenient one counts as absent."""
        needed = not isinstance(field.type, OptionalOf) and field.default is None
        return cls((field.key,), Prim("json") if field.lenient else field.type, needed)


class Values:
    """Reads the values of one test. Where `fitting` is not asked for, only that they are written out."""

    def __init__(self, reports: Reports, *, fitting: bool = True) -> None:
        self._reports = reports
        self._fitting = fitting

    def constant(self, expr: nodes.Expr) -> Json:
        """The value that is written; anything that is computed is reported."""
        match expr:
            case nodes.Text() if expr.static is not None:
                return expr.static
            case nodes.IntLit() | nodes.DecimalLit() | nodes.BoolLit():
                return expr.value
            case nodes.NoneLit():
                return None
            case nodes.DurationLit():
                return timedelta(milliseconds=expr.milliseconds)
            case nodes.Unary(op="-", value=nodes.IntLit() | nodes.DecimalLit() as number):
                return -number.value
            case nodes.Record():
                return {e.key.text: self.constant(e.value) for e in unique_entries(expr.entries, self._reports)}
            case nodes.ListLit():
                return tuple(self.constant(item) for item in expr.items)
            case _:
                self._computed(expr)
                return None

    def _computed(self, expr: nodes.Expr) -> None:
        notes = ["it takes text without holes, numbers, durations, true, false, none, records and lists"]
        self._reports.add("E293", expr.span, "a test writes its values out", "this is computed", notes=notes)

    def payload(
        self, body: nodes.Record | nodes.ListLit | nodes.Text, fields: tuple[PayloadField, ...], flow: str
    ) -> Json:
        """The body of a delivery to a flow."""
        match fields:
            case (PayloadField(key="", type=kind),):
                return self.fitted(body, kind, f"the body of {flow}")
            case _ if isinstance(body, nodes.Record):
                return self._record(body, [Expected.of_payload(field) for field in fields], f"a delivery to {flow}")
            case _:
                self._misfit(body, "an object", f"the body of {flow}")
                return self.constant(body)

    def fitted(self, expr: nodes.Expr, kind: Type, where: str) -> Json:
        """A value that is read as a type; fields of a record get their first names."""
        inner = required(kind)
        if _absent(expr, inner):
            if not isinstance(kind, OptionalOf) and inner != Prim("json"):
                self._misfit(expr, show(kind), where)
            return self.constant(expr)
        match inner, expr:
            case RecordOf(fields), nodes.Record():
                expected = [_of_field(field.key or field.name, field.aliases, field.type) for field in fields]
                return self._record(expr, expected, where)
            case ListOf(item), nodes.ListLit():
                return tuple(self.fitted(part, item, f"an item of {where}") for part in expr.items)
            case Prim("duration"), nodes.DurationLit():
                return expr.text
            case _:
                if not _fits(expr, inner):
                    self._misfit(expr, show(inner), where)
                return self.constant(expr)

    def _record(self, record: nodes.Record, expected: Iterable[Expected], where: str) -> Json:
        by_name = {name: field for field in expected for name in field.names}
        found: dict[str, Json] = {}
        near: dict[str, nodes.Entry] = {}
        for entry in unique_entries(record.entries, self._reports):
            key = entry.key.text
            if (field := by_name.get(key)) is not None:
                found[field.names[0]] = self.fitted(
                    entry.value, field.type if field.required else _may(field), f"`{key}`"
                )
                continue
            found[key] = self.constant(entry.value)
            if (meant := self._reports.nearest(key, by_name)) is not None:
                near[meant] = entry
        self._missing(record, [f for f in by_name.values() if f.names[0] not in found], near, where)
        return found

    def _missing(
        self, record: nodes.Record, missing: Iterable[Expected], near: dict[str, nodes.Entry], where: str
    ) -> None:
        """Report what is not given: an error where it is needed, a warning where another key may be a slip for it."""
        for field in dict.fromkeys(missing):
            entry = next((near[name] for name in field.names if name in near), None)
            if field.required and self._fitting:
                label = f"{show(field.type)} is required"
                message = f"`{field.names[0]}` is missing in {where}"
                self._reports.add("E294", record.span, message, label)
            if entry is not None:
                self._slip(entry, field.names[0])

    def _slip(self, entry: nodes.Entry, meant: str) -> None:
        fix = self._reports.replace(f"replace `{entry.key.text}` by `{meant}`", entry.key.span, meant)
        message = f"nobody reads the key `{entry.key.text}`"
        self._reports.add("W211", entry.key.span, message, f"did you mean `{meant}`?", fixes=[fix])

    def _misfit(self, expr: nodes.Expr, wanted: str, where: str) -> None:
        if self._fitting:
            message = f"{where} takes {wanted}, but this is {_KINDS.get(type(expr), 'another value')}"
            self._reports.add("E294", expr.span, message, f"{wanted} is required")


def _of_field(name: str, aliases: tuple[str, ...], kind: Type) -> Expected:
    return Expected((name, *aliases), kind, not isinstance(kind, OptionalOf))


def _may(field: Expected) -> Type:
    return field.type if isinstance(field.type, OptionalOf) else OptionalOf(field.type)


def _absent(expr: nodes.Expr, kind: Type) -> bool:
    """Whether the door takes a value for none: null, and empty text where text is no value of its own."""
    match expr:
        case nodes.NoneLit():
            return True
        case nodes.Text(parts=()):
            return not (kind in (Prim("text"), Prim("json")) or (isinstance(kind, EnumOf) and "" in kind.values))
        case _:
            return False


def _fits(expr: nodes.Expr, kind: Type) -> bool:
    """Whether a value that is there is read as a type, from outside; ranges are the door's alone to check."""
    match kind, expr:
        case (Unknown(), _) | (Prim("json"), _):
            return True
        case _, nodes.Unary(value=number):
            return _fits(number, kind)
        case EnumOf(values), nodes.Text():
            return expr.static is None or expr.static in values
        case Prim(name), nodes.Text():
            return name in _TEXT or name in _TEXT_OR_NUMBER
        case (Prim("bool"), nodes.BoolLit()) | (Prim("int"), nodes.IntLit()):
            return True
        case Prim(name), nodes.IntLit() | nodes.DecimalLit():
            return name in _TEXT_OR_NUMBER
        case _:
            return not isinstance(expr, _WRITTEN)  # what is computed was reported for that
