"""Documents of what the journal keeps."""

import pytest

from runtime.admin.documents import detail_from
from runtime.journal.rows import RunDetail, RunRow, RunState

ROW = RunRow(1, "run-1", "leads", "plan-1", RunState.WAITING, 1_767_225_600_000, None, "wait", None)


@pytest.mark.parametrize(
    ("wake_at", "told"), [(None, None), (0, None), (1_767_225_660_000, "2026-01-01T00:01:00.000Z")]
)
def test_a_run_that_is_due_by_every_clock_tells_no_instant_of_1970(wake_at: int | None, told: str | None) -> None:
    detail = RunDetail(ROW, "run-1", b"{}", b"", wake_at, None, 0, 0, [])
    assert detail_from(detail).wake_at == told
