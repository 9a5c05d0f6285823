"""Fields of forms, nested as their names say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.door.forms import nested, read_form
from runtime.door.texts import UnreadableError


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("", {}),
        ("&&", {}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=x", {"": "x"}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ("Seu+nome=Jo%C3%A3o", {"Seu nome": "João"}),
        ("nome=João", {"nome": "João"}),
        ("a.b=1", {"a.b": "1"}),
        ("a=%zz&b=%", {"a": "%zz", "b": "%"}),
        ("a=%00", {"a": "\x00"}),
        # PHP's brackets
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a%5Bb%5D%5Bc%5D=1", {"a": {"b": {"c": "1"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[][b]=1&a[][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a[0]=x&a[1]=y", {"a": {"0": "x", "1": "y"}}),
        ("a[b][]=1", {"a": {"b": ["1"]}}),
        ("a[ b ]=1", {"a": {" b ": "1"}}),
        # a field that comes again
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[b]=1&a[b]=2", {"a": {"b": ["1", "2"]}}),
        # brackets that are part of a name
        ("a[b=1", {"a[b": "1"}),
        ("a]=1", {"a]": "1"}),
        ("[a]=1", {"[a]": "1"}),
        ("a[b]c=1", {"a[b]c": "1"}),
        ("a[[b]]=1", {"a[[b]]": "1"}),
    ],
)
def test_fields_of_a_form(body: str, fields: dict[str, Any]) -> None:
    assert read_form(body.encode()) == fields


def test_form_of_an_old_system_is_read_as_it_says() -> None:
    assert read_form(b"nome=Jo%E3o&cidade=S\xe3o+Paulo", "Windows-1252") == {"nome": "João", "cidade": "São Paulo"}


@pytest.mark.parametrize(
    "body", ["a=1&a[b]=2", "a[b]=2&a=1", "a=1&a[]=2", "a[]=1&a[b]=2", "a[b]=1&a[]=2", "a[b]=1&a[b][c]=2"]
)
def test_field_that_is_given_in_two_ways_is_refused(body: str) -> None:
    with pytest.raises(UnreadableError, match="a value and also holds others"):
        read_form(body.encode())


def flat(value: Any, name: str) -> list[tuple[str, Any]]:
    """The fields that PHP's http_build_query writes of a value."""
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in flat(part, f"{name}[{key}]")]
    return [(name, value)]


keys = st.text(st.characters(exclude_characters="[]", codec="utf-8"), min_size=1, max_size=4)
trees = st.recursive(
    st.text(max_size=5), lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3), max_leaves=8
)


@given(fields=st.dictionaries(keys, trees, max_size=4))
def test_what_php_writes_is_read_back(fields: dict[str, Any]) -> None:
    assert nested(pair for name, value in fields.items() for pair in flat(value, name)) == fields


@given(body=st.binary(max_size=60) | st.text(alphabet="ab[]=&%5BD+", max_size=40).map(str.encode))
def test_no_form_does_worse_than_be_refused(body: bytes) -> None:
    try:
        read_form(body)
    except UnreadableError:
        return
