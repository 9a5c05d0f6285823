"""All functions: the registry, signatures that hang together, examples that hold, and what must hold of any call."""

import inspect
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.catalog import Example, Function
from dsl import Source, parse
from runtime.failures import StepFailure
from runtime.functions import FUNCTIONS
from runtime.functions.cnpj import cnpj
from runtime.functions.cpf import cpf
from tests.runtime.functions.literals import value_of

SIGNATURES = [signature for signature, _ in FUNCTIONS]
EXAMPLES = [(signature, example) for signature in SIGNATURES for example in signature.examples]
NOMINAL = {"phone", "email", "url", "cpf", "cnpj"}
NAMED = {"text", "int", "bool", "decimal", "datetime", "date", "duration", "json", "secret", *NOMINAL}

each_signature = pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.name)
each_function = pytest.mark.parametrize(("signature", "call"), FUNCTIONS, ids=[found.name for found in SIGNATURES])
each_example = pytest.mark.parametrize(
    ("signature", "example"), EXAMPLES, ids=[example.call for _, example in EXAMPLES]
)


# The registry and the signatures --------------------------------------------------------------------------------------


def test_the_registry_is_sorted_and_has_each_name_once() -> None:
    names = [signature.name for signature in SIGNATURES]

    assert names == sorted(set(names))


def test_signatures_survive_being_written_down() -> None:
    data = msgspec.json.encode(SIGNATURES)

    assert msgspec.json.decode(data, type=list[Function]) == SIGNATURES


def well_formed(written: str) -> bool:
    bare = written.removesuffix("?")
    if bare.startswith("["):
        return bare.endswith("]") and well_formed(bare[1:-1])
    return bare in NAMED or re.fullmatch("[A-Z]", bare) is not None or bare.startswith("{")


@each_signature
def test_types_are_types_of_the_language(signature: Function) -> None:
    assert all(well_formed(written) for written in (signature.result, *(param.type for param in signature.params)))
    assert signature.result != "secret"


@each_signature
def test_a_record_that_comes_out_is_a_type_of_the_language(signature: Function) -> None:
    if signature.result.startswith("{"):
        assert parse(Source("result.seta", f"type t = {signature.result}\n")).diagnostics == ()


@each_signature
def test_a_type_variable_of_the_result_is_one_of_the_parameters(signature: Function) -> None:
    taken = {letter for param in signature.params for letter in re.findall("[A-Z]", param.type)}

    assert set(re.findall("[A-Z]", signature.result)) <= taken


@each_signature
def test_names_are_short_and_english_and_docs_are_sentences(signature: Function) -> None:
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in (signature.name, *(p.name for p in signature.params)))
    assert len(signature.name) <= 20
    assert signature.doc.endswith(".")


@each_function
def test_parameters_are_those_of_the_implementation(signature: Function, call: Callable[..., object]) -> None:
    found = inspect.signature(call).parameters

    assert [param.name for param in signature.params] == list(found)
    for param in signature.params:
        assert param.required == (found[param.name].default is inspect.Parameter.empty)


@each_signature
def test_required_parameters_come_first_and_constants_are_texts(signature: Function) -> None:
    assert sorted(signature.params, key=lambda param: not param.required) == list(signature.params)
    assert all(param.type == "text" for param in signature.params if param.constant)


@each_signature
def test_what_rewrites_gives_a_text_of_a_text(signature: Function) -> None:
    if signature.rewrites:
        assert signature.params[0].type == "text"
        assert signature.result in {"text", *NOMINAL}


@each_signature
def test_failures_are_sorted_codes_of_which_examples_show_those_that_are_shown_in_a_line(signature: Function) -> None:
    shown = {example.fails for example in signature.examples if example.fails}

    assert list(signature.failures) == sorted(set(signature.failures))
    assert shown <= set(signature.failures)
    assert set(signature.failures) - shown <= NOT_SHOWN.get(signature.name, set())


NOT_SHOWN = {
    "contains_item": {"too_deep"},
    "format_brl": {"overflow"},
    "format_decimal_br": {"overflow"},
    "format_phone": {
        *("bad_area_code", "bad_length", "empty", "invalid_for_country", "no_digits", "unknown_region", "unparseable"),
    },
    "join": {"too_long"},
    "phone_info": {
        *("bad_area_code", "bad_length", "empty", "invalid_for_country", "no_digits", "unknown_region", "unparseable"),
        "scientific_notation",
    },
    "parse_json": {"too_deep"},
    "replace": {"too_long"},
    "split": {"too_many"},
    "sum": {"overflow"},
    "to_json": {"too_deep"},
    "unique": {"too_deep"},
}


# Examples -------------------------------------------------------------------------------------------------------------


@each_example
def test_examples_hold(signature: Function, example: Example) -> None:
    assert (example.gives is None) != (example.fails is None)
    if example.fails is not None:
        with pytest.raises(StepFailure) as caught:
            value_of(example.call)
        assert caught.value.code == example.fails
    else:
        found, expected = value_of(example.call), value_of(example.gives or "")
        assert found == expected
        assert isinstance(found, bool) == isinstance(expected, bool)
    assert example.call.startswith(f"{signature.name}(")


@each_example
def test_examples_are_written_in_the_language(signature: Function, example: Example) -> None:
    assert signature.examples
    for written in filter(None, (example.call, example.gives)):
        assert parse(Source("example.seta", f"on webhook\n  -> x = {written}\n")).diagnostics == ()


# Any call -------------------------------------------------------------------------------------------------------------

CPFS = st.sampled_from([cpf("52998224725"), cpf("12345678909")])
CNPJS = st.sampled_from([cnpj("00000000000191"), cnpj("12ABC34501DE35")])
INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-40, 40)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)
TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        *("31/12/2024", "2024-12-31T08:00:00-03:00", "08:00", "1.234,56", "R$ 10,00", "-7"),
        *("529.982.247-25", "01310-100", "(11) 8765-4321", "+1 212 555 0123"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | INTS | DECIMALS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "int": INTS,
    "bool": st.booleans(),
    "decimal": DECIMALS | INTS,  # an int may stand where a decimal is taken
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "date": st.dates(),
    "duration": INTS,
    "json": JSON,
    "secret": TEXTS,
    "cpf": CPFS,
    "cnpj": CNPJS,
}
CONSTANTS = {
    "pattern": ["dd/MM/yyyy", "yyyy-MM-dd HH:mm:ss.SSS", "d/M/yy H", "'de' XXX", "hh", "'", "", "yyyyMMdd yyyy"],
    "zone": ["America/Sao_Paulo", "America/Noronha", "Asia/Kathmandu", "UTC", "", "../UTC", "Europe"],
    "region": ["BR", "PT", "ZZ"],
    "area_code": ["11", "00"],
}
KINDS = ["text", "int", "decimal", "bool", "date", "datetime", "json", "[text]"]


def values(written: str, kind: str) -> st.SearchStrategy[Any]:
    """Values of a type as a signature writes it, with the type that its variable stands for."""
    if written.endswith("?"):
        return st.none() | values(written[:-1], kind)
    if written.startswith("["):
        return st.lists(values(written[1:-1], kind), max_size=6)
    return VALUES[written] if written in VALUES else values(kind, kind)


CLASSES = {
    **dict.fromkeys(("text", "phone", "cpf", "cnpj"), str),
    "int": int,
    "duration": int,
    "bool": bool,
    "decimal": Decimal,
    "datetime": datetime,
    "date": date,
}


def is_a(value: object, written: str, kind: str) -> bool:
    """Whether a value is of a type as a signature writes it."""
    bare = written.removesuffix("?")
    if value is None:
        return bare != written or kind == "json" or bare == "json"
    if bare.startswith("{"):
        fields = dict(re.findall(r"(\w+): ([^,}]+)", bare))
        return isinstance(value, dict) and value.keys() == fields.keys()
    if bare.startswith("["):
        return isinstance(value, list) and all(is_a(item, bare[1:-1], kind) for item in value)
    if bare not in NAMED:
        return is_a(value, kind, kind) or (kind == "decimal" and is_a(value, "int", kind))
    return bare == "json" or (type(value) is CLASSES[bare] and in_bounds(value))


def in_bounds(value: object) -> bool:
    match value:
        case bool():
            return True
        case int():
            return -(2**63) <= value < 2**63
        case Decimal():
            return value.is_finite() and len(value.as_tuple().digits) <= 28
        case datetime():
            return value.tzinfo is UTC
        case _:
            return True


@each_function
@settings(max_examples=30)
@given(data=st.data())
def test_any_call_gives_its_type_or_a_failure_of_its_own_twice_the_same_and_changes_nothing(
    signature: Function, call: Callable[..., object], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    arguments = {
        param.name: data.draw(
            st.sampled_from(CONSTANTS[param.name]) if param.constant else values(param.type, kind), param.name
        )
        for param in signature.params
        if param.required or data.draw(st.booleans())
    }
    before = deepcopy(arguments)

    found = outcome(call, arguments)

    if isinstance(found, StepFailure):
        assert found.code in signature.failures
        assert found.message
    else:
        assert is_a(found, signature.result, kind)
    assert arguments == before
    assert repr(outcome(call, arguments)) == repr(found)


def outcome(call: Callable[..., object], arguments: dict[str, Any]) -> object:
    try:
        return call(**arguments)
    except StepFailure as failure:
        return failure
