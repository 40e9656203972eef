"""Templates: `$expression` is a value, `{name}` is a part of a text."""

from __future__ import annotations

import pytest

from screentest.specs.errors import ContractError
from screentest.specs.expressions.templates import Template, View


def test_a_value_keeps_its_type_and_a_text_gets_words() -> None:
    facts = {"id": "j1", "input": {"seconds": 4, "fps": None}}

    template = Template(
        {"id": "$id", "all": ["$input.seconds * 2", "{id}: {input.seconds}s{input.fps}", 7, None]}
    )

    assert template.fill(facts) == {"id": "j1", "all": [8, "j1: 4s", 7, None]}


def test_an_absent_field_is_left_out() -> None:
    template = Template({"a": "$b ? optional.none() : 1", "in": {"c": "$optional.none()"}})

    assert (template.fill({"b": True}), template.fill({"b": False})) == (
        {"in": {}},
        {"a": 1, "in": {}},
    )


def test_each_filling_is_a_new_value() -> None:
    template = Template({"a": {"b": []}})

    assert template.fill({})["a"] is not template.fill({})["a"]


def test_every_bad_expression_is_named_with_its_place() -> None:
    template = Template({"a": "$1 +", "b": ["fine {x.y}", "$c ("]})

    with pytest.raises(ContractError, match=r"(?s)a: expression '1 \+', column 4.*b/1: .*'c \('"):
        _ = template.names


def test_names_are_those_of_values_and_texts() -> None:
    assert Template({"a": "$x.y ? z : 1", "b": "{p.q} {r}"}).names == {"x.y", "z", "p.q", "r"}


def test_a_view_has_further_fields_in_some_states() -> None:
    view = View({"id": "$id", "url": None, "when": {"done": {"url": "$url"}}})
    facts = {"id": "j1", "url": "https://a.example"}

    assert view.fill({**facts, "state": "done"}) == {"id": "j1", "url": "https://a.example"}
    assert view.fill({**facts, "state": "other"}) == {"id": "j1", "url": None}
