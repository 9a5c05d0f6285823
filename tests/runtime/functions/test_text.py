"""Functions of text: against Python's own, and for what must hold of any text."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.capitalize_name import capitalize_name
from runtime.functions.contains import contains
from runtime.functions.ends_with import ends_with
from runtime.functions.first_name import first_name
from runtime.functions.join import join
from runtime.functions.only_digits import only_digits
from runtime.functions.pad_left import pad_left
from runtime.functions.replace import replace
from runtime.functions.slice_ import slice_
from runtime.functions.slug import slug
from runtime.functions.split import split
from runtime.functions.starts_with import starts_with
from runtime.functions.trim import trim
from runtime.functions.without_accents import without_accents
from tests.runtime.functions.failing import code

names = st.text(alphabet="aeiouãéçÁÊbdS -'\u2019", max_size=30)


@pytest.mark.parametrize("function", [trim, only_digits, without_accents, slug], ids=lambda f: f.__name__)
@given(text=st.text())
def test_doing_it_again_changes_nothing(function: Callable[[str], str], text: str) -> None:
    assert function(function(text)) == function(text)


@given(names)
def test_a_name_that_is_capitalized_stays_as_it_is(name: str) -> None:
    assert capitalize_name(capitalize_name(name)) == capitalize_name(name)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("JOSÉ CARLOS DE OLIVEIRA E SILVA", "José Carlos de Oliveira e Silva"),
        ("da silva", "Da Silva"),
        ("maria das dores\tdo carmo", "Maria das Dores do Carmo"),
        ("sant\u2019ana", "Sant\u2019Ana"),
        ("joa\u0303o", "João"),
        ("", ""),
    ],
)
def test_names_are_written_as_in_portuguese(typed: str, written: str) -> None:
    assert capitalize_name(typed) == written


@given(names)
def test_a_first_name_is_one_word_or_absent(name: str) -> None:
    found = first_name(name)

    assert found is None if not name.strip() else found == capitalize_name(name).split()[0]


@given(st.text(max_size=20), st.text(min_size=1, max_size=2))
def test_what_was_split_is_joined_to_the_same_text(text: str, separator: str) -> None:
    assert join(split(text, separator), separator) == text


@given(st.text(alphabet="ab", max_size=12), st.text(alphabet="ab", min_size=1, max_size=3), st.text(max_size=3))
def test_replacing_is_splitting_and_joining(text: str, old: str, new: str) -> None:
    assert replace(text, old, new) == join(split(text, old), new)


@given(st.text(alphabet="ab", max_size=6), st.text(alphabet="ab", max_size=3))
def test_a_text_contains_its_beginning_and_end_and_what_stands_between(text: str, part: str) -> None:
    assert starts_with(part + text, part)
    assert ends_with(text + part, part)
    assert contains(text, part) == any(starts_with(slice_(text, place), part) for place in range(len(text) + 1))


@given(st.text(max_size=8), st.integers(-10, 10))
def test_slices_at_one_place_make_up_the_text(text: str, place: int) -> None:
    assert slice_(text, 0, place) + slice_(text, place) == text


@given(st.text())
def test_only_digits_are_left_of_a_text(text: str) -> None:
    assert re.fullmatch("[0-9]*", only_digits(text))


def test_digits_of_other_scripts_are_digits() -> None:
    assert only_digits("\u0661\u0662 \uff13 ²") == "123"


@given(st.text())
def test_a_slug_has_letters_digits_and_single_hyphens_between(text: str) -> None:
    assert re.fullmatch("([a-z0-9]+(-[a-z0-9]+)*)?", slug(text))


@pytest.mark.parametrize(
    ("text", "written"),
    [("São João d'El-Rei", "sao-joao-d-el-rei"), ("Straße Nº 5", "strasse-no-5"), ("ﬁ ① é", "fi-1-e"), ("日本", "")],
)
def test_slugs_of_odd_texts(text: str, written: str) -> None:
    assert slug(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("ÀÁÂÃÄÇÉÍÓÕÚÜ àáâãäçéíóõúü", "AAAAACEIOOUU aaaaaceioouu"), ("한국어 が", "한국어 が"), ("Łódź", "Łodz")],
)
def test_accents_are_taken_off_latin_letters_and_nothing_else_changes(text: str, written: str) -> None:
    assert without_accents(text) == written


@given(st.text(max_size=5), st.integers(-3, 9))
def test_a_padded_text_is_as_wide_as_asked_or_as_it_was(text: str, width: int) -> None:
    padded = pad_left(text, width, "0")

    assert len(padded) == max(len(text), width)
    assert padded.endswith(text)


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73", "\uff9e\u0323", "\u0651\u0650"])
@pytest.mark.parametrize("function", [capitalize_name, without_accents, slug], ids=lambda f: f.__name__)
def test_marks_heaped_upon_a_letter_hold_nobody_up(function: Callable[[str], str], marks: str) -> None:
    heaped = function("e" + marks * 100_000)

    assert function(heaped) == heaped
    assert len(heaped) <= 62


def test_rows_of_signs_are_no_marks() -> None:
    signs = "═" * 40 + "🎉" * 40 + "e" + "\u0653" * 30

    assert without_accents(signs) == signs


def test_texts_that_would_grow_too_long_are_never_made() -> None:
    assert code(replace, "a" * 10_001, "a", "b" * 1_000) == "too_long"
    assert code(join, ["a" * 1_000] * 10_001, "") == "too_long"
    assert code(join, [""] * 10_001, "," * 1_000) == "too_long"
    assert code(split, "," * 100_000, ",") == "too_many"
    assert len(split("," * 99_999, ",")) == 100_000
