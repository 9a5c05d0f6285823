"""Hashes and encodings: there and back, and what is refused."""

import hmac
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.base64 import base64
from runtime.functions.base64_decode import base64_decode
from runtime.functions.hmac_sha256 import hmac_sha256
from runtime.functions.sha256 import sha256
from runtime.functions.url_decode import url_decode
from runtime.functions.url_encode import url_encode
from tests.runtime.functions.failing import code


@given(st.text())
def test_base64_is_read_back(text: str) -> None:
    written = base64(text)

    assert base64_decode(written) == text
    assert base64_decode(written.rstrip("=")) == text
    assert base64_decode(written.replace("+", "-").replace("/", "_")) == text
    assert base64_decode("\r\n".join(written)) == text


@pytest.mark.parametrize("text", ["A", "AAAAA", "====A", "ab=c", "ab*c", "é", "ab\0c"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    assert code(base64_decode, text) == "not_base64"


@given(st.text())
def test_percent_encoding_is_read_back_and_as_python_reads_it(text: str) -> None:
    written = url_encode(text)

    assert url_decode(written) == text == unquote(written)
    assert written.isascii()


@given(st.text(alphabet="ab%20é+FfGg", max_size=12))
def test_what_is_decoded_is_what_python_decodes(text: str) -> None:
    if re.search("%(?![0-9a-fA-F]{2})", text):
        assert code(url_decode, text) == "bad_escape"
    elif "\ufffd" in unquote(text):
        assert code(url_decode, text) == "not_text"
    else:
        assert url_decode(text) == unquote(text)


@pytest.mark.parametrize("text", ["%", "%1", "%%20", "%G0", "%u00e9", "a%2"])
def test_a_percent_sign_without_two_digits_is_refused(text: str) -> None:
    assert code(url_decode, text) == "bad_escape"


@given(st.text(), st.text())
def test_signatures_are_those_of_the_key_and_the_text(key: str, text: str) -> None:
    assert hmac_sha256(key, text) == hmac.new(key.encode(), text.encode(), "sha256").hexdigest()
    assert hmac_sha256(key, text) != sha256(text)
