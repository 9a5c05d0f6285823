"""What verbs ask of web services through, whatever carries it: no library of HTTP is known here."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Final, Protocol

from runtime.failures import StepFailure

LIMIT: Final = 15.0  # s for one request and its answer
CAP: Final = 1_000_000  # bytes of an answer, decoded


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, its body decoded. The names of its headers are in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the other side has done what it was asked for."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body in the charset that its type names, or else in UTF-8."""
        kind = Message()
        kind["Content-Type"] = self.headers.get("Content-Type", "")
        try:
            return self.content.decode(str(kind.get_param("charset", "utf-8")), "replace")
        except LookupError:  # no charset that Python knows
            return self.content.decode("utf-8", "replace")


class Asks(Protocol):
    """Who sends requests and brings the answers, as `runtime.connections.http.HttpClient` does."""

    async def ask(  # noqa: PLR0913  # a request is all of these
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        limit: float = LIMIT,
        cap: int = CAP,
        any_status: bool = False,
        also: Container[int] = (),
    ) -> Answer:
        """Give a successful answer, read whole. Raises StepFailure with the codes of `HttpClient.ask`."""

    def refusal(self, url: str, answer: Answer, why: str) -> StepFailure:
        """What an answer that is no success means by its status; `why` is what it says itself."""
