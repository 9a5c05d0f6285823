"""A key of another system's in place of a phone or an email: `by {erp: id}`, a record of one name and one value."""

from compiler.catalog import Connection, Verb
from compiler.check.expressions import Expressions, unique_entries
from compiler.check.facts import Facts
from compiler.reports import Reports
from compiler.scope import Scope
from compiler.types import INT, TEXT, OptionalOf, RecordOf, Unknown, is_text
from dsl import nodes

KEYS = "keys"  # what a connection must be able to do for them


class ForeignKeys:
    """Checks the foreign keys of one flow."""

    def __init__(self, facts: Facts, reports: Reports, expressions: Expressions) -> None:
        self._facts = facts
        self._reports = reports
        self._expressions = expressions

    def check(self, key: nodes.Record, verb: Verb, connection: Connection | None, scope: Scope) -> None:
        """Check a key, and that the connection of its step knows persons by such."""
        self._facts.types[id(key)] = RecordOf(())
        entries = unique_entries(key.entries, self._reports)
        for entry in entries:
            found = self._expressions.check(entry.value, scope)
            if isinstance(found, OptionalOf) or not (is_text(found) or found == INT or isinstance(found, Unknown)):
                self._expressions.expect(entry.value, TEXT, scope, f"by of {verb.title}", f" for {{{entry.key.text}}}")
        if len(entries) != 1:
            self._reports.add(
                "E301",
                key.span,
                f"by of {verb.title} takes one key, and this has {len(entries) or 'none'}",
                "one name with one value is required",
            )
        if connection is not None and connection.kind and KEYS not in connection.does:
            self._cannot(key, verb, connection)

    def _cannot(self, key: nodes.Record, verb: Verb, connection: Connection) -> None:
        self._reports.add(
            "E242",
            key.span,
            f"`{verb.title}` cannot match by a key via `{connection.name}`, which is a connection of kind "
            f"{connection.kind}",
            "it knows persons by phone and email",
            notes=["the server's own persons have keys: a connection of kind local"],
        )
