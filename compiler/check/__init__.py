"""Types, names and effects of a flow: everything that may be wrong with it is found here."""

from compiler.check.addresses import origin
from compiler.check.declarations import calls, declare
from compiler.check.facts import Definition, Environment, Facts, PayloadField
from compiler.check.flow import check_flow, same_names

__all__ = [
    "Definition",
    "Environment",
    "Facts",
    "PayloadField",
    "calls",
    "check_flow",
    "declare",
    "origin",
    "same_names",
]
