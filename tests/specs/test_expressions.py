"""Expressions: the cases of CEL's conformance suite that apply, and where they depart from it.

The cases are named as in https://github.com/google/cel-spec, folder tests/simple/testdata: the
file, then the section. Left out is what JSON does not have: bytes, unsigned numbers, timestamps,
types as values, messages and overflow.
"""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentest.specs.expressions.expressions import read_expression
from screentest.specs.expressions.operators import ABSENT
from screentest.specs.expressions.tokens import ExpressionError
from screentest.specs.json_types import Json

_CASES: list[tuple[str, str, Json]] = [
    ("basic/self_eval_nonzeroish", "42", 42),
    ("basic/self_eval_nonzeroish", "0x55555555", 0x55555555),
    ("basic/self_eval_nonzeroish", "-2.3e+1", -23),
    ("basic/self_eval_nonzeroish", '"!"', "!"),
    ("basic/self_eval_nonzeroish", r"r'esc\ape'", r"esc\ape"),
    ("basic/self_eval_nonzeroish", r'"\u270c \x3f"', "✌ ?"),
    ("basic/self_eval_nonzeroish", "{'k':'v'}", {"k": "v"}),
    ("basic/self_eval_zeroish", "null", None),
    ("basic/self_eval_zeroish", "[]", []),
    ("basic/functions", "1 + 1", 2),
    ("basic/reserved_const", "!false", True),
    ("comparisons/eq_literal", "'a' == 'b'", False),
    ("comparisons/eq_literal", "[[1, 2], 3] == [[1, 2], 3]", True),
    ("comparisons/eq_literal", "{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", True),
    ("comparisons/eq_literal", "1 == 1.0", True),
    ("comparisons/eq_literal", "false == null", False),
    ("comparisons/eq_literal", "1 == true", False),
    ("comparisons/ne_literal", "'x' != 1", True),
    ("comparisons/lt_literal", "-1 < 0", True),
    ("comparisons/lt_literal", "'a' < 'aa'", True),
    ("comparisons/lte_literal", "2.5 <= 2", False),
    ("comparisons/gt_literal", "true > false", True),
    ("comparisons/gte_literal", "'abc' >= 'abd'", False),
    ("comparisons/in_list_literal", "'elem' in ['elem', 'elemA', 'elemB']", True),
    ("comparisons/in_list_literal", "1 in [true]", False),
    ("comparisons/in_map_literal", "'key1' in {'key1': 1}", True),
    ("comparisons/bound", "has({'a': 1}.b) ? 1 : 2", 2),
    ("conversions/int", "int('987')", 987),
    ("conversions/int", "int(11.5)", 11),
    ("conversions/int", "int(-3.9)", -3),
    ("conversions/string", "string(123)", "123"),
    ("conversions/string", "string(-6.5)", "-6.5"),
    ("conversions/string", "string(true)", "true"),
    ("fields/map_fields", "{'name': 1024}.name", 1024),
    ("fields/map_fields", "{'holiday': 'field'}['holiday']", "field"),
    ("fields/map_has", "has({'a': 1}.a)", True),
    ("fields/map_has", "has({'a': null}.a)", True),
    ("fields/map_has", "has({'a': 1}.b)", False),
    ("integer_math/int64_math", "40 - 2 * 3 + -1", 33),
    ("integer_math/int64_math", "43 % -5", 3),
    ("integer_math/int64_math", "-43 % 5", -3),
    ("integer_math/int64_math", "--5", 5),
    ("fp_math/fp_math", "4.25 + 15.25", 19.5),
    ("fp_math/fp_math", "65.25 / 9.0", 7.25),
    ("lists/concatenation", "[0.0] + [1, 2]", [0, 1, 2]),
    ("lists/index", "['y', 'x'][1]", "x"),
    ("lists/in", "3 in [1, 2]", False),
    ("logic/conditional", "true ? 1 : 2", 1),
    ("logic/conditional", "false ? 1 : true ? 2 : 3", 2),
    ("logic/conditional", "false ? ('a' + 1 == 'b') : true", True),
    ("logic/AND", "false && 32 == 'x'", False),
    ("logic/AND", "true && true && false", False),
    ("logic/OR", "true || 1 == 'x'", True),
    ("logic/NOT", "!!true", True),
    ("macros/exists", "[1, 2, 3].exists(e, e > 2)", True),
    ("macros/exists", "{'key1': 1}.exists(k, k == 'key2')", False),
    ("macros/all", "[].all(e, e > 0)", True),
    ("macros/all", "[1, 2, 3].all(e, e > 1)", False),
    ("macros/exists_one", "[7, 8, 7].exists_one(a, a == 7)", False),
    ("macros/map", "[1, 2].map(n, n * n)", [1, 4]),
    ("macros/map", "[2, 3, 4].map(n, n % 2 == 0, n / 2)", [1, 2]),
    ("macros/filter", "[0, 1, 2, 3].filter(x, x % 2 == 1)", [1, 3]),
    ("macros/nested", "['signer'].filter(x, ['signer'].all(y, x == y))", ["signer"]),
    ("macros2/transformList", "['a', 'b'].transformList(i, v, string(i) + v)", ["0a", "1b"]),
    ("macros2/transformList", "[1, 2].transformList(i, v, i > 0, v)", [2]),
    ("lists_ext/sortBy", "[3, 1, 2].sortBy(x, -x)", [3, 2, 1]),
    ("optionals/optionals", "{'a': 1}.?b.orValue('x')", "x"),
    ("optionals/optionals", "{'a': optional.none(), ?'b': 2}", {"b": 2}),
    ("parse/nest", "((((((7))))))", 7),
    ("parse/repeat", " || ".join(["true"] * 32), True),
    ("parse/repeat", "[" + ", ".join(["0"] * 32) + "].size()", 32),
    ("parse/whitespace", "[\t.5,\r\n2 ][ 0 ]", 0.5),
    ("string/size", "size('four')", 4),
    ("string/starts_with", "'foobar'.startsWith('foo')", True),
    ("string/ends_with", "'foobar'.endsWith('foo')", False),
    ("string/matches", "'hubba'.matches('^h.*a$')", True),
    ("string/concatenation", "'he' + 'llo'", "hello"),
    ("string/contains", "'hello'.contains('ell')", True),
    ("string_ext/index_of", "'tacocat'.indexOf('aco')", 1),
    ("string_ext/ascii_casing", "'TacoCat'.lowerAscii()", "tacocat"),
    ("string_ext/replace", "'12 days 12 hours'.replace('{0}', '2')", "12 days 12 hours"),
    ("string_ext/replace", "'1 2 1'.replace('1', '4', 1)", "4 2 1"),
    ("string_ext/split", "'hello world'.split(' ')", ["hello", "world"]),
    ("string_ext/substring", "'tacocat'.substring(4)", "cat"),
    ("string_ext/substring", "'tacocat'.substring(0, 4)", "taco"),
    ("string_ext/trim", "' trim '.trim()", "trim"),
    ("string_ext/join", "['x', 'y'].join('-')", "x-y"),
    ("string_ext/format", "'%d-%d %s'.format([1, 2, 'min'])", "1-2 min"),
    ("encoders_ext/encode", "base64.encode('hello')", "aGVsbG8="),
    ("math_ext/round_double", "round(1.5)", 2),
    ("math_ext/round_double", "round(-1.5)", -2),
    ("math_ext/ceil_double", "ceil(1.2)", 2),
    ("math_ext/floor_double", "floor(-1.2)", -2),
    ("math_ext/greatest", "max(1, 2.5, 2)", 2.5),
    ("math_ext/least", "min([3, 2])", 2),
]


@pytest.mark.parametrize(("section", "text", "value"), _CASES)
def test_expression_gives_the_value_of_cels_conformance_suite(
    section: str, text: str, value: Json
) -> None:
    found = read_expression(text).evaluate({})

    assert (found, type(found) is bool) == (value, type(value) is bool), section


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7 / 2", 3.5),  # a division of whole numbers is not cut off
        ("0.1 + 0.2 == 0.3", True),  # numbers are exact
        ("1 + 0.5", 1.5),  # one type of number
        ("{'a': 1}.b", None),  # what is missing is null
        ("[1][5]", None),
        ("'ab'.substring(0, 9)", "ab"),
        ("[1, 2].slice(1, 9)", [2]),
        ("{'a': null}.a.orValue(3)", 3),
    ],
)
def test_departures_from_cel(text: str, value: Json) -> None:
    assert read_expression(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("1 +", r"column 4: expected a value, got 'the end'"),
        ("a ? b", r"column 6: expected ':'"),
        ("a b", r"column 3: expected an operator or the end, got 'b'"),
        ("s.sizes()", r"column 3: no method 'sizes'; did you mean 'size'\?"),
        ("lists.rang(2)", r"column 6: no function 'lists.rang'; did you mean 'lists.range'\?"),
        ("has(a)", r"column 5: has\(\) takes a field"),
        ("floor(1, 2)", r"column 1: floor\(\) takes 1 arguments, got 2"),
        ("[1].map(x)", r"column 10: expected ','"),
        ("[1].map(1, x)", r"column 9: expected a name, got '1'"),
        ("for + 1", r"column 1: 'for' is a reserved word"),
        ("a $ b", r"column 3: unexpected '\$'"),
        ("'open", r"column 1: unexpected"),
        ("a ** 2", r"column 4: expected a value"),
        ("a if b else c", r"column 3: "),
        ("(" * 60 + "1" + ")" * 60, r"nested more than 30 times"),
        ("1" * 2_001, r"longer than 2000 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(text: str, detail: str) -> None:
    with pytest.raises(ExpressionError, match=detail):
        read_expression(text)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("1 / 0", "division by zero"),
        ("'a' + 1", "'a' is not a number"),
        ("1 && true", "1 is neither true nor false"),
        ("size(3)", "3 has no size"),
        ("3.trim()", "3 has no method trim"),
        ("x.trim()", "3 has no method trim"),
        ("'%d'.format(['x'])", "format"),
        ("json('{')", "is not JSON"),
        ("missing", "no fact 'missing' .there are: x"),
    ],
)
def test_what_the_facts_do_not_permit_is_named(text: str, detail: str) -> None:
    with pytest.raises(ExpressionError, match=detail):
        read_expression(text).evaluate({"x": 3})


def test_names_are_the_facts_that_an_expression_needs() -> None:
    expression = read_expression("input.scenes.filter(s, s.voice != '').map(t, t.a + mint(id))")

    assert expression.names == {"input.scenes", "mint", "id"}
    assert expression.roots == {"input", "mint", "id"}


def test_a_field_may_have_a_name_that_is_reserved() -> None:
    assert (
        read_expression("has(input.loop) ? input.for.if : 0").evaluate(
            {"input": {"loop": True, "for": {"if": 7}}}
        )
        == 7
    )


def test_a_function_of_the_place_gets_its_arguments() -> None:
    facts = {"url": lambda name, id_: f"{name}/{id_}", "id": "j1"}

    assert read_expression("url('video', id)").evaluate(facts) == "video/j1"


def test_an_absent_value_is_not_null() -> None:
    assert read_expression("optional.none()").evaluate({}) is ABSENT


_NUMBERS = st.integers(-1_000, 1_000) | st.decimals(-1_000, 1_000, places=2)


@st.composite
def _sums(draw: st.DrawFn, depth: int = 4) -> tuple[str, Fraction]:
    """An expression of numbers as a text, and its exact value."""
    if depth == 0 or draw(st.booleans()):
        number = draw(_NUMBERS)
        return f"({number:f})", Fraction(number)
    (left, a), (right, b) = draw(_sums(depth - 1)), draw(_sums(depth - 1))
    match draw(st.sampled_from("+-*/<?")):
        case "+":
            return f"({left} + {right})", a + b
        case "-":
            return f"({left} - {right})", a - b
        case "*":
            return (
                f"{left} * {right}" if "+" not in left + right else f"({left}) * ({right})",
                a * b,
            )
        case "/" if b:
            return f"(({left}) / ({right}))", a / b
        case "<":
            return f"({left} < {right} ? 1 : ceil({right}))", Fraction(1 if a < b else math.ceil(b))
        case _:
            return f"max({left}, {right})", max(a, b)


@given(_sums())
def test_numbers_are_exact_in_any_expression(made: tuple[str, Fraction]) -> None:
    text, value = made
    whole = value.numerator if value.denominator == 1 else float(value)

    assert read_expression(text).evaluate({}) == whole


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        assert read_expression(text).text == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it)))
def test_a_value_is_equal_to_itself_alone(value: Json) -> None:
    facts = {"a": value, "b": [value]}

    assert read_expression("a == a && !(a == b)").evaluate(facts) is True
