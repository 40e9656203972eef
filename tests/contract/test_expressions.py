"""Runtime expressions find what they name, and nothing else."""

from __future__ import annotations

import pytest

from screentest.contract_tests.traces.expressions import (
    Scope,
    at_pointer,
    evaluate,
    is_shown,
    read_fact,
)
from screentest.contract_tests.traces.trace import MISSING, Exchange
from screentest.specs.checks.views import Fact
from screentest.specs.json_types import Json

EXCHANGE = Exchange(
    number=1,
    at_ms=0,
    actor="owner",
    key="owner",
    operation="x",
    method="POST",
    path="/a/7",
    query="limit=3",
    request_headers={"idempotency-key": "k"},
    request_body=b"",
    sent={"prompt": "p"},
    status=200,
    headers={"location": "/a/8"},
    body=b"",
    reply={"a": [{"b": 1}], "none": None, "scenes": [{"t": "x"}, {"t": " "}, {}]},
    path_values={"id": "7"},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$response.body#/a/0/b", 1),
        ("$response.body#/a/1/b", MISSING),
        ("$response.body#/none", None),
        ("$response.status", 200),
        ("$response.header.Location", "/a/8"),
        ("$request.body#/prompt", "p"),
        ("$request.path.id", "7"),
        ("$request.query.limit", "3"),
        ("$request.header.Idempotency-Key", "k"),
        ("$ids.job", "j"),
        ("$item#/x", 5),
        ("$8", 8),
        ("$elsewhere", MISSING),
    ],
)
def test_an_expression_finds_its_value(expression: str, value: Json) -> None:
    assert evaluate(expression, EXCHANGE, Scope(item={"x": 5}, ids={"job": "j"})) == value


def test_a_pointer_may_name_strange_keys() -> None:
    assert at_pointer({"a/b": {"~": 1}}, "/a~1b/~0") == 1


@pytest.mark.parametrize(
    ("wanted", "value", "holds"),
    [
        (1, 1, True),
        (1, True, False),
        ({"present": True}, None, False),
        ({"absent": True}, MISSING, True),
        ({"starts": "ab"}, "abc", True),
        ({"contains": "x"}, "abc", False),
        ({"length": 2}, [1, 2], True),
    ],
)
def test_what_is_wanted_is_exact_or_said_in_words(
    wanted: Json, value: Json, *, holds: bool
) -> None:
    assert is_shown(wanted, value) is holds


def test_facts_count_only_what_they_are_about() -> None:
    fact = Fact(count="$response.body#/scenes", with_text="t")

    assert read_fact(fact, EXCHANGE) == 1


def test_a_fact_outside_its_bounds_is_not_known() -> None:
    fact = Fact(source="$response.body#/a/0/b", only=(4, 15))

    assert read_fact(fact, EXCHANGE) is MISSING


@pytest.mark.parametrize(
    ("wanted", "value", "is_so"),
    [
        ({"not": "a"}, "b", True),
        ({"not": "a"}, "a", False),
        ({"not": "a"}, None, False),
        ({"has": {"id": "b", "name": {"absent": True}}}, [{"id": "a"}, {"id": "b"}], True),
        ({"has": {"id": "b"}}, [{"id": "a"}], False),
        ({"lacks": {"id": "b"}}, [{"id": "a"}], True),
        ({"lacks": {"id": "a"}}, [{"id": "a"}], False),
        ({"lacks": {"id": "a"}}, None, False),
    ],
)
def test_wanted_items_and_values(wanted: Json, value: Json, is_so: bool) -> None:  # noqa: FBT001
    assert is_shown(wanted, value) is is_so


def test_star_in_a_pointer_matches_every_item() -> None:
    value = {"a": [{"b": [1, 2], "c": 1}, {"b": [3], "c": 2}]}

    assert at_pointer(value, "/a/*/c") == [1, 2]
    assert at_pointer(value, "/a/*/b/*") == [1, 2, 3]
