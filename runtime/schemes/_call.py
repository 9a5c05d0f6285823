"""What a scheme sees of a request: raw, before anything is decoded."""

from dataclasses import dataclass
from typing import SupportsBytes
from urllib.parse import parse_qsl, urlsplit

from compiler.catalog import Delivery

_PARAMETERS = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `url` is the whole one as the sender called it; headers have names in lower case.

    A large body lies in a file, and is read where a scheme signs it.
    """

    method: bytes
    url: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes | SupportsBytes

    def header(self, name: bytes) -> bytes | None:
        """The value of a header; None where it is absent, and where it comes twice: which one counts is unclear."""
        found = [value for known, value in self.headers if known == name]
        return found[0].strip() if len(found) == 1 else None

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, or None."""
        try:
            pairs = parse_qsl(self.query.decode(), keep_blank_values=True, max_num_fields=_PARAMETERS)
        except ValueError:  # not UTF-8, or too many
            return None
        return next((value for known, value in pairs if known == name), None)


def call_of(delivery: Delivery, without: str = "") -> Call:
    """The request that a worked example is; one of its headers may be left out."""
    headers = [(name.lower().encode(), value.encode()) for name, value in delivery.headers.items() if name != without]
    query = urlsplit(delivery.url).query.encode()
    return Call(b"POST", delivery.url.encode(), query, headers, delivery.body.encode())
