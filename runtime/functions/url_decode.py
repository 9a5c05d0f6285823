"""url_decode: the text behind percent-encoding."""

import re
from urllib.parse import unquote_to_bytes

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure

SIGNATURE = Function(
    name="url_decode",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Gives the text that was percent-encoded. A plus sign stays one: that it means a space holds in forms only, "
        "and those come decoded."
    ),
    failures=("bad_escape", "not_text"),
    examples=(
        Example('url_decode("S%C3%A3o%20Paulo")', gives='"São Paulo"'),
        Example('url_decode("1+1")', gives='"1+1"'),
        Example('url_decode("100%")', fails="bad_escape"),
        Example('url_decode("%FF")', fails="not_text"),
    ),
)

_BAD = re.compile("%(?![0-9A-Fa-f]{2})")


def url_decode(value: str) -> str:
    """The text; raises StepFailure `bad_escape` or `not_text`."""
    if _BAD.search(value):
        raise StepFailure("bad_escape", "a percent sign is not followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise StepFailure("not_text", "what is percent-encoded is not a text in UTF-8") from error
