"""Addresses of flows."""

import re

import pytest

from runtime.door.hooks import hook_path, make_table
from tests.runtime.door.harness import KEY, PATH, UNLOCKED, program


def test_address_depends_on_key_and_flow_and_on_nothing_else() -> None:
    assert hook_path(KEY, "retomada") == PATH
    assert hook_path(KEY, "retomada2") != PATH
    assert hook_path(b"l" * 32, "retomada") != PATH


def test_address_is_made_of_24_hex_digits() -> None:
    assert re.fullmatch(r"/v1/[0-9a-f]{24}", hook_path(KEY, "olá"))


def test_table_holds_paths_as_requests_write_them() -> None:
    table = make_table(KEY, [program(), program("a", path="/leads/olá mundo"), program("b", path="/x%2Fy")], UNLOCKED)
    assert sorted(table) == [b"/leads/ol%C3%A1%20mundo", PATH.encode(), b"/x%252Fy"]
    assert table[PATH.encode()].flow == "retomada"


def test_two_flows_at_one_address_are_refused() -> None:
    with pytest.raises(ValueError, match="the flows a and b share the path /leads"):
        make_table(KEY, [program("a", path="/leads"), program("b", path="/leads")], UNLOCKED)


def test_table_cannot_be_changed() -> None:
    table = make_table(KEY, [program()], UNLOCKED)
    with pytest.raises(TypeError):
        table[b"/"] = table[PATH.encode()]  # type: ignore[index]  # that is what is tested
