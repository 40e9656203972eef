"""The tokens of an expression, each with its column."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from ..errors import ContractError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>0[xX][0-9a-fA-F]+ | (?:[0-9]+\.[0-9]+ | \.[0-9]+ | [0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<text>[rR]?(?:'''(?:[^\\]|\\.)*?''' | "{3}(?:[^\\]|\\.)*?"{3}
        | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*"))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>\|\| | && | [<>=!]= | [-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
#: Words that name no fact. CEL permits them as fields: `input.loop`.
RESERVED = re.compile(
    "as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void"
    "|while"
)


class ExpressionError(ContractError):
    """An expression that cannot be read, or that its facts do not allow to evaluate."""


class Token(Struct, frozen=True):
    """One token. *kind* is `number`, `text`, `name`, `sign` or `end`; *column* counts from 1."""

    kind: str
    text: str
    column: int


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of an expression, with one of kind `end` behind them.

    Raises:
        ExpressionError: there is a character that begins no token.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise unreadable(text, at + 1, f"unexpected {text[at]!r}")
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match[0], at + 1)
        at = match.end()
    yield Token("end", "", len(text) + 1)


def literal_text(token: Token, text: str) -> str:
    """The value of a text token of the expression *text*.

    Raises:
        ExpressionError: it has an unknown escape.
    """
    try:
        # CEL's escapes are Python's, except for these two.
        written = (
            re.sub(r"\\([?`])", r"\1", token.text) if token.text[0] not in "rR" else token.text
        )
        value: str = ast.literal_eval(written)
    except (SyntaxError, ValueError) as error:
        raise unreadable(text, token.column, f"bad text: {error}") from None
    return value


def unreadable(text: str, column: int, problem: str) -> ExpressionError:
    return ExpressionError(f"expression {text!r}, column {column}: {problem}")
