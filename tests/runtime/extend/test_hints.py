"""Hints of Python as types of the language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict

import msgspec
import pytest

from compiler.check.written import catalog_type
from compiler.types import show
from runtime.extend.hints import HintError, written
from runtime.extend.marks import Cnpj, Cpf, Email, Phone, Secret, Url
from runtime.steps import catalog


@dataclass
class Item:
    sku: str
    qtd: int | None


class Pedido(msgspec.Struct):
    itens: list[Item]


class Cliente(TypedDict):
    nome: str
    email: NotRequired[Email]


class Faixa(StrEnum):
    ALTA = "a"
    BAIXA = "b"


@dataclass
class Folha:
    pai: "Folha | None"


class Renomeado(msgspec.Struct, rename="camel"):
    um_campo: int


@dataclass
class ComFloat:
    peso: float


Codigo = NewType("Codigo", str)


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (str, "text"),
        (int, "int"),
        (bool, "bool"),
        (Decimal, "decimal"),
        (datetime, "datetime"),
        (date, "date"),
        (timedelta, "duration"),
        (Phone, "phone"),
        (Email, "email"),
        (Url, "url"),
        (Cpf, "cpf"),
        (Cnpj, "cnpj"),
        (Secret, "secret"),
        (Codigo, "text"),
        (Any, "json"),
        (dict[str, Any], "json"),
        (Mapping[str, object], "json"),
        (Annotated[int, "centavos"], "int"),
        (str | None, "text?"),
        (Optional[Phone], "phone?"),  # noqa: UP045  # people write it
        (list[str], "[text]"),
        (list[int | None], "[int?]"),
        (Literal["a", 'b"{'], '"a" | "b\\"{{"'),
        (Literal["a"] | None, '"a"?'),
        (Faixa, '"a" | "b"'),
        (Item, "{sku: text, qtd: int?}"),
        (Pedido, "{itens: [{sku: text, qtd: int?}]}"),
        (Cliente, "{nome: text, email: email?}"),
    ],
)
def test_hint_is_a_type_that_the_compiler_reads(hint: Any, kind: str) -> None:
    assert written(hint) == kind
    assert show(catalog_type(kind, catalog())).replace("{{", "{") == kind.replace("{{", "{").replace('\\"', '"')


@pytest.mark.parametrize(
    ("hint", "advice"),
    [
        (float, "flows have no floats: write Decimal"),
        (bytes, "flows have no bytes: write str, with base64 in it"),
        (list, "say what is in it: list[str]"),
        (tuple[int, str], "write list[…], or a dataclass where each place means something else"),
        (set[str], "write list[…]"),
        (int | str, "a value has one type: write that, or `T | None` where it may be absent"),
        (Literal[1, 2], "the values of a Literal are text"),
        (Folha, "at the field `pai` of Folha: Folha leads back to itself, and no type of a flow does"),
        (Renomeado, "the fields of Renomeado are renamed: a flow reads them as Python does"),
        (ComFloat, "at the field `peso` of ComFloat: flows have no floats: write Decimal"),
        (object(), "it is no type that flows have: see docs/extending.md for those that there are"),
        (HintError, "HintError is no type that flows have: write a dataclass for a record"),
    ],
)
def test_hint_that_is_no_type_says_what_to_write(hint: Any, advice: str) -> None:
    with pytest.raises(HintError) as caught:
        written(hint)
    assert str(caught.value) == advice
