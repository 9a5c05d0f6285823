"""Who may call, and which headers and parameters a flow reads."""

from typing import Any, Final

from runtime.program import Guard, Program
from runtime.schemes import describe, proof, proving_headers

_NOT_PARAMETERS: Final = ("accept", "content-type", "authorization")  # OpenAPI has other places for them


class Callers:
    """The security schemes of a document, as its hooks ask for them."""

    def __init__(self) -> None:
        self.schemes: dict[str, dict[str, Any]] = {}

    def requirement(self, program: Program) -> list[dict[str, list[str]]]:
        """What a flow asks of who calls it; nothing where it asks for nothing."""
        guard = program.guard
        if guard is None:
            return []
        scheme = _scheme(guard)
        known = next((name for name, one in self.schemes.items() if one == scheme), None)
        if known is None:
            same = sum(name.partition("-")[0] == guard.scheme for name in self.schemes)
            known = guard.scheme if not same else f"{guard.scheme}-{same + 1}"
            self.schemes[known] = scheme
        return [{known: []}]


def _scheme(guard: Guard) -> dict[str, Any]:
    header = proving_headers(guard.scheme, guard.options)[0]
    told = {"description": f"This webhook wants {proof(guard.scheme, guard.options)}. {describe(guard.scheme)}"}
    if guard.scheme == "basic":
        return {"type": "http", "scheme": "basic", **told}
    if header.lower() == "authorization":
        return {"type": "http", "scheme": "bearer", **told}
    return {"type": "apiKey", "in": "header", "name": header, **told}


def parameters(program: Program) -> list[dict[str, Any]]:
    """The headers that prove something beside the proof itself, and all that the flow reads."""
    guard = program.guard
    beside = proving_headers(guard.scheme, guard.options)[1:] if guard is not None else ()
    taken = {name.lower() for name in beside}
    read = [name for name in program.headers if name not in taken and name not in _NOT_PARAMETERS]
    return [
        *(_parameter("header", name, required=True, doc="Belongs to the proof of who sends.") for name in beside),
        *(_parameter("header", name) for name in read),
        *(_parameter("query", name) for name in program.query),
    ]


def _parameter(place: str, name: str, *, required: bool = False, doc: str = "The flow reads it.") -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "description": doc, "schema": {"type": "string"}}
