"""Types, names and effects of a flow: everything that may be wrong with it is found here."""

from compiler.check.facts import Environment, Facts, PayloadField
from compiler.check.flow import check_flow, same_names

__all__ = ["Environment", "Facts", "PayloadField", "check_flow", "same_names"]
