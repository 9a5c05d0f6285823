"""Files, flows and their triggers, types, functions and tests."""

from collections.abc import Callable

from lark import Token, Tree

from dsl.build.expressions import arguments, delivered, expr, record
from dsl.build.literals import duration, integer, size, static_text, text
from dsl.build.reading import Part, Reading, as_tree, beyond, every, maybe, name, parts, span_of
from dsl.build.steps import chain, command
from dsl.build.types import def_param, record_type, type_expr
from dsl.nodes import (
    Accept,
    Advance,
    Answer,
    AnswerWithin,
    Basic,
    Chain,
    Command,
    Concurrency,
    Cors,
    Dedupe,
    Def,
    Expect,
    Failure,
    Flow,
    Given,
    Item,
    Keep,
    Limit,
    Mock,
    NamedPayload,
    Open,
    Record,
    RecordType,
    Respond,
    Serial,
    Signed,
    Stop,
    Test,
    TestStep,
    Trigger,
    TriggerClause,
    TypeDef,
)
from dsl.nodes import Token as TokenHeader
from dsl.source import Span

MAX_DEPTH = 200

_Tree = Tree[Token]


def build(r: Reading, tree: _Tree) -> tuple[int | None, tuple[Item, ...]]:
    """The edition of a file and what it declares."""
    edition, *items = tree.children
    shallow = [item for item in items if not _too_deep(r, as_tree(item))]
    return maybe(_edition, r, edition), every(_item, r, shallow)


def _too_deep(r: Reading, tree: _Tree) -> bool:
    """Everything after this walk may recurse: it knows how deep a tree can be."""
    deep = beyond(MAX_DEPTH, tree)
    if deep is None:
        return False
    start = span_of(deep).start
    note = "give a part of it a name of its own: a step `name = …`, a `def` or a `type`"
    r.report("E105", "this is too long or nests too deep", Span(start, start + 1), note)
    r.dropped.append(span_of(tree))
    return True


def _edition(r: Reading, part: Part) -> int:
    return integer(r, as_tree(part).children[0])


def _item(r: Reading, part: Part) -> Item:
    tree = as_tree(part)
    return _ITEMS[tree.data](r, tree)


def _type_def(r: Reading, tree: _Tree) -> TypeDef:
    word, kind = tree.children
    return TypeDef(span_of(tree), name(r, word), type_expr(r, kind))


def _def(r: Reading, tree: _Tree) -> Def:
    word, params, result, body = parts(tree)
    return Def(
        span_of(tree),
        name(r, word),
        () if params is None else every(def_param, r, as_tree(params).children),
        type_expr(r, result),
        expr(r, body),
    )


def _flow(r: Reading, tree: _Tree) -> Flow:
    word, trigger, steps, handler = tree.children
    span = span_of(tree)
    return Flow(
        span,
        maybe(name, r, word),
        _trigger(r, as_tree(trigger)),
        chain(r, steps, span_of(trigger).end),
        maybe(_handler, r, handler),
        doc=r.doc(span.start),
    )


def _handler(r: Reading, part: Part) -> Chain:
    opening, steps = as_tree(part).children
    return chain(r, steps, span_of(opening).end)


def _trigger(r: Reading, tree: _Tree) -> Trigger:
    kind, path, *clauses, payload = tree.children
    return Trigger(
        span_of(tree),
        name(r, kind),
        maybe(static_text, r, path),
        every(_trigger_clause, r, clauses),
        maybe(_payload, r, payload),
    )


def _payload(r: Reading, part: Part) -> RecordType | NamedPayload:
    tree = as_tree(part)
    if tree.data == "record_type":
        return record_type(r, tree)
    word, kind = tree.children
    return NamedPayload(span_of(tree), name(r, word), type_expr(r, kind))


def _trigger_clause(r: Reading, part: Part) -> TriggerClause:
    tree = as_tree(part)
    return _TRIGGER_CLAUSES[tree.data](r, tree)


def _signed(r: Reading, tree: _Tree) -> Signed:
    scheme, given = tree.children
    return Signed(span_of(tree), name(r, scheme), arguments(r, given))


def _token(r: Reading, tree: _Tree) -> TokenHeader:
    header, given = tree.children
    return TokenHeader(span_of(tree), static_text(r, header), arguments(r, given))


def _dedupe(r: Reading, tree: _Tree) -> Dedupe:
    key, window = tree.children
    return Dedupe(span_of(tree), expr(r, key), duration(r, window))


def _answer(r: Reading, tree: _Tree) -> Answer:
    status, body = tree.children
    return Answer(span_of(tree), integer(r, status), maybe(expr, r, body))


_TRIGGER_CLAUSES: dict[str, Callable[[Reading, _Tree], TriggerClause]] = {
    "signed": _signed,
    "token": _token,
    "basic": lambda r, tree: Basic(span_of(tree), arguments(r, tree.children[0])),
    "open": lambda _, tree: Open(span_of(tree)),
    "cors": lambda r, tree: Cors(span_of(tree), every(static_text, r, tree.children)),
    "accept": lambda r, tree: Accept(span_of(tree), every(name, r, tree.children)),
    "limit": lambda r, tree: Limit(span_of(tree), size(r, tree.children[0])),
    "dedupe": _dedupe,
    "answer": _answer,
    "answer_within": lambda r, tree: AnswerWithin(span_of(tree), duration(r, tree.children[0])),
    "serial": lambda r, tree: Serial(span_of(tree), expr(r, tree.children[0])),
    "keep": lambda r, tree: Keep(span_of(tree), duration(r, tree.children[0])),
    "concurrency": lambda r, tree: Concurrency(span_of(tree), integer(r, tree.children[0])),
}


def _test(r: Reading, tree: _Tree) -> Test:
    title, flow, *steps = tree.children
    return Test(span_of(tree), static_text(r, title), maybe(name, r, flow), every(_test_step, r, steps))


def _test_step(r: Reading, part: Part) -> TestStep:
    tree = as_tree(part)
    return _TEST_STEPS[tree.data](r, tree)


def _given(r: Reading, tree: _Tree) -> Given:
    flow, body, headers, query = tree.children
    return Given(
        span_of(tree),
        maybe(name, r, flow),
        delivered(r, as_tree(body)),
        maybe(_record, r, headers),
        maybe(_record, r, query),
    )


def _record(r: Reading, part: Part) -> Record:
    return record(r, as_tree(part))


def _mock(r: Reading, tree: _Tree) -> Mock:
    verb, noun, literal, value = tree.children
    return Mock(
        span_of(tree),
        name(r, verb),
        maybe(name, r, noun),
        maybe(text, r, literal),
        expr(r, value),
    )


def _expect(r: Reading, tree: _Tree) -> Expect:
    negation, what = tree.children
    return Expect(span_of(tree), negation is not None, _expected(r, as_tree(what)))


def _expected(r: Reading, tree: _Tree) -> Command | Respond | Stop | Failure:
    match tree.data:
        case "expect_respond":
            status, body = tree.children
            return Respond(span_of(tree), integer(r, status), maybe(_record, r, body))
        case "expect_stop":
            return Stop(span_of(tree), None)
        case "expect_fail":
            return Failure(span_of(tree), maybe(static_text, r, tree.children[0]))
        case _:
            return command(r, tree)


_TEST_STEPS: dict[str, Callable[[Reading, _Tree], TestStep]] = {
    "given": _given,
    "mock": _mock,
    "advance": lambda r, tree: Advance(span_of(tree), expr(r, tree.children[0])),
    "expect": _expect,
}

_ITEMS: dict[str, Callable[[Reading, _Tree], Item]] = {
    "flow": _flow,
    "type_def": _type_def,
    "def_": _def,
    "test": _test,
}
