"""What the fault tests share: each says what it measured."""

from collections.abc import Callable, Iterator

import pytest

Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Iterator[Tell]:
    """Print a figure, which is the point of a fault test; all of them once the test has ended."""
    figures: list[str] = []
    yield figures.append
    with capsys.disabled():
        for figure in figures:
            print(f"\n{figure}")  # noqa: T201  # see above
