"""The grammar itself."""

import pytest
from lark import Lark

from dsl import Source, parse
from dsl.grammar import grammar_path, lark_parser
from dsl.nodes import FieldDecl, walk
from tests.dsl.reading import read


def test_grammar_has_no_conflict_and_no_colliding_terminals() -> None:
    Lark(grammar_path().read_text(encoding="utf-8"), parser="lalr", strict=True)


def test_grammar_is_found_at_the_root_of_a_checkout() -> None:
    assert grammar_path().name == "grammar.lark"
    assert grammar_path().exists()


def test_parser_is_built_once() -> None:
    assert lark_parser() is lark_parser()


@pytest.mark.parametrize(
    "word",
    ["from", "to", "type", "by", "with", "code", "on", "if", "else", "flow", "test", "not", "none", "wait", "as"],
)
def test_payload_field_may_be_called_like_a_keyword(word: str) -> None:
    file = read(f"on webhook {{{word}: text, b: {{{word}: int}}}} -> log payload.{word} -> post x with {{{word}: 1}}")
    names = [node.name.text for node in walk(file) if isinstance(node, FieldDecl)]
    assert names == [word, "b", word]


@pytest.mark.parametrize("word", ["from", "to", "type", "by", "with", "code", "on", "if", "retry", "stop", "wait"])
def test_bare_name_like_a_keyword_is_a_value(word: str) -> None:
    read(f"on webhook {{{word}: text}} -> upsert person by {word} with {{{word}}} -> x = f({word}, a: {word})")


@pytest.mark.parametrize("word", ["def", "flow", "on", "test", "type"])
@pytest.mark.parametrize("value", ["{}.a", "{}[0]", "{} + 1", "{}(1)", "{} or b", "{} # quem\n == 1", "{}"])
def test_value_that_may_be_left_out_may_begin_with_a_word_that_begins_items(word: str, value: str) -> None:
    written = value.format(word)
    read(f"on webhook -> if a {{ -> stop {written} }} -> respond 200 {written} -> stop {written}")


@pytest.mark.parametrize("item", ["flow b on webhook -> stop", "on webhook -> stop", "type or = text", 'test "x" { }'])
@pytest.mark.parametrize("end", ["stop", "respond 200"])
def test_item_may_follow_a_value_that_is_left_out(end: str, item: str) -> None:
    assert len(read(f"flow a on webhook -> {end}\n{item}").items) == 2


@pytest.mark.parametrize(
    "text",
    [
        "on webhook {a # : text\n # =\n : text # x\n} -> stop",
        "on webhook -> a # a: b\n\n # =\n = 1",
        "on webhook -> log {a # b: c\n : 1} -> f(x # y\n : 1)",
        "on webhook -> stop on # what\n # follows\n error -> stop",
        "on webhook -> stop\non#what\nerror -> stop",
    ],
)
def test_comment_may_stand_before_the_sign_that_says_what_a_name_is(text: str) -> None:
    read(text)


@pytest.mark.parametrize("word", ["given", "mock", "expect", "by", "with", "else", "flow", "on", "type", "test", "def"])
def test_branch_may_be_called_like_a_keyword(word: str) -> None:
    read(f"on webhook -> parallel {{ {word} {{ -> stop }} a {{ }} {word} {{ -> stop }} }}")


@pytest.mark.parametrize("name", ["iffy", "notx", "format", "wait1", "endereço", "e\u0301t", "_x", "日本"])
def test_word_that_begins_like_a_keyword_is_a_name(name: str) -> None:
    read(f"on webhook {{{name}: text}} -> {name} {name} by {name} -> {name}({name}) -> {name} = {name}")


@pytest.mark.parametrize(
    "text",
    [
        "on webhook -> respond",
        "on webhook -> wait",
        "on webhook -> upsert person as",
        'test "x" { expect respond }',
        "on webhook -> x = a b",
        "on webhook -> match a { }",
        "on webhook -> parallel { }",
        "on webhook -> f(x)(y)",
        "type A = text??",
        "on webhook -> a < b == c",
    ],
)
def test_what_is_no_program_is_not_read_as_one(text: str) -> None:
    assert parse(Source("a.seta", text)).diagnostics


def test_line_ends_mean_nothing() -> None:
    text = 'on webhook open {a: int} -> x = a + 1 -> if x > 2 { -> log "y" } else { -> stop } -> upsert person by x'
    one_word_a_line = text.replace(" ", "\n")
    assert [type(node) for node in walk(read(text))] == [type(node) for node in walk(read(one_word_a_line))]
