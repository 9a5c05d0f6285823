"""base64_decode: the text behind base64."""

from base64 import b64decode

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure

SIGNATURE = Function(
    name="base64_decode",
    params=(Param("value", "text", doc="in the standard alphabet or that for URLs, with or without padding"),),
    result="text",
    doc=(
        "Gives the text that was written as base64. White space in it does not count. What is not base64 is failure "
        "`not_base64`; what is not a text in UTF-8, such as an image, is failure `not_text`."
    ),
    failures=("not_base64", "not_text"),
    examples=(
        Example('base64_decode("U8OjbyBQYXVsbw==")', gives='"São Paulo"'),
        Example('base64_decode("fn5-")', gives='"~~~"'),
        Example('base64_decode("São Paulo")', fails="not_base64"),
        Example('base64_decode("U8O=jb")', fails="not_base64"),
        Example('base64_decode("/9j/")', fails="not_text"),
    ),
)

_STANDARD = str.maketrans("-_", "+/")


def base64_decode(value: str) -> str:
    """The text; raises StepFailure `not_base64` or `not_text`."""
    letters = "".join(value.split()).translate(_STANDARD)
    unpadded = letters.rstrip("=")
    try:
        return b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True).decode()
    except UnicodeDecodeError as error:
        raise StepFailure("not_text", "what the base64 holds is not a text in UTF-8") from error
    except ValueError as error:  # binascii's error is one
        raise StepFailure("not_base64", "the text is not base64") from error
