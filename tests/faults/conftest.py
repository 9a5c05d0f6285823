"""What the fault tests share: each says what it measured."""

from collections.abc import Callable

import pytest

Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Tell a figure, which is the point of a fault test; the summary of the tests prints all of them."""
    return lambda figure: record_property("figure", figure)
