"""The names of a field's siblings, through every form that a schema has."""

from __future__ import annotations

from typing import Any

import pytest

from screentest.specs.openapi.fields import Fields

_SCHEMA = {
    "properties": {
        "lamp": {"oneOf": [{"properties": {"watts": {}}}, {"properties": {"volts": {}}}]},
        "shades": {"items": {"properties": {"colour": {}}}},
        "notes": {"additionalProperties": True, "properties": {"by": {}}},
    }
}


def _as_it_is(schema: Any) -> Any:
    return schema


@pytest.mark.parametrize(
    ("pointer", "names"),
    [
        ("/lmap", ["lamp", "shades", "notes"]),
        ("/lamp/wats", ["watts", "volts"]),
        ("/shades/3/color", ["colour"]),
        ("/notes/anything", []),
        ("/nowhere/anything", []),
    ],
)
def test_names_beside_a_field_are_those_of_its_own_place(pointer: str, names: list[str]) -> None:
    assert Fields(_as_it_is, [_SCHEMA]).beside(pointer) == names
