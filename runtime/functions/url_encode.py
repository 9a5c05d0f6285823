"""url_encode: a text as a part of a URL."""

from urllib.parse import quote

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="url_encode",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Gives the text in UTF-8, percent-encoded but for letters, digits and - . _ ~ (RFC 3986). The holes of a URL "
        "are encoded already; this is for URLs that travel inside of texts."
    ),
    examples=(
        Example('url_encode("São Paulo/SP")', gives='"S%C3%A3o%20Paulo%2FSP"'),
        Example('url_encode("a-b.c_d~e")', gives='"a-b.c_d~e"'),
    ),
)


def url_encode(value: str) -> str:
    """All but the unreserved characters of RFC 3986, 2.3, percent-encoded."""
    return quote(value, safe="")
