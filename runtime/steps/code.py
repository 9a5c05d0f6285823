"""`code(a, b): type`: the Python of a flow, run in a process of its own."""

from typing import Any, Final, cast

from runtime.code import Block, CodePool
from runtime.context import Call, RemoteVerb
from runtime.shapes import read_json
from runtime.steps._plain import plain
from runtime.steps._results import fitted

TITLE: Final = "code"
LIMIT: Final = 10.0  # s


def verb(pool: CodePool) -> RemoteVerb:
    """The verb over this pool. It fails as the pool does, and as `code_result` where the result does not fit."""

    async def perform(call: Call) -> Any:
        block = cast("Block", call.spec.block)
        args = dict(zip(block.params, plain(call.args, absent=True), strict=True))
        limit = LIMIT if call.spec.within is None else call.spec.within / 1000
        result = await pool.run(block, args, limit=limit, on_output=call.log)
        return fitted(call.spec.result or read_json, result, "code_result", "what the code returned")

    return RemoteVerb(perform, read_json)
