"""What is made of the journal's rows."""

import msgspec

from runtime.admin.documents import RunError, run_from
from runtime.journal.rows import RunRow, RunState

ERROR = (
    b'{"step":"main","code":"bad","message":"it is wrong","attempt":2,"where":"flows/a.seta:3:6",'
    b'"handler":{"step":"on_error/send","code":"worse","message":"this too","attempt":1}}'
)


def test_an_error_of_the_handler_stands_beside_its_cause() -> None:
    row = RunRow(1, "id", "f", "plan", RunState.DEAD, 0, 1, "main", msgspec.Raw(ERROR))
    assert run_from(row).error == RunError(
        "main", "bad", "it is wrong", 2, "flows/a.seta:3:6", RunError("on_error/send", "worse", "this too", 1)
    )
