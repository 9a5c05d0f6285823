"""Steps, their clauses and the blocks in them."""

from collections.abc import Callable

from lark import Token, Tree

from dsl.build.expressions import call, expr
from dsl.build.literals import integer, static_text, text
from dsl.build.reading import Part, Reading, as_token, as_tree, every, maybe, name, parts, span_of
from dsl.build.types import type_expr
from dsl.nodes import (
    Arm,
    As,
    BindStep,
    Branch,
    By,
    CallStep,
    Case,
    Chain,
    Clause,
    CodeStep,
    Command,
    Every,
    Expr,
    Fail,
    For,
    From,
    If,
    Log,
    Match,
    OrElse,
    Parallel,
    Respond,
    Retry,
    Step,
    Stop,
    To,
    Unknown,
    Via,
    Wait,
    WaitFor,
    WaitUntil,
    With,
    Within,
)
from dsl.source import Span

MAX_BLOCKS = 16

_Tree = Tree[Token]


def chain(r: Reading, part: Part, empty_at: int) -> Chain:
    """`-> step -> step`; an empty chain stands at the given offset."""
    tree = as_tree(part)
    span = Span(empty_at, empty_at) if tree.meta.empty else span_of(tree)
    return Chain(span, every(step, r, tree.children))


def block(r: Reading, part: Part) -> Chain:
    """`{ chain }`, unless too many blocks are open already."""
    span = span_of(part)
    if r.blocks == MAX_BLOCKS:
        note = f"blocks nest at most {MAX_BLOCKS} deep; give the inner part a flow of its own"
        brace = Span(span.start, span.start + 1)
        r.report("E105", "this block is nested too deep", brace, note)
        return Chain(Span(span.start + 1, span.start + 1), ())
    r.blocks += 1
    inner = chain(r, as_tree(part).children[0], span.start + 1)
    r.blocks -= 1
    return inner


def step(r: Reading, part: Part) -> Step:
    """Any step."""
    tree = as_tree(part)
    return _STEPS[tree.data](r, tree)


def _doc(r: Reading, tree: _Tree) -> str:
    """A step's comments stand before its arrow."""
    arrow = r.before(span_of(tree).start) - len("->")
    return r.doc(arrow) if r.source.text.startswith("->", arrow) else ""


def command(r: Reading, tree: _Tree) -> Command:
    """`verb noun "literal" clauses`."""
    verb, noun, literal, *rest = parts(tree)
    head = span_of(verb)
    for part in (noun, literal):
        head = head if part is None else head.to(span_of(part))
    return Command(
        span_of(tree),
        head,
        name(r, verb),
        maybe(name, r, noun),
        maybe(text, r, literal),
        every(_clause, r, rest),
        doc=_doc(r, tree),
    )


def _call_step(r: Reading, tree: _Tree) -> CallStep:
    called, *rest = tree.children
    return CallStep(span_of(tree), call(r, as_tree(called)), every(_clause, r, rest), doc=_doc(r, tree))


def _bind_step(r: Reading, tree: _Tree) -> BindStep:
    word, value, *rest = tree.children
    return BindStep(span_of(tree), name(r, word), expr(r, value), every(_clause, r, rest), doc=_doc(r, tree))


def _wait_for(r: Reading, tree: _Tree) -> WaitFor:
    word, *rest = tree.children
    return WaitFor(span_of(tree), name(r, word), every(_clause, r, rest), doc=_doc(r, tree))


def _code_step(r: Reading, tree: _Tree) -> CodeStep:
    params, result, fence, *rest = parts(tree)
    body = _fence_body(r, span_of(fence))
    return CodeStep(
        span_of(tree),
        () if params is None else every(name, r, as_tree(params).children),
        type_expr(r, result),
        body,
        r.source.slice(body),
        every(_clause, r, rest),
        doc=_doc(r, tree),
    )


def _fence_body(r: Reading, fence: Span) -> Span:
    """The whole lines between the fences."""
    opening, closing = (
        r.source.text.index("\n", fence.start),
        r.source.text.rindex("\n", 0, fence.end),
    )
    return Span(opening + 1, closing + 1)


def _if(r: Reading, tree: _Tree) -> If:
    condition, then, *rest = tree.children
    *else_ifs, otherwise = rest
    first = Arm(Span(span_of(tree).start, span_of(then).end), expr(r, condition), block(r, then))
    arms = (first, *every(_else_if, r, else_ifs))
    return If(span_of(tree), arms, maybe(_else, r, otherwise), doc=_doc(r, tree))


def _else_if(r: Reading, part: Part) -> Arm:
    condition, then = as_tree(part).children
    return Arm(span_of(part), expr(r, condition), block(r, then))


def _else(r: Reading, part: Part) -> Chain:
    return block(r, as_tree(part).children[0])


def _match(r: Reading, tree: _Tree) -> Match:
    subject, *cases = tree.children
    return Match(span_of(tree), expr(r, subject), every(_case, r, cases), doc=_doc(r, tree))


def _case(r: Reading, part: Part) -> Case:
    *patterns, then = as_tree(part).children
    return Case(span_of(part), every(_pattern, r, patterns), block(r, then))


def _pattern(r: Reading, part: Part) -> Expr:
    """A literal; its text has no holes."""
    tree = as_tree(part)
    return static_text(r, tree.children[0]) if tree.data == "text" else expr(r, tree)


def _parallel(r: Reading, tree: _Tree) -> Parallel:
    return Parallel(span_of(tree), every(_branch, r, tree.children), doc=_doc(r, tree))


def _branch(r: Reading, part: Part) -> Branch:
    word, then = as_tree(part).children
    return Branch(span_of(part), name(r, word), block(r, then))


def _for(r: Reading, tree: _Tree) -> For:
    word, items, *limits, body = tree.children
    found = {"max_": list[int](), "at_once": list[int]()}
    for limit in map(as_tree, limits):
        found[limit.data].append(integer(r, limit.children[0]))
    return For(
        span_of(tree),
        name(r, word),
        expr(r, items),
        tuple(found["max_"]),
        tuple(found["at_once"]),
        block(r, body),
        doc=_doc(r, tree),
    )


def _wait(r: Reading, tree: _Tree) -> Wait:
    return Wait(span_of(tree), expr(r, tree.children[0]), doc=_doc(r, tree))


def _wait_until(r: Reading, tree: _Tree) -> WaitUntil:
    return WaitUntil(span_of(tree), expr(r, tree.children[0]), doc=_doc(r, tree))


def _respond(r: Reading, tree: _Tree) -> Respond:
    status, body = tree.children
    return Respond(span_of(tree), integer(r, status), maybe(expr, r, body), doc=_doc(r, tree))


def _stop(r: Reading, tree: _Tree) -> Stop:
    return Stop(span_of(tree), maybe(expr, r, tree.children[0]), doc=_doc(r, tree))


def _log(r: Reading, tree: _Tree) -> Log:
    return Log(span_of(tree), expr(r, tree.children[0]), doc=_doc(r, tree))


def _fail(r: Reading, tree: _Tree) -> Fail:
    return Fail(span_of(tree), expr(r, tree.children[0]), doc=_doc(r, tree))


_STEPS: dict[str, Callable[[Reading, _Tree], Step]] = {
    "call_step": _call_step,
    "bind_step": _bind_step,
    "command": command,
    "wait_for": _wait_for,
    "code_step": _code_step,
    "if_": _if,
    "match": _match,
    "parallel": _parallel,
    "for_": _for,
    "wait": _wait,
    "wait_until": _wait_until,
    "respond": _respond,
    "stop": _stop,
    "log": _log,
    "fail": _fail,
}


def _clause(r: Reading, part: Part) -> Clause:
    tree = as_tree(part)
    return _CLAUSES[tree.data](r, tree)


def _as(r: Reading, tree: _Tree) -> As:
    word, *kind = tree.children
    return As(span_of(tree), name(r, word), type_expr(r, kind[0]) if kind else None)


def _unknown(_: Reading, tree: _Tree) -> Unknown:
    return Unknown(span_of(tree), "park" if as_token(tree.children[0]) == "park" else "retry")


def _every(r: Reading, tree: _Tree) -> Every:
    low, high = tree.children
    return Every(span_of(tree), expr(r, low), maybe(expr, r, high))


_CLAUSES: dict[str, Callable[[Reading, _Tree], Clause]] = {
    "by": lambda r, tree: By(span_of(tree), expr(r, tree.children[0])),
    "to": lambda r, tree: To(span_of(tree), expr(r, tree.children[0])),
    "from_": lambda r, tree: From(span_of(tree), expr(r, tree.children[0])),
    "with_": lambda r, tree: With(span_of(tree), expr(r, tree.children[0])),
    "as_": _as,
    "via": lambda r, tree: Via(span_of(tree), name(r, tree.children[0])),
    "unknown": _unknown,
    "retry": lambda r, tree: Retry(span_of(tree), integer(r, tree.children[0])),
    "every": _every,
    "within": lambda r, tree: Within(span_of(tree), expr(r, tree.children[0])),
    "or_else": lambda r, tree: OrElse(span_of(tree), block(r, tree.children[0])),
}
