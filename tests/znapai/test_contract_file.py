"""The OpenAPI file by itself: the documented shapes alone, complete for a reader of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from ..mock_client import MockWorld

_VIDEO = {
    "id": "video_3f0b9c5d7e1a4826b1c0d9e8f7a6b5c4",
    "completed_at": None,
    "created_at": 1767225600,
    "error": None,
    "expires_at": None,
    "model": "sora-2",
    "object": "video",
    "progress": 0,
    "prompt": "A paper boat",
    "remixed_from_video_id": None,
    "seconds": "4",
    "size": "720x1280",
    "status": "queued",
}
_MEASURED = {name: it for name, it in _VIDEO.items() if name != "prompt"} | {"usage": None}


def linted(world: MockWorld, body: Json, *, operation: str = "getVideo") -> list[str]:
    """The fields of *body* that `replies/lint` objects to."""
    reply = {"provider": "znapai", "operation": operation, "status": 200, "body": body}
    answer = world.control.post(f"{world.path}/replies/lint", json=reply)
    assert answer.status == 200, answer.text
    return [it["pointer"] for it in answer.json()["violations"]]


@pytest.mark.clause("ZN-033", "ZN-042")
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (_VIDEO, []),
        (_VIDEO | {"usage": None}, ["/usage"]),
        ({name: it for name, it in _VIDEO.items() if name != "prompt"}, ["/prompt"]),
        (_MEASURED, ["/prompt", "/usage"]),
    ],
)
def test_a_job_has_the_thirteen_documented_fields(
    world: MockWorld, body: Json, pointers: list[str]
) -> None:
    assert sorted(linted(world, body)) == pointers


@pytest.mark.clause("ZN-033")
def test_the_measured_shape_is_valid_in_its_reading_alone() -> None:
    measured = load_contract("znapai", {"znapai.answer_shape": "proxy"}).operations["getVideo"]

    assert measured.reply_violations(200, "application/json", _MEASURED) == []
    found = measured.reply_violations(200, "application/json", _VIDEO)
    assert sorted(it.pointer for it in found) == ["/prompt", "/usage"]


def test_the_file_has_no_shapes_of_other_readings() -> None:
    document = load_contract("znapai").document

    delete = document["paths"]["/videos/{video_id}"]["delete"]
    assert sorted(delete["responses"]) == ["200", "400", "401", "404", "500"]
    assert (
        not {"ProxyVideo", "VideoAnswer", "RouteError"} & document["components"]["schemas"].keys()
    )


def test_no_property_is_a_bare_truth_value() -> None:
    """`openapi-python-client` refuses a document with boolean subschemas."""
    found = dict(properties(load_contract("znapai").document["components"]["schemas"], ""))

    assert [place for place, it in found.items() if isinstance(it, bool)] == []


def test_every_property_has_a_description() -> None:
    found = dict(properties(load_contract("znapai").document["components"]["schemas"], ""))

    assert len(found) > 50
    assert [place for place, it in found.items() if "description" not in it] == []


def test_every_error_has_an_example() -> None:
    responses: Mapping[str, Json] = load_contract("znapai").document["components"]["responses"]

    assert [
        name for name, it in responses.items() if not it["content"]["application/json"]["examples"]
    ] == []


def properties(value: Json, place: str) -> Iterator[tuple[str, Json]]:
    """(place, schema) of every property, except those that only refine another by a condition."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from properties(item, f"{place}/{index}")
    elif isinstance(value, dict):
        for name, below in value.items():
            if name == "properties":
                for field, schema in below.items():
                    yield f"{place}/{field}", schema
                    yield from properties(schema, f"{place}/{field}")
            elif name not in {"if", "then", "else"}:
                yield from properties(below, f"{place}/{name}")
