"""A value that matches no documented form gets the violations of the nearest one."""

from __future__ import annotations

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.validation import Schema


def detail(schema: Json, value: Json) -> list[str]:
    """The messages of *schema* about *value*."""
    documents = Documents("forms", {"schema": schema})
    return [it.message for it in Schema(documents, ["schema"], "body").violations(value)]


def violations_of_task(data: Json) -> list[str]:
    """What UlazAI's contract says of the answer to a question about a task."""
    operation = load_contract("ulazai").operations["getTaskStatus"]
    body = {"success": True, "data": data}
    return [it.message for it in operation.reply_violations(200, "application/json", body)]


PROCESSING: dict[str, Json] = {
    "task_id": "sra_2_0123456789abcdef",
    "status": "processing",
    "progress": 40,
    "estimated_completion": "2-3 minutes",
}


def test_value_that_no_form_has_is_reported_with_those_of_all_forms() -> None:
    assert violations_of_task({**PROCESSING, "status": "done"}) == [
        "data.status: expected one of 'processing', 'success', got 'done'"
    ]


def test_form_that_a_value_selects_is_the_one_reported() -> None:
    assert violations_of_task({**PROCESSING, "progress": 101}) == [
        "data.progress: expected at most 100, got 101"
    ]


def test_forms_of_another_type_are_not_reported() -> None:
    schema = {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 3}]}

    assert detail(schema, "ab") == ["request body: expected at least 3 characters, got 2"]


def test_value_of_none_of_the_types_is_reported_with_all_of_them() -> None:
    schema = {"oneOf": [{"type": ["string", "null"]}, {"type": "integer"}]}

    assert detail(schema, [1]) == ["request body: expected null or string or integer, got array"]


def test_fields_of_which_one_is_needed_are_reported_together() -> None:
    schema = {"anyOf": [{"required": ["url"]}, {"required": ["base64"]}]}

    assert detail(schema, {}) == ["request body: expected 'url' or 'base64', got object"]


def test_field_that_is_there_says_which_form_was_meant() -> None:
    payload = {"required": ["base64"], "properties": {"base64": {"minLength": 4}}}
    address = {"required": ["url"], "properties": {"url": {"minLength": 9}}}

    assert detail({"anyOf": [payload, address]}, {"url": "http"}) == [
        "url: expected at least 9 characters, got 4"
    ]


def test_rule_beside_the_forms_and_inside_one_is_reported_once() -> None:
    fields = {"properties": {"url": {"minLength": 9}}}

    assert detail({**fields, "anyOf": [{**fields, "required": ["url"]}]}, {"url": "http"}) == [
        "url: expected at least 9 characters, got 4"
    ]


def test_nested_forms_are_reported_by_the_innermost() -> None:
    leaf = {"oneOf": [{"type": "integer", "minimum": 4}, {"type": "null"}]}
    named = {"type": "object", "required": ["seconds"], "properties": {"seconds": leaf}}

    assert detail({"anyOf": [{"type": "string"}, named]}, {"seconds": 2}) == [
        "seconds: expected at least 4, got 2"
    ]


@pytest.mark.parametrize("forms", [[{"type": "object"}, {"minProperties": 0}]])
def test_value_of_two_forms_at_once_is_reported_as_such(forms: list[Json]) -> None:
    assert detail({"oneOf": forms}, {}) == [
        "request body: expected exactly one of the documented forms, got object"
    ]
