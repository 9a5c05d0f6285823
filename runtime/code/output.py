"""What a block prints: forwarded as text while it comes, up to a limit a call."""

import codecs
from collections.abc import Callable

_LIMIT = 64 * 1024


class Output:
    """The output of one call; what is over the limit is dropped, and that is said once."""

    def __init__(self, forward: Callable[[str], None]) -> None:
        self._forward = forward
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._left = _LIMIT

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take what came from the pipe; `final` ends a character that was cut short."""
        if self._left < 0:
            return
        text = self._decoder.decode(data[: self._left], final)
        if text:
            self._forward(text)
        self._left -= len(data)
        if self._left < 0:
            self._forward("\n[output cut at 64 KiB]\n")
