"""Steps, their clauses and the blocks in them."""

from typing import Final

from dsl.format.doc import Doc, Group, Indent, spaced
from dsl.format.sequences import braced, bracketed, listed, spread
from dsl.format.tokens import INT, Tokens
from dsl.format.types import type_
from dsl.format.values import call, in_parentheses, name, operands, text, value
from dsl.nodes import (
    As,
    Binary,
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
    Name,
    OrElse,
    Parallel,
    Record,
    Respond,
    Retry,
    Step,
    Stop,
    Text,
    To,
    Unknown,
    Via,
    Wait,
    WaitFor,
    WaitUntil,
    With,
    Within,
)

_WITH_CLAUSES = CallStep | BindStep | Command | WaitFor | CodeStep
_WITH_BLOCKS = If | Match | Parallel | For


def step(tokens: Tokens, node: Step) -> Doc:
    """`-> step`."""
    return spaced(tokens.take("->"), _step(tokens, node))


def block(tokens: Tokens, node: Chain) -> Doc:
    """`{ chain }`, a step a line."""
    return braced(tokens, node.steps, step)


def has_block(node: Step) -> bool:
    """Whether a step is more than one line by itself."""
    if isinstance(node, _WITH_CLAUSES):
        return isinstance(node, CodeStep) or any(isinstance(clause, OrElse) for clause in node.clauses)
    return isinstance(node, _WITH_BLOCKS)


def _step(tokens: Tokens, node: Step) -> Doc:
    if isinstance(node, _WITH_CLAUSES):
        return _with_clauses(tokens, node)
    return _with_blocks(tokens, node) if isinstance(node, _WITH_BLOCKS) else plain(tokens, node)


def plain(tokens: Tokens, node: Wait | WaitUntil | Respond | Stop | Log | Fail) -> Doc:
    """A step of one line."""
    match node:
        case Wait():
            return spaced(tokens.take("wait"), value(tokens, node.duration))
        case WaitUntil():
            return spaced(tokens.take("wait"), tokens.take("until"), value(tokens, node.instant))
        case Respond():
            return spaced(tokens.take("respond"), tokens.take(INT), maybe(tokens, node.body))
        case Stop():
            return spaced(tokens.take("stop"), maybe(tokens, node.value))
        case Log():
            return spaced(tokens.take("log"), value(tokens, node.value))
        case Fail():
            return spaced(tokens.take("fail"), value(tokens, node.value))


def maybe(tokens: Tokens, node: Expr | None) -> Doc:
    """A value if there is one."""
    return "" if node is None else value(tokens, node)


# --- steps with clauses


def _with_clauses(tokens: Tokens, node: CallStep | BindStep | Command | WaitFor | CodeStep) -> Doc:
    match node:
        case CallStep():
            return clauses(tokens, call(tokens, node.call), node.clauses)
        case BindStep():
            head = spaced(name(tokens, node.name), tokens.take("="), value(tokens, node.value))
            return clauses(tokens, head, node.clauses)
        case Command():
            return command(tokens, node)
        case WaitFor():
            head = spaced(tokens.take("wait"), tokens.take("for"), name(tokens, node.event))
            return clauses(tokens, head, node.clauses)
        case CodeStep():
            return (_code(tokens, node), clauses(tokens, "", node.clauses))


def command(tokens: Tokens, node: Command) -> Doc:
    """`verb noun "literal" clauses`."""
    return clauses(tokens, head(tokens, node.verb, node.noun, node.literal), node.clauses)


def head(tokens: Tokens, verb: Name, noun: Name | None, literal: Text | None) -> Doc:
    """`verb noun "literal"`."""
    return spaced(
        name(tokens, verb),
        "" if noun is None else name(tokens, noun),
        "" if literal is None else text(tokens, literal),
    )


def _code(tokens: Tokens, node: CodeStep) -> Doc:
    word = tokens.take("code")
    params = bracketed(tokens, "()", node.params, name)
    return (word, params, tokens.take(":"), " ", type_(tokens, node.result), " ", tokens.fence())


def clauses(tokens: Tokens, start: Doc, nodes: tuple[Clause, ...]) -> Doc:
    """What stands before clauses, and the clauses. A lone `else` never begins a line."""
    if not nodes:
        return start
    if len(nodes) == 1 and isinstance(nodes[0], OrElse):
        return (start, tokens.space(), _clause(tokens, nodes[0]))
    last = next((clause for clause in reversed(nodes) if not isinstance(clause, OrElse)), None)
    fields = last if isinstance(last, With) and isinstance(last.value, Record) else None
    return spread(tokens, start, nodes, _clause, fields)


def _clause(tokens: Tokens, node: Clause) -> Doc:
    match node:
        case By() | To() | From() | With() | Within():
            return _valued(tokens, node)
        case As():
            bound = spaced(tokens.take("as"), name(tokens, node.name))
            return bound if node.type is None else (bound, tokens.take(":"), " ", type_(tokens, node.type))
        case Via():
            return spaced(tokens.take("via"), name(tokens, node.name))
        case Unknown():
            return spaced(tokens.take("unknown"), tokens.take(node.policy))
        case Retry():
            return spaced(tokens.take("retry"), tokens.take(INT))
        case Every():
            low = spaced(tokens.take("every"), value(tokens, node.low))
            return low if node.high is None else (low, tokens.take(".."), value(tokens, node.high))
        case OrElse():
            return spaced(tokens.take("else"), block(tokens, node.chain))


def _valued(tokens: Tokens, node: By | To | From | With | Within) -> Doc:
    match node:
        case Within():
            return spaced(tokens.take("within"), value(tokens, node.limit))
        case _:
            return spaced(tokens.take(_WORDS[type(node)]), value(tokens, node.value))


_WORDS: Final[dict[type[Clause], str]] = {By: "by", To: "to", From: "from", With: "with"}


# --- steps with blocks


def _with_blocks(tokens: Tokens, node: If | Match | Parallel | For) -> Doc:
    match node:
        case If():
            return _if(tokens, node)
        case Match():
            return (tokens.take("match"), " ", _before_brace(tokens, node.subject), braced(tokens, node.cases, _case))
        case Parallel():
            return spaced(tokens.take("parallel"), braced(tokens, node.branches, _branch))
        case For():
            return _for(tokens, node)


def _if(tokens: Tokens, node: If) -> Doc:
    parts: list[Doc] = []
    for arm in node.arms:
        if parts:
            parts += [tokens.space(), tokens.take("else"), " "]
        parts += [tokens.take("if"), " ", _before_brace(tokens, arm.condition), block(tokens, arm.chain)]
    if node.otherwise is not None:
        parts += [tokens.space(), tokens.take("else"), " ", block(tokens, node.otherwise)]
    return tuple(parts)


def _before_brace(tokens: Tokens, node: Expr) -> Doc:
    """A value and a space; a condition of several lines has the brace on a line of its own after it."""
    if not isinstance(node, Binary) or in_parentheses(tokens, node):
        return (value(tokens, node), tokens.space())
    before = tokens.comments
    return Group((Indent(operands(tokens, node)), tokens.line()), broken=tokens.comments > before)


def _case(tokens: Tokens, node: Case) -> Doc:
    patterns = listed(tokens, node.patterns, value) if node.patterns else tokens.take("else")
    return spaced(patterns, tokens.take("=>"), block(tokens, node.chain))


def _branch(tokens: Tokens, node: Branch) -> Doc:
    return spaced(name(tokens, node.name), block(tokens, node.chain))


def _for(tokens: Tokens, node: For) -> Doc:
    start = spaced(tokens.take("for"), name(tokens, node.name), tokens.take("in"), value(tokens, node.items))
    limits = [_limit(tokens) for _ in (*node.max, *node.parallel)]
    return spaced(start, *limits, block(tokens, node.chain))


def _limit(tokens: Tokens) -> Doc:
    """`max N` or `parallel N`, whichever is next."""
    return spaced(tokens.take("max" if tokens.sees("max") else "parallel"), tokens.take(INT))
