"""Names in generated Python: each variable has one of its own, and none hides what the module calls."""

import keyword
import re

# What the loader hands to a generated module, beside the functions of the catalog; a test compares the two.
# fmt: off
HELPERS = frozenset((
    "add", "array", "as_json", "block", "bool_kind", "cnpj_kind", "cpf_kind", "ctx", "date_kind",
    "datetime_kind", "decimal_kind", "divide", "duration", "duration_kind", "either", "either_lazily",
    "element", "email_kind", "enum", "exact", "Failure", "failed", "field", "given", "holds", "hole", "instant",
    "int_kind", "json_kind", "maybe", "maybe_member", "member", "milliseconds", "modulo", "moment", "multiply",
    "negative", "nested", "own", "p", "phone_kind", "policy", "ranged", "read_json", "reader", "record", "same",
    "scalar_kind", "setting", "step", "subtract", "template", "text_kind", "text_of", "url_kind", "whole", "whole_url",
))
# fmt: on
PAYLOAD, FLOW, ON_ERROR, DEDUPE, SERIAL, ANSWER = "PAYLOAD", "FLOW", "ON_ERROR", "DEDUPE", "SERIAL", "ANSWER"
_OURS = HELPERS | {PAYLOAD, FLOW, ON_ERROR, DEDUPE, SERIAL, ANSWER}


class Names:
    """Gives out Python names. A key is the name that a flow knows, and after `#` what makes it unique in the plan."""

    def __init__(self, functions: set[str]) -> None:
        self._used = {*_OURS, *functions}
        self._given: dict[str, str] = {}

    def of(self, key: str) -> str:
        """The one name of a key."""
        if key not in self._given:
            self._given[key] = self._free(re.sub(r"\W", "_", key.partition("#")[0]))
        return self._given[key]

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._used or keyword.iskeyword(name):
            number += 1
            name = f"{wanted}_{number}"
        self._used.add(name)
        return name


def attribute(name: str) -> str:
    """A payload field as an attribute: never one that Python gives a meaning of its own. Injective."""
    return f"f{name}" if re.match(r"f*_", name) else name
