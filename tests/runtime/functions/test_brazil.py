"""CPF, CNPJ and CEP: known numbers, their check digits, their masks."""

from collections.abc import Callable
from string import ascii_uppercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.failures import StepFailure
from runtime.functions.cep import cep
from runtime.functions.cnpj import cnpj
from runtime.functions.cpf import cpf
from runtime.functions.format_cep import format_cep
from runtime.functions.format_cnpj import format_cnpj
from runtime.functions.format_cpf import format_cpf
from tests.runtime.functions.failing import code

few = settings(max_examples=30)


@pytest.mark.parametrize("number", ["529.982.247-25", "123.456.789-09", "111.444.777-35", "000.000.001-91"])
def test_known_cpfs_are_taken_with_and_without_their_mask(number: str) -> None:
    plain = cpf(number)

    assert format_cpf(plain) == number
    assert cpf(plain) == cpf(f" {number}\n") == cpf(number.replace(".", " ")) == plain


@pytest.mark.parametrize(
    "number",
    [
        "00.000.000/0001-91",
        "33.000.167/0001-01",
        "11.222.333/0001-81",
        "12.ABC.345/01DE-35",  # the Receita Federal's example
    ],
)
def test_known_cnpjs_are_taken_with_and_without_their_mask(number: str) -> None:
    plain = cnpj(number)

    assert format_cnpj(plain) == number
    assert cnpj(plain) == cnpj(number.lower()) == plain


@few
@given(st.text(alphabet=digits, min_size=9, max_size=9).filter(lambda base: len(set(base)) > 1))
def test_nine_digits_have_one_pair_of_check_digits(base: str) -> None:
    assert len([pair for pair in range(100) if accepted(cpf, f"{base}{pair:02}")]) == 1


@few
@given(st.text(alphabet=digits + ascii_uppercase, min_size=12, max_size=12).filter(lambda base: len(set(base)) > 1))
def test_twelve_characters_have_one_pair_of_check_digits(base: str) -> None:
    assert len([pair for pair in range(100) if accepted(cnpj, f"{base}{pair:02}")]) == 1


def accepted(check: Callable[[str], str], number: str) -> bool:
    try:
        return check(number) == number
    except StepFailure:
        return False


@pytest.mark.parametrize("digit", digits)
def test_one_digit_throughout_is_made_up(digit: str) -> None:
    assert code(cpf, digit * 11) == "repeated"
    assert code(cnpj, digit * 14) == "repeated"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("52998224725x", "bad_character"),
        ("\uff152998224725", "bad_character"),
        ("529982247250", "bad_length"),
        ("2998224725", "bad_length"),
        ("52998224752", "bad_check_digits"),
        ("25998224725", "bad_check_digits"),
        ("", "empty"),
        (" . . - ", "empty"),
        ("5" * 100_000, "bad_length"),
    ],
)
def test_what_is_not_surely_a_cpf_is_refused(number: str, expected: str) -> None:
    assert code(cpf, number) == expected


def test_no_failure_shows_a_digit_of_the_number() -> None:
    for number in ("529.982.247-24", "52998224725x", "529982247", "77777777777"):
        with pytest.raises(StepFailure) as caught:
            cpf(number)
        assert not set(caught.value.message.replace("000.000.000-00", "")) & set("52784")


@pytest.mark.parametrize(
    ("number", "expected"),
    [("12ABC34501DÉ35", "bad_character"), ("12ABC34501DE3A", "bad_character"), ("12ABC34501DE53", "bad_check_digits")],
)
def test_what_is_not_surely_a_cnpj_is_refused(number: str, expected: str) -> None:
    assert code(cnpj, number) == expected


@given(st.text(alphabet=digits, min_size=8, max_size=8))
def test_a_cep_loses_its_mask_and_gets_it_back(number: str) -> None:
    assert cep(format_cep(number)) == number
    assert format_cep(format_cep(number)) == format_cep(number)
