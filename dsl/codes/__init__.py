"""The registry of diagnostics: what each code means. Codes are never reused and never change meaning.

Adding one is adding an entry to the tuple of its family, in order: E1xx syntax, E2xx names and catalog, E3xx types and
absence, E4xx failure, E5xx effects, E6xx secrets and personal data, E7xx compatibility, then W warnings, N notes.
"""

from dsl.codes.code import Code
from dsl.codes.declared import DECLARED
from dsl.codes.effects import EFFECTS
from dsl.codes.names import NAMES
from dsl.codes.remarks import REMARKS
from dsl.codes.syntax import SYNTAX
from dsl.codes.trials import TRIALS
from dsl.codes.types import TYPES

REGISTRY: tuple[Code, ...] = (*SYNTAX, *NAMES, *DECLARED, *TRIALS, *TYPES, *EFFECTS, *REMARKS)

CODES: dict[str, Code] = {code.code: code for code in REGISTRY}

# Codes that older versions have reported, and what they said. None is ever given another meaning.
RETIRED: dict[str, str] = {
    "E290": "not supported yet: the text was good Seta that a later version runs, and this one does",
}

# What the codes that begin so are about.
FAMILIES: dict[str, str] = {
    "E1": "Syntax",
    "E2": "Names and the catalog",
    "E3": "Types and absence",
    "E4": "Failure",
    "E5": "Effects: answers, waits, what never runs",
    "E6": "Secrets, personal data, hosts",
    "E7": "Compatibility",
    "W": "Warnings",
    "N": "Notes",
}

__all__ = ["CODES", "FAMILIES", "REGISTRY", "RETIRED", "Code"]
