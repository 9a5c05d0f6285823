"""Work that takes long, done beside the event loop."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

TURN_SECONDS: Final = 0.001  # a small delivery asks for the interpreter some dozen times, and waits so long each time
_USUAL: Final = sys.getswitchinterval()


async def beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something in a thread; the event loop gets the interpreter back sooner than usual meanwhile.

    The interval is the whole process's: of two such works, the first to end gives it back.
    """
    sys.setswitchinterval(TURN_SECONDS)
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    finally:
        sys.setswitchinterval(_USUAL)
