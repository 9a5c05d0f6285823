"""What the nodes of a program say."""

from decimal import Decimal
from pathlib import Path

import pytest

from dsl import Source, Span, nodes
from dsl.nodes import (
    Binary,
    BindStep,
    CodeStep,
    Command,
    DecimalLit,
    DurationLit,
    Every,
    Expect,
    File,
    Flow,
    For,
    Hole,
    If,
    Limit,
    Match,
    Name,
    Node,
    RecordType,
    Text,
    TypeName,
    Unknown,
    Wait,
    children,
    walk,
)
from tests.dsl.cases import tree
from tests.dsl.reading import PROGRAMS, program, read, step


def every(kind: type[Node], file: File) -> list[Node]:
    return [node for node in walk(file) if isinstance(node, kind)]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_tree_of_a_program_is_as_kept(path: Path) -> None:
    assert tree(path) == path.with_suffix(".tree").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_node_lies_within_its_parent_and_has_no_blank_at_its_ends(path: Path) -> None:
    file = read(path.read_text(encoding="utf-8"))
    for node in walk(file):
        text = file.source.slice(node.span)
        assert text == text.strip() or node is file
        for child in children(node):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_name_stands_where_its_span_says(path: Path) -> None:
    file = read(path.read_text(encoding="utf-8"))
    for node in walk(file):
        if isinstance(node, Name):
            assert file.source.slice(node.span).strip('"') == node.text


def test_spans_count_code_points_after_accents_and_emoji() -> None:
    source = Source("a.seta", 'on webhook -> log "é👩‍🔧日本" -> enviar("ã")')
    file = read(source.text)
    call = every(Name, file)[-1]
    assert source.slice(call.span) == "enviar"


def test_identifiers_are_normalised() -> None:
    decomposed = step("enderec\u0327o = cafe\u0301")
    assert isinstance(decomposed, BindStep)
    assert decomposed.name.text == "endereço"
    assert decomposed.span == Span(14, 14 + len("enderec\u0327o = cafe\u0301"))


def test_head_of_a_command_covers_verb_noun_and_literal() -> None:
    found = step('send hsm "oferta" to person with {nome}')
    assert isinstance(found, Command)
    assert found.head == Span(14, 14 + len('send hsm "oferta"'))
    assert isinstance(found.literal, Text)
    assert found.literal.static == "oferta"


def test_operators_bind_as_they_do_elsewhere() -> None:
    found = step("x = a ?? b or not c == d + e * -f.g and h")
    assert isinstance(found, BindStep)

    def shown(node: Node) -> str:
        if isinstance(node, Binary):
            return f"({shown(node.left)} {node.op} {shown(node.right)})"
        inner = list(children(node))
        return f"[{' '.join(map(shown, inner))}]" if inner else str(getattr(node, "name", getattr(node, "text", "")))

    assert shown(found.value) == "(a ?? (b or ([(c == (d + (e * [[f g]])))] and h)))"


def test_operators_of_one_rank_group_from_the_left_and_defaults_from_the_right() -> None:
    left = step("x = a - b - c")
    right = step("x = a ?? b ?? c")
    assert isinstance(left, BindStep)
    assert isinstance(left.value, Binary)
    assert isinstance(left.value.left, Binary)
    assert isinstance(right, BindStep)
    assert isinstance(right.value, Binary)
    assert isinstance(right.value.right, Binary)


def test_operator_has_a_place_of_its_own() -> None:
    found = step("x = a  ==  b")
    assert isinstance(found, BindStep)
    assert isinstance(found.value, Binary)
    assert found.value.op_span == Span(21, 23)


def test_code_step_holds_the_lines_between_the_fences() -> None:
    text = 'on webhook -> code(a): text ```python\n  x = "```"\n  return a\n  ``` as y'
    (found,) = every(CodeStep, read(text))
    assert isinstance(found, CodeStep)
    assert found.python == '  x = "```"\n  return a\n'
    assert text[found.body.start : found.body.end] == found.python


def test_code_step_may_have_no_lines() -> None:
    found = step("code(): text ```python\n```")
    assert isinstance(found, CodeStep)
    assert (found.python, found.params) == ("", ())


def test_empty_block_stands_after_its_brace() -> None:
    found = step("if a { } else if b { } else { -> stop }")
    assert isinstance(found, If)
    assert [arm.chain.span for arm in found.arms] == [Span(20, 20), Span(34, 34)]
    assert found.otherwise is not None
    assert len(found.otherwise.steps) == 1


def test_chain_of_a_flow_without_steps_is_empty_after_the_trigger() -> None:
    (flow,) = read("on webhook open").items
    assert isinstance(flow, Flow)
    assert (flow.chain.steps, flow.chain.span) == ((), Span(15, 15))


def test_limit_given_twice_keeps_both() -> None:
    found = step("for x in xs max 2 parallel 3 max 4 { }")
    assert isinstance(found, For)
    assert (found.max, found.parallel) == ((2, 4), (3,))


def test_case_without_patterns_is_else() -> None:
    found = step('match a { "x", -1, 2.5, true, none => { } else => { } }')
    assert isinstance(found, Match)
    assert [len(case.patterns) for case in found.cases] == [5, 0]


def test_clauses_keep_what_was_written() -> None:
    found = step("get a unknown park unknown retry every 1s every 1s..5m")
    assert isinstance(found, Command)
    policies = [c.policy for c in found.clauses if isinstance(c, Unknown)]
    ranges = [c.high is not None for c in found.clauses if isinstance(c, Every)]
    assert (policies, ranges) == (["park", "retry"], [False, True])


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("200ms", 200), ("90s", 90_000), ("5m", 300_000), ("2h", 7_200_000), ("3d", 259_200_000), ("1w", 604_800_000)],
)
def test_duration_counts_milliseconds(text: str, milliseconds: int) -> None:
    found = step(f"wait {text}")
    assert isinstance(found, Wait)
    assert isinstance(found.duration, DurationLit)
    assert (found.duration.milliseconds, found.duration.text) == (milliseconds, text)


@pytest.mark.parametrize(("text", "size"), [("5mb", 5 * 1024**2), ("64kb", 65_536)])
def test_size_counts_bytes(text: str, size: int) -> None:
    (found,) = every(Limit, read(f"on webhook limit {text}"))
    assert isinstance(found, Limit)
    assert found.size == size


def test_decimal_is_exact() -> None:
    (found,) = every(DecimalLit, read("on webhook -> x = 1000.10"))
    assert isinstance(found, DecimalLit)
    assert str(found.value) == str(Decimal("1000.10"))


def test_range_of_a_type_may_be_open_and_negative() -> None:
    found = every(TypeName, read("type A = {a: int(-90..90), b: int(0..), c: text(..5), d: text}"))
    ranges = [(t.low, t.high, t.ranged) for t in found if isinstance(t, TypeName)]
    assert ranges == [(-90, 90, True), (0, None, True), (None, 5, True), (None, None, False)]


def test_text_resolves_escapes_and_keeps_holes() -> None:
    found = step(r'log "a\"\\\n\t\u{1F600} {{x}} {p.nome}{itens[0].preço}!"')
    (text,) = children(found)
    assert isinstance(text, Text)
    first, nome, preco, last = text.parts
    assert (first, last) == ('a"\\\n\t😀 {x} ', "!")
    assert isinstance(nome, Hole)
    assert isinstance(preco, Hole)
    assert text.static is None


def test_path_in_a_hole_stands_where_it_is_written() -> None:
    source = Source("a.seta", 'on webhook -> log "Olá {p.nome[12]}"')
    (hole,) = every(Hole, read(source.text))
    assert source.slice(hole.span) == "{p.nome[12]}"
    assert [source.slice(node.span) for node in walk(hole)][1:] == ["p.nome[12]", "p.nome", "p", "nome", "12"]


def test_doc_comment_belongs_to_the_next_flow_field_or_step() -> None:
    file = read(
        "# not this\n## Recebe leads.\n##   Com recuo.\n# nor this\n\nflow a\non webhook {\n"
        "  ## O nome.\n  nome: text ## not a doc\n  idade: int\n}\n"
        "  ## Grava.\n  -> upsert person\n  -> stop\n### a line\nflow b on webhook\n"
    )
    first, second = file.items
    assert isinstance(first, Flow)
    assert isinstance(second, Flow)
    assert first.doc == "Recebe leads.\n  Com recuo."
    assert isinstance(first.trigger.payload, RecordType)
    assert [field.doc for field in first.trigger.payload.fields] == ["O nome.", ""]
    assert [found.doc for found in first.chain.steps] == ["Grava.", ""]
    assert second.doc == ""


def test_comments_are_kept_in_order() -> None:
    file = read('# a\non webhook -> log "# no" # b\n-> code(): text ```python\n# no\n``` ## c\n')
    assert [comment.text for comment in file.comments] == ["# a", "# b", "## c"]


def test_expectations_say_what_and_whether_not() -> None:
    (test,) = every(nodes.Test, read(program("tests")))
    assert isinstance(test, nodes.Test)
    expected = [(e.negated, type(e.what).__name__) for e in test.steps if isinstance(e, Expect)]
    assert expected == [
        (False, "Respond"),
        (False, "Command"),
        (True, "Command"),
        (True, "Stop"),
        (False, "Failure"),
    ]


def test_edition_is_read_where_it_is_given() -> None:
    assert read("lang 1\non webhook").edition == 1
    assert read("on webhook").edition is None
