"""Flows and their triggers, types, functions and tests."""

from typing import Final

from dsl.format.doc import HARD, LINE, Doc, Group, Indent, spaced
from dsl.format.sequences import braced, bracketed, listed, spread
from dsl.format.steps import command, has_block, head, plain, step
from dsl.format.tokens import INT, SIZE, Tokens
from dsl.format.types import record_type, type_
from dsl.format.values import arguments, name, record, text, value
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
    DefParam,
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
    RecordType,
    Respond,
    Serial,
    Signed,
    Stop,
    Test,
    TestStep,
    Token,
    Trigger,
    TriggerClause,
    TypeDef,
)

_MOST_ON_A_LINE: Final = 3


def item(tokens: Tokens, node: Item) -> Doc:
    """A flow, `type`, `def` or `test`."""
    match node:
        case Flow():
            return _flow(tokens, node)
        case TypeDef():
            start = spaced(tokens.take("type"), name(tokens, node.name), tokens.take("="))
            return spaced(start, type_(tokens, node.type))
        case Def():
            return _def(tokens, node)
        case Test():
            return _test(tokens, node)


def _def(tokens: Tokens, node: Def) -> Doc:
    start = (tokens.take("def"), " ", name(tokens, node.name))
    params = bracketed(tokens, "()", node.params, _param)
    result = (tokens.take(":"), " ", type_(tokens, node.result))
    return (start, params, result, " ", tokens.take("="), " ", value(tokens, node.body))


def _param(tokens: Tokens, node: DefParam) -> Doc:
    return (name(tokens, node.name), tokens.take(":"), " ", type_(tokens, node.type))


# --- flows


def _flow(tokens: Tokens, node: Flow) -> Doc:
    """One line if it can be one: few steps, no block, no comment but one after it all, no handler."""
    start, before = tokens.next, tokens.comments
    named = "" if node.name is None else spaced(tokens.take("flow"), name(tokens, node.name))
    line = "" if node.name is None else tokens.line()
    trigger, steps = _trigger(tokens, node.trigger), _steps(tokens, node.chain)
    was_line, commented = tokens.is_line(start), tokens.comments > before
    tail = tokens.tail()
    commented |= bool(tail.notes) or (tail.commented and not was_line)
    body: Doc = (named, line, trigger, Indent((steps, tail.comments)))
    if node.handler is not None:
        return Group((body, _handler(tokens, node.handler)), broken=True)
    return Group(body, broken=commented or not _is_short(node.chain))


def _is_short(chain: Chain) -> bool:
    return len(chain.steps) <= _MOST_ON_A_LINE and not any(map(has_block, chain.steps))


def _steps(tokens: Tokens, chain: Chain) -> Doc:
    parts: list[Doc] = []
    for node in chain.steps:
        gap = tokens.gap() if parts else tokens.gap().beginning
        parts += [gap.comments, gap.line(LINE), step(tokens, node)]
    return tuple(parts)


def _handler(tokens: Tokens, chain: Chain) -> Doc:
    gap = tokens.gap()
    words = (tokens.take("on"), Indent(tokens.space()), tokens.take("error"))
    return (gap.comments, gap.line(HARD), words, Indent((_steps(tokens, chain), tokens.tail().comments)))


# --- triggers


def _trigger(tokens: Tokens, node: Trigger) -> Doc:
    start = spaced(tokens.take("on"), name(tokens, node.kind), "" if node.path is None else text(tokens, node.path))
    if not node.clauses and isinstance(node.payload, NamedPayload):
        return (start, tokens.space(), _payload(tokens, node.payload))
    parts = node.clauses if node.payload is None else (*node.clauses, node.payload)
    fields = node.payload if isinstance(node.payload, RecordType) else None
    return spread(tokens, start, parts, _part, fields)


def _part(tokens: Tokens, node: TriggerClause | RecordType | NamedPayload) -> Doc:
    match node:
        case RecordType() | NamedPayload():
            return _payload(tokens, node)
        case Signed() | Token() | Basic() | Open():
            return _caller(tokens, node)
        case Dedupe() | Serial() | Answer() | AnswerWithin():
            return _delivery(tokens, node)
        case _:
            return _bound(tokens, node)


def _payload(tokens: Tokens, node: RecordType | NamedPayload) -> Doc:
    match node:
        case RecordType():
            return record_type(tokens, node)
        case NamedPayload():
            return (name(tokens, node.name), tokens.take(":"), " ", type_(tokens, node.type))


def _caller(tokens: Tokens, node: Signed | Token | Basic | Open) -> Doc:
    """Who may call."""
    match node:
        case Signed():
            return (tokens.take("signed"), " ", name(tokens, node.scheme), arguments(tokens, node.args))
        case Token():
            start = spaced(tokens.take("token"), tokens.take("header"), text(tokens, node.header))
            return (start, " ", arguments(tokens, node.args))
        case Basic():
            return (tokens.take("basic"), arguments(tokens, node.args))
        case Open():
            return tokens.take("open")


def _delivery(tokens: Tokens, node: Dedupe | Serial | Answer | AnswerWithin) -> Doc:
    """What becomes of one among others, and what its sender gets."""
    match node:
        case Dedupe():
            key = spaced(tokens.take("dedupe"), tokens.take("by"), value(tokens, node.key))
            return spaced(key, tokens.take("for"), value(tokens, node.window))
        case Serial():
            return spaced(tokens.take("serial"), tokens.take("by"), value(tokens, node.key))
        case Answer():
            status = spaced(tokens.take("answer"), tokens.take(INT))
            return status if node.body is None else spaced(status, tokens.take("with"), value(tokens, node.body))
        case AnswerWithin():
            return spaced(tokens.take("answer"), tokens.take("within"), value(tokens, node.limit))


def _bound(tokens: Tokens, node: Cors | Accept | Limit | Keep | Concurrency) -> Doc:
    """From where, in which form, how much, how long and how many."""
    match node:
        case Cors():
            return spaced(tokens.take("cors"), Indent(listed(tokens, node.origins, text)))
        case Accept():
            return spaced(tokens.take("accept"), Indent(listed(tokens, node.kinds, name)))
        case Limit():
            return spaced(tokens.take("limit"), tokens.take(SIZE))
        case Keep():
            return spaced(tokens.take("keep"), value(tokens, node.period))
        case Concurrency():
            return spaced(tokens.take("concurrency"), tokens.take(INT))


# --- tests


def _test(tokens: Tokens, node: Test) -> Doc:
    title = spaced(tokens.take("test"), text(tokens, node.title))
    flow = "" if node.flow is None else spaced(tokens.take("for"), name(tokens, node.flow))
    return spaced(title, flow, braced(tokens, node.steps, _test_step))


def _test_step(tokens: Tokens, node: TestStep) -> Doc:
    match node:
        case Given():
            return _given(tokens, node)
        case Mock():
            what = spaced(tokens.take("mock"), head(tokens, node.verb, node.noun, node.literal))
            return spaced(what, tokens.take("="), value(tokens, node.value))
        case Advance():
            return spaced(tokens.take("advance"), value(tokens, node.duration))
        case Expect():
            start = spaced(tokens.take("expect"), tokens.take("not") if node.negated else "")
            return spaced(start, _expected(tokens, node.what))


def _given(tokens: Tokens, node: Given) -> Doc:
    start = tokens.take("given")
    flow = "" if node.flow is None else name(tokens, node.flow)
    parts = [start, flow, value(tokens, node.body)]
    for word, fields in (("headers", node.headers), ("query", node.query)):
        if fields is not None:
            parts += [tokens.take(word), record(tokens, fields)]
    return spaced(*parts)


def _expected(tokens: Tokens, what: Command | Respond | Stop | Failure) -> Doc:
    match what:
        case Command():
            return command(tokens, what)
        case Respond() | Stop():
            return plain(tokens, what)
        case Failure():
            return spaced(tokens.take("fail"), "" if what.code is None else text(tokens, what.code))
