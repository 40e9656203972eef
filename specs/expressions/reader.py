"""Reads the text of an expression, and turns it into Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from ..errors import no_such
from ..json_types import Json
from . import functions
from .python_text import ABSENT, map_python, number_python, plain_python
from .tokens import RESERVED, ExpressionError, Token, literal_text, tokens_of, unreadable

#: More than any rule needs; Python permits about 90.
_DEPTH_MAX = 30
_RELATIONS = {
    "==": "equal({}, {})",
    "!=": "(not equal({}, {}))",
    "<": "less({}, {})",
    ">": "less({1}, {0})",
    "<=": "(not less({1}, {0}))",
    ">=": "(not less({}, {}))",
    "in": "within({}, {})",
}
_SAME = {"==": "({} is {})", "!=": "({} is not {})"}
_CONSTANTS = {"true": "True", "false": "False", "null": "None"}
_TEXT = re.compile(r"'[^'\\]*'")
_TEXTS = re.compile(rf"\[{_TEXT.pattern}(, {_TEXT.pattern})*\]")
_SUMS = {"+": "add({}, {})", "-": "subtract({}, {})"}
_PRODUCTS = {"*": "multiply({}, {})", "/": "divide({}, {})", "%": "remainder({}, {})"}
#: By name of the macro: its Python, of the variables, the list, and the parts after the variables.
MACROS: Mapping[tuple[str, int], str] = {
    ("all", 2): "all([truth({1}) for {v} in items({0})])",
    ("exists", 2): "any([truth({1}) for {v} in items({0})])",
    ("exists_one", 2): "[truth({1}) for {v} in items({0})].count(True) == 1",
    ("filter", 2): "[{v} for {v} in items({0}) if truth({1})]",
    ("map", 2): "[plain({1}) for {v} in items({0})]",
    ("map", 3): "[plain({2}) for {v} in items({0}) if truth({1})]",
    ("sortBy", 2): "sorted(items({0}), key=lambda {v}: sort_key({1}))",
    ("transformList", 3): "[plain({1}) for {v} in enumerate(items({0}))]",
    ("transformList", 4): "[plain({2}) for {v} in enumerate(items({0})) if truth({1})]",
}
_BOOLEANS = frozenset({"all", "exists", "exists_one"})


class _Piece(Struct, frozen=True):
    """A part of an expression in Python. *path* is its dotted name, if it is one."""

    python: str
    path: str = ""
    is_truth: bool = False

    @property
    def truth(self) -> str:
        return self.python if self.is_truth else f"truth({self.python})"


class Reader:
    """Turns the tokens of one expression into Python, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self._tokens = [*tokens_of(text)]
        self._at = 0
        self._depth = 0
        self._variables: list[str] = []

    def whole(self) -> _Piece:
        piece = self._expression()
        if self._next.kind != "end":
            raise self._wrong(f"expected an operator or the end, got {self._next.text!r}")
        return piece

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _wrong(self, problem: str, at: Token | None = None) -> ExpressionError:
        return unreadable(self.text, (at or self._next).column, problem)

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _skip(self, *signs: str) -> str | None:
        """The next token if it is one of *signs*, which it then passes."""
        token = self._next
        is_sign = token.kind == "sign" or token.text == "in"
        return self._take().text if is_sign and token.text in signs else None

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise self._wrong(f"expected {sign!r}, got {self._next.text or 'the end'!r}")

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._wrong(f"expected a name, got {self._next.text or 'the end'!r}")
        return self._take().text

    # Operators, from the weakest to the strongest

    def _expression(self) -> _Piece:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise self._wrong(f"nested more than {_DEPTH_MAX} times")
        condition = self._disjunction()
        if self._skip("?"):
            yes = self._disjunction()
            self._expect(":")
            no = self._expression()
            python = f"({yes.python} if {condition.truth} else {no.python})"
            condition = _Piece(python, is_truth=yes.is_truth and no.is_truth)
        self._depth -= 1
        return condition

    def _disjunction(self) -> _Piece:
        return self._joined("||", "or", lambda: self._joined("&&", "and", self._relation))

    def _joined(self, sign: str, word: str, operand: Callable[[], _Piece]) -> _Piece:
        piece = operand()
        if self._next.text != sign:
            return piece
        parts = [piece.truth]
        while self._skip(sign):
            parts.append(operand().truth)
        return _Piece(f"({f' {word} '.join(parts)})", is_truth=True)

    def _relation(self) -> _Piece:
        def summand() -> _Piece:
            return self._chain(_PRODUCTS, self._unary)

        return self._chain(_RELATIONS, lambda: self._chain(_SUMS, summand), is_truth=True)

    def _chain(
        self, signs: Mapping[str, str], operand: Callable[[], _Piece], *, is_truth: bool = False
    ) -> _Piece:
        piece = operand()
        while sign := self._skip(*signs):
            other = operand().python
            form = signs[sign]
            if sign == "in" and _TEXTS.fullmatch(other):
                # An item of such a list is a text, so Python's own comparison is CEL's.
                form = "({} in {})"
            if sign in _SAME:
                # Python compares texts and constants with anything as CEL does.
                has_text = _TEXT.fullmatch(piece.python) or _TEXT.fullmatch(other)
                form = f"({{}} {sign} {{}})" if has_text else form
                if other in _CONSTANTS.values() and piece.python[-1] in ")]":
                    form = _SAME[sign]
            piece = _Piece(form.format(piece.python, other), is_truth=is_truth)
        return piece

    def _unary(self) -> _Piece:
        if sign := self._skip("!", "-"):
            self._depth += 1
            if self._depth > _DEPTH_MAX:
                raise self._wrong(f"nested more than {_DEPTH_MAX} times")
            piece = self._unary()
            self._depth -= 1
            if sign == "!":
                return _Piece(f"(not {piece.truth})", is_truth=True)
            return _Piece(f"negative({piece.python})")
        return self._members()

    # Members and calls

    def _members(self) -> _Piece:
        piece, is_free = self._primary()
        while True:
            if self._skip("."):
                self._skip("?")
                token = self._next
                name = self._name()
                if self._skip("("):
                    self._note(piece, is_free=is_free)
                    piece, is_free = self._method(piece, name, token), False
                else:
                    python = f"field({piece.python}, {name!r})"
                    piece = _Piece(python, f"{piece.path}.{name}" if piece.path else "")
            elif self._skip("["):
                self._skip("?")
                self._note(piece, is_free=is_free)
                python = f"member({piece.python}, {self._expression().python})"
                piece, is_free = _Piece(python), False
                self._expect("]")
            else:
                self._note(piece, is_free=is_free)
                return piece

    def _note(self, piece: _Piece, *, is_free: bool) -> None:
        if is_free and piece.path:
            self.names.add(piece.path)

    def _primary(self) -> tuple[_Piece, bool]:
        """A value that no operator is part of, and whether it is a name of the facts."""
        token = self._take()
        match token.kind:
            case "number":
                return _Piece(number_python(token.text)), False
            case "text":
                return _Piece(repr(literal_text(token, self.text))), False
            case "name":
                return self._named(token)
            case _:
                pass
        if token.text == "(":
            piece = self._expression()
            self._expect(")")
            return _Piece(piece.python, is_truth=piece.is_truth), False
        if token.text == "[":
            parts = [plain_python(it) for it in self._arguments("]")]
            return _Piece(f"[{', '.join(parts)}]"), False
        if token.text == "{":
            return self._map(), False
        raise self._wrong(f"expected a value, got {token.text or 'the end'!r}", token)

    def _named(self, token: Token) -> tuple[_Piece, bool]:
        name = token.text
        if RESERVED.fullmatch(name):
            raise self._wrong(f"{name!r} is a reserved word", token)
        constant = _CONSTANTS.get(name)
        if constant is not None:
            return _Piece(constant, is_truth=name != "null"), False
        if name in self._variables:
            return _Piece(f"v_{name}"), False
        if name == "has" and self._next.text == "(":
            return self._has(token), False
        spaced = self._spaced(name)
        if spaced is not None:
            return self._call(spaced, token, functions.SPACED), False
        if self._skip("("):
            if name in functions.FUNCTIONS:
                return self._call(name, token, functions.FUNCTIONS), False
            # A function that only the place of the expression offers.
            self.names.add(name)
            return _Piece(f"facts[{name!r}]({', '.join(self._arguments(')'))})"), False
        return _Piece(f"facts[{name!r}]", name), True

    def _spaced(self, name: str) -> str | None:
        """The function of the namespace *name* that is called here; None for another call."""
        if not any(it.startswith(f"{name}.") for it in functions.SPACED):
            return None
        token = self._next
        self._expect(".")
        full = f"{name}.{self._name()}"
        if full not in functions.SPACED:
            raise self._wrong(no_such("function", full, functions.SPACED), token)
        self._expect("(")
        return full

    def _call(
        self,
        name: str,
        token: Token,
        known: Mapping[str, tuple[Callable[..., Json], range]],
    ) -> _Piece:
        arguments = self._arguments(")")
        if problem := _miscounted(name, arguments, known[name][1]):
            raise self._wrong(problem, token)
        if name == "optional.none":
            return _Piece(ABSENT)
        if name in {"floor", "ceil"} and arguments[0].startswith("divide("):
            # Whole numbers are divided without a fraction.
            return _Piece(f"{name}_{arguments[0]}")
        return _Piece(f"{functions.python_name(name)}({', '.join(arguments)})")

    def _method(self, piece: _Piece, name: str, token: Token) -> _Piece:
        if any(name == macro for macro, _ in MACROS):
            return self._macro(piece, name, token)
        if name not in functions.METHODS:
            known = [*functions.METHODS, *{macro for macro, _ in MACROS}]
            raise self._wrong(no_such("method", name, known), token)
        arguments = self._arguments(")")
        if problem := _miscounted(name, arguments, functions.METHODS[name][2]):
            raise self._wrong(problem, token)
        if name == "orValue":
            return _Piece(f"or_value({piece.python}, {arguments[0]})")
        return _Piece(f"call_method({', '.join((repr(name), piece.python, *arguments))})")

    def _macro(self, piece: _Piece, name: str, token: Token) -> _Piece:
        variables = [self._name()]
        self._expect(",")
        if name == "transformList":
            variables.append(self._name())
            self._expect(",")
        self._variables += variables
        arguments = self._arguments(")")
        del self._variables[-len(variables) :]
        python = MACROS.get((name, len(variables) + len(arguments)))
        if python is None:
            raise self._wrong(f"{name}() does not take so many arguments", token)
        bound = ", ".join(f"v_{it}" for it in variables)
        made = python.format(piece.python, *arguments, v=bound)
        return _Piece(f"({made})", is_truth=name in _BOOLEANS)

    def _has(self, token: Token) -> _Piece:
        self._expect("(")
        start = self._next
        piece = self._members()
        if self._tokens[self._at - 2].text not in {".", "?"}:
            raise self._wrong("has() takes a field, such as has(input.seconds)", start)
        self._expect(")")
        return _Piece(f"has_{piece.python}", is_truth=True)

    # Lists

    def _arguments(self, end: str) -> list[str]:
        found: list[str] = []
        while not self._skip(end):
            found.append(self._expression().python)
            if not self._skip(","):
                self._expect(end)
                break
        return found

    def _map(self) -> _Piece:
        entries: list[tuple[str, str]] = []
        while not self._skip("}"):
            self._skip("?")
            key = self._expression().python
            self._expect(":")
            entries.append((key, plain_python(self._expression().python)))
            if not self._skip(","):
                self._expect("}")
                break
        return _Piece(map_python(entries))


def _miscounted(name: str, arguments: list[str], wanted: range) -> str:
    """What is wrong with the number of *arguments*; empty if nothing is."""
    if len(arguments) in wanted:
        return ""
    most = wanted.stop - 1
    takes = str(most) if wanted.start == most else f"{wanted.start} to {most}"
    return f"{name}() takes {takes} arguments, got {len(arguments)}"
