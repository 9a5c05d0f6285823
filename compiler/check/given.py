"""What the clause `with` of a command hands over: fields of its verb, parameters of a template, any record."""

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.catalog import Catalog, Template, Verb
from compiler.check.expressions import Expressions, unique_entries
from compiler.check.facts import Facts
from compiler.check.written import catalog_type
from compiler.reports import Reports, listed
from compiler.scope import Scope
from compiler.types import JSON, SECRET, TEXT, OptionalOf, RecordOf, Type, Unknown, is_text, optional, show
from dsl import nodes
from dsl.diagnostics import Fix

_NEEDS = {"button.": "buttons", "header.location.": "locations"}  # what a connection must do, by where parameters go


class Given:
    """Checks the `with` of the commands of one flow."""

    def __init__(self, catalog: Catalog, facts: Facts, reports: Reports, expressions: Expressions) -> None:
        self._catalog = catalog
        self._facts = facts
        self._reports = reports
        self._expressions = expressions

    def check(self, step: nodes.Command, verb: Verb, scope: Scope) -> None:
        """Check what a command is given, also where it is given nothing."""
        clause = next((c for c in step.clauses if isinstance(c, nodes.With)), None)
        template = self._template(step, verb)
        if template is not None:
            self._facts.templates[id(step)] = template
            self._carried(step, verb, template)
            self._template_params(step, clause, template, verb, scope)
        elif verb.with_ == "exact":
            types = {field.name: catalog_type(field.type, self._catalog) for field in verb.fields}
            self._exactly(step, clause, _Asked(f"`{verb.title}`", "field", "E210", types), verb, scope)
        elif clause is not None:
            self._with(clause.value, verb, scope)

    def _with(self, value: nodes.Expr, verb: Verb, scope: Scope) -> None:
        match verb.with_:
            case "fields":
                self._fields(value, verb, scope)
            case "params":
                self._params(value, verb, scope)
            case _:
                found = self._expressions.check(value, scope)
                if found == SECRET:
                    self._expressions.expect(value, JSON, scope, f"with of {verb.title}")

    def _record(self, value: nodes.Expr, verb: Verb, scope: Scope) -> list[nodes.Entry]:
        if isinstance(value, nodes.Record):
            self._facts.types[id(value)] = RecordOf(())
            return unique_entries(value.entries, self._reports)
        self._expressions.check(value, scope)
        self._reports.add(
            "E301",
            value.span,
            f"with of {verb.title} is written out as a record: {{name: value}}",
            "not a record",
        )
        return []

    def _fields(self, value: nodes.Expr, verb: Verb, scope: Scope) -> None:
        for entry in self._record(value, verb, scope):
            key = entry.key.text
            field = next((f for f in verb.fields if f.name == key or key in f.aliases), None)
            if field is None:
                self._no_field(entry, verb)
                self._expressions.check(entry.value, scope)
                continue
            wanted = optional(catalog_type(field.type, self._catalog))
            self._expressions.expect(entry.value, wanted, scope, f"{field.name} of {verb.title}")

    def _no_field(self, entry: nodes.Entry, verb: Verb) -> None:
        names = [f.name for f in verb.fields]
        meant = self._reports.nearest(entry.key.text, [*names, *(a for f in verb.fields for a in f.aliases)])
        self._reports.add(
            "E210",
            entry.key.span,
            f"`{verb.title}` has no field `{entry.key.text}`",
            f"did you mean `{meant}`?" if meant else "no such field",
            notes=[f"its fields are {listed(names)}"],
        )

    # --- templates

    def _template(self, step: nodes.Command, verb: Verb) -> Template | None:
        """The template of the catalog file that a command names."""
        if verb.with_ != "params" or step.literal is None or step.literal.static is None:
            return None
        template = self._catalog.templates.get(step.literal.static)
        if template is None:
            self._reports.add(
                "N203",
                step.literal.span,
                f'template "{step.literal.static}" is not in the catalog file, so its parameters are not checked',
            )
        return template

    def _carried(self, step: nodes.Command, verb: Verb, template: Template) -> None:
        """Report parameters that the connection of a step has no way to send."""
        connection = self._facts.connections.get(id(step))
        if connection is None or not connection.kind or step.literal is None:
            return
        for part, needed in _NEEDS.items():
            there = [param.name for param in template.params if param.part.startswith(part)]
            if there and needed not in connection.does:
                self._reports.add(
                    "E242",
                    step.literal.span,
                    f"`{verb.title}` cannot go via `{connection.name}`: a connection of kind {connection.kind} sends "
                    f"no parameters of {needed}",
                    f"it has {listed(there)}",
                    notes=["WhatsApp itself sends them: a connection of kind whatsapp_cloud"],
                )

    def _params(self, value: nodes.Expr, verb: Verb, scope: Scope) -> None:
        """Parameters of a template that nobody knows: each is text or a number."""
        for entry in self._record(value, verb, scope):
            found = self._expressions.check(entry.value, scope)
            if isinstance(found, OptionalOf | Unknown) or not (is_text(found) or show(found) in ("int", "decimal")):
                self._expressions.expect(entry.value, TEXT, scope, _title(verb), f" for {{{entry.key.text}}}")

    def _template_params(
        self, step: nodes.Command, clause: nodes.With | None, template: Template, verb: Verb, scope: Scope
    ) -> None:
        wanted = {param.name: catalog_type(param.type, self._catalog) for param in template.params}
        asked = _Asked(f'{_title(verb)} "{template.name}"', "parameter", "E218", wanted)
        self._exactly(step, clause, asked, verb, scope)

    # --- exactly what is asked for

    def _exactly(
        self, step: nodes.Command, clause: nodes.With | None, asked: "_Asked", verb: Verb, scope: Scope
    ) -> None:
        entries = [] if clause is None else self._record(clause.value, verb, scope)
        if clause is not None and not isinstance(clause.value, nodes.Record):
            return
        wanted = asked.types
        given = {entry.key.text for entry in entries}
        for entry in entries:
            if (kind := wanted.get(entry.key.text)) is not None:
                self._expressions.expect(entry.value, kind, scope, asked.title, f" for {{{entry.key.text}}}")
                continue
            found, free = self._expressions.check(entry.value, scope), set(wanted) - given
            if not (entry.short and isinstance(found, Unknown)):  # otherwise the name itself was reported
                self._not_asked(entry, asked, free)
            given |= {self._reports.nearest(entry.key.text, sorted(free)) or ""}
        needed = {name: kind for name, kind in wanted.items() if not isinstance(kind, OptionalOf)}
        if missing := [f"{name}: {show(kind)}" for name, kind in needed.items() if name not in given]:
            self._missing(step, clause, asked.title, missing)

    def _not_asked(self, entry: nodes.Entry, asked: "_Asked", free: set[str]) -> None:
        names, key = list(asked.types), entry.key
        meant = self._reports.nearest(key.text, sorted(free))
        fixes: list[Fix] = []
        if meant is not None:
            written = f"{meant}: {key.text}" if entry.short else meant
            fixes.append(self._reports.replace(f"replace `{key.text}` by `{meant}`", key.span, written, safe=True))
        self._reports.add(
            asked.code,
            key.span,
            f"{asked.title} has no {asked.what} `{key.text}`",
            f"did you mean `{meant}`?" if meant else f"no such {asked.what}",
            notes=[f"its {asked.what}s are {listed(names)}" if names else f"it takes no {asked.what}s"],
            fixes=fixes,
        )

    def _missing(self, step: nodes.Command, clause: nodes.With | None, title: str, missing: list[str]) -> None:
        names = [one.partition(":")[0] for one in missing]
        self._reports.add(
            "E220",
            step.head if clause is None else clause.span,
            f"{title} needs {listed(names)}",
            "missing here" if clause is not None else "`with` is missing",
            fixes=[Fix("hand it over" if len(names) == 1 else "hand them over", "choose", snippet=_with(names))],
            notes=[f"the catalog file says {', '.join(missing)}"],
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a template or an own verb asks for, in the words and under the code of what it is."""

    title: str
    what: str
    code: str
    types: Mapping[str, Type]


def _title(verb: Verb) -> str:
    """What a person calls the thing that a verb sends: hsm."""
    return verb.noun or verb.verb


def _with(names: list[str]) -> str:
    """What is to be written; a name that is none of the language, such as WhatsApp's numbers, in quotes."""
    keys = (name if name.isidentifier() else f'"{name}"' for name in names)
    return f"with {{{', '.join(f'{key}: …' for key in keys)}}}"
