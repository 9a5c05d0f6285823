"""Which connection a step speaks through: the one that `via` names, or the only one that can do it."""

from collections.abc import Iterable

from compiler.catalog import Connection, Verb
from compiler.check.addresses import is_path
from compiler.check.facts import Environment
from compiler.reports import Reports, listed, nearest
from dsl import nodes
from dsl.diagnostics import Fix


class Connections:
    """Chooses connections, and reports those that cannot be chosen."""

    def __init__(self, environment: Environment, reports: Reports) -> None:
        self._known = environment.connections
        self._reports = reports

    def chosen(self, step: nodes.Command, verb: Verb) -> Connection | None:
        """The connection of a step; None where it needs none, or takes what there is without seta.toml.

        What cannot be chosen is reported, and some connection is given all the same: the step means to have one.
        """
        if not verb.connection:
            return None
        via = next((clause for clause in step.clauses if isinstance(clause, nodes.Via)), None)
        if via is not None:
            return self._named(via, verb)
        if verb.literal == "url" and not is_path(step.literal):
            return None
        return self._only(step, verb)

    def _named(self, via: nodes.Via, verb: Verb) -> Connection:
        written = via.name.text
        found = next((connection for connection in self._known if connection.name == written), None)
        if found is None:
            self._unknown(via)
            return Connection(written, "", ())
        if verb.connection not in found.does:
            self._reports.add(
                "E242",
                via.name.span,
                f"`{verb.title}` cannot go via `{written}`, which is a connection of kind {found.kind}",
                f"a connection for {'requests' if verb.connection == 'http' else verb.connection} is needed",
                notes=[_there(self._fitting(verb), f"of these, `{verb.title}` can go via")],
            )
            return Connection(written, "", ())
        return found

    def _unknown(self, via: nodes.Via) -> None:
        written = via.name.text
        meant = nearest(written, [connection.name for connection in self._known])
        fixes = []
        if meant is not None:
            fixes.append(
                self._reports.replace(f"replace `{written}` by `{meant}`", via.name.span, meant, safe=True),
            )
        self._reports.add(
            "E241",
            via.name.span,
            f"there is no connection `{written}`",
            f"did you mean `{meant}`?" if meant else "unknown connection",
            notes=[
                _there(self._known, "seta.toml has"),
                f"a connection is written [connections.{written}] in seta.toml",
            ],
            fixes=fixes,
        )

    def _only(self, step: nodes.Command, verb: Verb) -> Connection | None:
        fitting = self._fitting(verb)
        if len(fitting) > 1:
            self._reports.add(
                "E243",
                step.head,
                f"`{verb.title}` could go via {listed(connection.name for connection in fitting)}",
                "say which",
                fixes=[Fix(f"{verb.title} … via {connection.name}", "choose") for connection in fitting],
            )
        return fitting[0] if fitting else None

    def _fitting(self, verb: Verb) -> list[Connection]:
        return [connection for connection in self._known if verb.connection in connection.does]


def _there(connections: Iterable[Connection], says: str) -> str:
    names = listed(connection.name for connection in connections)
    return f"{says} {names}" if names else f"{says} none"
