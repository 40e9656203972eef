"""The JSON Schema of behaviour files has the fields of the structs that they are read into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from screentest.specs import behaviour, call_limits, outputs
from screentest.specs.behaviour_file import SCHEMA_FILE

SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
#: Struct -> where the schema describes it (`*` for the items of a list or a mapping), and the
#: field that comes from the name of its entry.
PLACES: dict[type[Struct], tuple[str, str | None]] = {
    call_limits.Cadence: ("cadence", None),
    call_limits.Concurrency: ("concurrency", None),
    behaviour.Credential: ("credentials/*", "scheme"),
    call_limits.Idempotency: ("idempotency", None),
    behaviour.Lifecycle: ("lifecycles/*", "name"),
    call_limits.Limits: ("limits", None),
    behaviour.ModelRules: ("operations/*/models", None),
    behaviour.OperationRules: ("operations/*", "operation"),
    behaviour.Price: ("operations/*/price", None),
    call_limits.RateWindow: ("rate_windows/*", None),
    behaviour.RefusalRule: ("refusals/replies/*", None),
    behaviour.ResourceKind: ("resources/*", "name"),
    behaviour.State: ("lifecycles/*/states/*", "name"),
    outputs.StreamRules: ("streams/*", "operation"),
    behaviour.Target: ("operations/*/acts_on/*", None),
    outputs.UrlRules: ("urls/*", "name"),
    behaviour.WebhookEvent: ("webhooks/events/*", "type"),
    behaviour.WebhookRules: ("webhooks", None),
}


def _described(place: str) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMA
    for step in place.split("/"):
        if step == "*":
            schema = schema["items"] if "items" in schema else schema["additionalProperties"]
        else:
            schema = schema["properties"][step]
    return schema


@pytest.mark.parametrize("struct", PLACES, ids=lambda struct: struct.__name__)
def test_schema_and_struct_have_the_same_fields(struct: type[Struct]) -> None:
    place, named = PLACES[struct]

    described = _described(place)

    assert described["properties"].keys() == {field.encode_name for field in fields(struct)} - {
        named
    }
    assert described["additionalProperties"] is False


@pytest.mark.parametrize("struct", PLACES, ids=lambda struct: struct.__name__)
def test_what_the_schema_requires_has_no_other_way_to_be_left_out(struct: type[Struct]) -> None:
    place, named = PLACES[struct]

    required = set(_described(place)["required"])
    without_default = {field.encode_name for field in fields(struct) if field.required} - {named}

    # The reader fills these, because their value depends on the rest of the file.
    assert without_default - required <= {"called", "names", "scope", "signed"}


@pytest.mark.parametrize("struct", PLACES, ids=lambda struct: struct.__name__)
def test_a_field_that_only_the_schema_has_is_refused(struct: type[Struct]) -> None:
    assert struct.__struct_config__.forbid_unknown_fields
