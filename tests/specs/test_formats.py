"""The formats of contract files: every field is described, and every mistake has a place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from screentest.specs.describing.schemas import FORMATS, schema_of
from screentest.specs.errors import ContractError
from screentest.specs.files import read_yaml
from screentest.specs.formats import check_form, read_schema
from screentest.specs.json_types import Json


def fields(name: str) -> Iterator[tuple[str, Json]]:
    """(place, schema) of every field of the files called *name*."""
    schema = schema_of(name)
    for part, it in [("", schema), *schema["$defs"].items()]:
        for field, described in it.get("properties", {}).items():
            yield f"{part}/{field}", described


_FIELDS = [
    pytest.param(name, described, id=f"{name}.yaml:{place}")
    for name in FORMATS
    for place, described in fields(name)
]


@pytest.mark.parametrize(("name", "field"), _FIELDS)
def test_field_has_a_description_and_examples_that_it_takes(name: str, field: Json) -> None:
    schema = {**field, "$defs": schema_of(name)["$defs"]}

    assert field.get("description", "").endswith(".")
    assert field.get("examples")
    for example in field["examples"]:
        jsonschema_rs.validate(schema, example)


@pytest.mark.parametrize("name", FORMATS)
def test_published_schema_is_that_of_the_structs(name: str) -> None:
    """`python -m tools.reference_pages` writes it."""
    assert read_schema(name) == json.loads(json.dumps(schema_of(name)))


@pytest.mark.parametrize("name", FORMATS)
def test_no_field_permits_others(name: str) -> None:
    schema = schema_of(name)

    parts = [it for it in (schema, *schema["$defs"].values()) if "properties" in it]

    assert parts
    assert all(it["additionalProperties"] is False for it in parts)


_MISTAKES = [
    (
        "behaviour",
        "behaviour: 1\noperations:\n  getLamp:\n    efect: read",
        "4: at operations/getLamp/efect: no field 'efect'; did you mean 'effect'?",
    ),
    (
        "behaviour",
        "behaviour: 1\noperations:\n  getLamp: {effect: reed}",
        "3: at operations/getLamp/effect: no value 'reed'; did you mean 'read'? (there are: "
        "billable, destructive, read, write)",
    ),
    (
        "behaviour",
        "behaviour: 1\ncredentials:\n  key:\n    accepts: [{scheme: Bearer}]\n    key: k\n"
        "    form: '{hex:8}'",
        "4: at credentials/key/accepts/0: exactly one of these fields is needed: header, query, "
        "cookie",
    ),
    (
        "readings",
        "pace:\n  id: A1\n  default: slow\n  reason: The page is silent.\n  alternatives:\n"
        "    fast:\n      says: Fast.\n      rulez: {facts: {}}",
        "8: at pace/alternatives/fast/rulez: no field 'rulez'; did you mean 'rules'?",
    ),
    (
        "checks",
        "requests:\n  getLamp: {answers: '404'}",
        '2: at requests/getLamp/answers: "404" is not of types "null", "integer"',
    ),
    (
        "clauses",
        "LA-001:\n  says: A.\n  about: {topic: weather}",
        "3: at LA-001/about/topic: ",
    ),
]


@pytest.mark.parametrize(("name", "text", "problem"), _MISTAKES)
def test_a_mistake_is_named_with_its_line_and_the_nearest_word(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)

    with pytest.raises(ContractError) as caught:
        check_form(read_yaml(path), path)

    assert caught.value.problems[0].startswith(f"{path}:{problem}")


def test_all_mistakes_of_a_file_are_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "behaviour.yaml"
    path.write_text("behaviour: 2\naccount: {}\nlimits: {json_bytes_max: 0}\n")

    with pytest.raises(ContractError) as caught:
        check_form(read_yaml(path), path)

    lines = sorted(it.split(":")[1] for it in caught.value.problems)
    assert lines == ["1", "2", "3", "3"]


def test_a_key_that_is_not_a_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "behaviour.yaml"
    path.write_text("behaviour: 1\nfacts:\n  on: 3\n")

    with pytest.raises(ContractError, match=r"2: at facts: the key True is not a text; write it"):
        check_form(read_yaml(path), path)
