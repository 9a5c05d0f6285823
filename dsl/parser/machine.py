"""Lark's automaton, one token at a time, with a stack that can be looked at and cut back."""

from collections.abc import Iterator
from typing import cast

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.grammar import Rule
from lark.parsers.lalr_analysis import Shift

from dsl.grammar import lark_parser

END = "$END"
BAD = "$BAD"  # the type of a character that no token begins with

OPENERS = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
CLOSERS = frozenset(OPENERS.values())


def virtual(kind: str, text: str, start: int, end: int) -> Token:
    """A token that the text should have had, or one that replaces what stands there."""
    return Token(kind, text, start_pos=start, end_pos=end)


class Machine:
    """The state of a parse."""

    def __init__(self, text: str) -> None:
        interactive = lark_parser().parse_interactive(text)
        self._text = text
        self._state = interactive.parser_state
        self._lexer = interactive.lexer_thread
        self._tokens = self._lex()
        state = self._lexer.state
        if state is None:
            raise TypeError(state)
        self._position = state.line_ctr
        self._table = self._state.parse_conf.states

    def next(self) -> Token:
        """The next token as it reads here; the position stays before a token that fits nowhere here."""
        try:
            token = next(self._tokens, None)
        except UnexpectedToken as error:
            token = error.token
            self.move(token.start_pos)
        except UnexpectedCharacters:
            start = self._position.char_pos
            token = virtual(BAD, self._text[start], start, start + 1)
            self.move(start)
        return virtual(END, "", len(self._text), len(self._text)) if token is None else token

    def move(self, offset: int) -> None:
        """Read on from another place."""
        self._position.char_pos = offset
        self._tokens = self._lex()

    def _lex(self) -> Iterator[Token]:
        """Tokens from the position on, each read as the state of that moment asks."""
        tokens: Iterator[Token] = self._lexer.lex(self._state)  # type: ignore[no-untyped-call]
        return tokens

    def feed(self, token: Token) -> bool:
        """Take a token; False, and nothing changed, where it cannot stand.

        Lark would reduce before it refuses, and so lose the state in which something else could stand.
        """
        if not self.accepts(token.type):
            return False
        self._state.feed_token(token)
        return True

    def finish(self) -> Tree[Token]:
        """The whole tree; the end must be acceptable."""
        tree = self._state.feed_token(virtual(END, "", 0, 0), is_end=True)
        return cast("Tree[Token]", tree)

    def accepts(self, kind: str) -> bool:
        """Whether a token of this kind can stand here."""
        action = self._table[self._state.position].get(kind)
        if action is None or action[0] is Shift:
            return action is not None
        states = list(self._state.state_stack)
        while action is not None and action[0] is not Shift:
            states = self._reduced(states, action[1])
            if kind == END and states[-1] == self._state.parse_conf.end_state:
                return True
            action = self._table[states[-1]].get(kind)
        return action is not None

    def _reduced(self, states: list[int], rule: Rule) -> list[int]:
        """The stack of states after a rule is complete."""
        del states[len(states) - len(rule.expansion) :]
        states.append(self._table[states[-1]][rule.origin.name][1])
        return states

    def accepts_all(self, *kinds: str) -> bool:
        """Whether tokens of these kinds could stand here, one after the other."""
        states = list(self._state.state_stack)
        for kind in kinds:
            action = self._table[states[-1]].get(kind)
            while action is not None and action[0] is not Shift:
                states = self._reduced(states, action[1])
                action = self._table[states[-1]].get(kind)
            if action is None:
                return False
            states.append(action[1])
        return True

    @property
    def stack(self) -> list[Token | Tree[Token]]:
        """What has been read and is not yet part of something larger."""
        return self._state.value_stack

    def cut(self, size: int) -> list[Token | Tree[Token]]:
        """Forget all but the first entries of the stack, and return the forgotten ones."""
        dropped = self._state.value_stack[size:]
        del self._state.value_stack[size:]
        del self._state.state_stack[size + 1 :]
        return dropped

    def open_brackets(self) -> list[Token]:
        """The brackets that are open here, outermost first."""
        return open_among(self.stack)

    def last(self, kind: str) -> int:
        """Where the innermost token of a kind is on the stack, or -1."""
        kinds = (getattr(entry, "type", "") for entry in reversed(self.stack))
        distance = next((index for index, found in enumerate(kinds) if found == kind), len(self.stack))
        return len(self.stack) - 1 - distance


def open_among(entries: list[Token | Tree[Token]]) -> list[Token]:
    """The openers among entries of the stack that have no closer there."""
    found: list[Token] = []
    for entry in entries:
        if isinstance(entry, Token) and entry.type in OPENERS:
            found.append(entry)
        elif isinstance(entry, Token) and entry.type in CLOSERS and found:
            found.pop()
    return found
