"""What a journal counts: its commits, how long they took, and how many writes each carried."""

from typing import Final

from runtime.counts import Histogram

COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_WRITES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


class CommitCounts:
    """Numbers since the start. Only the writer's thread adds to them."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self.seconds = Histogram(COMMIT_SECONDS)  # of those that were kept, until they were on disk
        self.writes = Histogram(BATCH_WRITES)

    def kept(self, writes: int, seconds: float) -> None:
        """Take note of a commit that is on disk."""
        self.done += 1
        self.writes.add(writes)
        self.seconds.add(seconds)
