"""What a call fails with."""

from collections.abc import Callable

import pytest

from runtime.failures import StepFailure


def code(call: Callable[..., object], *arguments: object) -> str:
    """The code of the failure that this call must end in."""
    with pytest.raises(StepFailure) as caught:
        call(*arguments)
    return caught.value.code
