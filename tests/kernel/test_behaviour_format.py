"""The JSON Schemas of behaviour files have the fields of the structs that they are read into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from screentest.specs.behaviour import behaviour, call_limits, outputs, prices
from screentest.specs.checks import checks, flows, request_plan
from screentest.specs.contracts.contract import FOLDER

BEHAVIOUR, CHECKS = (
    json.loads((FOLDER / path).read_text(encoding="utf-8"))
    for path in ("behaviour/behaviour.schema.json", "checks/checks.schema.json")
)
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
    prices.Price: ("operations/*/price", None),
    call_limits.RateWindow: ("rate_windows/*", None),
    behaviour.RefusalRule: ("refusals/replies/*", None),
    behaviour.ResourceKind: ("resources/*", "name"),
    behaviour.State: ("lifecycles/*/states/*", "name"),
    outputs.StreamRules: ("streams/*", "operation"),
    behaviour.Target: ("operations/*/acts_on/*", None),
    outputs.UrlRules: ("urls/*", "name"),
    behaviour.WebhookEvent: ("webhooks/events/*", "type"),
    behaviour.WebhookRules: ("webhooks", None),
    checks.Content: ("makes/*/content", None),
    checks.Example: ("refused/* accepted/*", "name"),
    checks.Fact: ("price_facts/*/*", None),
    checks.ListRules: ("lists/*", "operation"),
    checks.Make: ("makes/*", "kind"),
    checks.MayRefuse: ("may_refuse/*", None),
    checks.MediaView: ("views/*/*/media", None),
    checks.Relation: ("relations/*", "name"),
    request_plan.RequestPlan: ("requests/*", None),
    checks.View: ("views/*/*", "operation"),
    checks.Cadence: ("cadence", None),
    checks.CountedBy: ("lists/*/counted_by", None),
    checks.InvalidAs: ("invalid_as/*", None),
    checks.SameAsAsked: ("same_as_asked/*", None),
    flows.Flow: ("flows/*", "name"),
    flows.Step: ("flows/*/steps/*", None),
}
_CHECKS = tuple(module.__name__ for module in (checks, flows, request_plan))


def _places(struct: type[Struct]) -> list[dict[str, Any]]:
    """Every object of the schemas that is read into *struct*."""
    schema = CHECKS if struct.__module__ in _CHECKS else BEHAVIOUR
    return [_described(schema, place) for place in PLACES[struct][0].split()]


def _name(struct: type[Struct]) -> str:
    return f"{struct.__module__.rpartition('.')[2]}.{struct.__name__}"


def _described(schema: dict[str, Any], place: str) -> dict[str, Any]:
    found = schema
    for step in place.split("/"):
        if step == "*":
            found = found["items"] if "items" in found else found["additionalProperties"]
        else:
            found = found["properties"][step]
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize("struct", PLACES, ids=_name)
def test_schema_and_struct_have_the_same_fields(struct: type[Struct]) -> None:
    described = _places(struct)

    names = {name for place in described for name in place["properties"]}
    if struct.__module__ in _CHECKS:
        names.discard("when")  # the reader takes it out
    assert names == {field.encode_name for field in fields(struct)} - {PLACES[struct][1]}
    assert all(place["additionalProperties"] is False for place in described)


@pytest.mark.parametrize("struct", PLACES, ids=_name)
def test_what_a_file_may_leave_out_has_a_default_or_is_filled(struct: type[Struct]) -> None:
    """The reader fills these, because their value depends on the rest of the file."""
    optional = {
        name
        for place in _places(struct)
        for name in place["properties"]
        if name not in place.get("required", ())
    }
    without_default = {field.encode_name for field in fields(struct) if field.required}

    assert without_default & optional <= {"as", "called", "names", "scope", "signed"}


@pytest.mark.parametrize("struct", PLACES, ids=_name)
def test_a_field_that_only_the_schema_has_is_refused(struct: type[Struct]) -> None:
    assert struct.__struct_config__.forbid_unknown_fields
