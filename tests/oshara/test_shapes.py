"""The contract has the documented shapes alone; those of another reading come with that reading."""

from __future__ import annotations

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from . import steps

_CREATED: dict[str, Json] = {
    "id": 42,
    "title": "Product Demo",
    "status": "PENDING",
    "text_content": "Welcome to Acme!",
    "processed_video_url": None,
    "error_message": None,
    "created_at": "2025-06-10T15:00:00Z",
}
_JOB: dict[str, Json] = {
    **_CREATED,
    "external_job_id": None,
    "updated_at": "2025-06-10T15:00:00Z",
}
_EXACT: dict[str, Json] = {
    **_JOB,
    "created_at": "2025-06-10T15:00:00.000001Z",
    "updated_at": "2025-06-10T15:00:00.000001Z",
}
_PAGE: dict[str, Json] = {"count": 1, "next": None, "previous": None, "results": [_JOB]}
_ENVELOPE: dict[str, Json] = {
    "success": False,
    "message": "Not found.",
    "data": None,
    "errors": {"detail": "Not found."},
}
_DETAIL = {"detail": "Not found."}

_OTHERS: list[tuple[str, str, str, int, Json, int, Json]] = [
    ("create_status", "200", "createVideoJob", 200, _CREATED, 201, _CREATED),
    ("create_status", "200", "createVideoOnlyJob", 200, _CREATED, 201, _CREATED),
    ("error_form", "envelope", "getVideoJob", 404, _ENVELOPE, 404, _DETAIL),
    ("error_form", "envelope", "createVideoJob", 400, _ENVELOPE, 400, {"title": ["No."]}),
    ("list_form", "paginated", "listVideoJobs", 200, _PAGE, 200, [_JOB]),
    ("listed_fields", "as_created", "listVideoJobs", 200, [_CREATED], 200, [_JOB]),
    ("timestamps", "microseconds", "getVideoJob", 200, _EXACT, 200, _JOB),
    (
        "external_job_id",
        "from_creation_on",
        "getVideoJob",
        200,
        {**_JOB, "external_job_id": "imtk-abc123"},
        200,
        _JOB,
    ),
    (
        "processing_params_echo",
        "shown",
        "getVideoJob",
        200,
        {**_JOB, "processing_params": None},
        200,
        _JOB,
    ),
]


def _violations(operation: str, status: int, body: Json, **readings: str) -> list[str]:
    chosen = {f"oshara.{name}": value for name, value in readings.items()}
    found = load_contract("oshara", chosen).operations[operation]
    return [it.message for it in found.reply_violations(status, "application/json", body)]


@pytest.mark.parametrize(
    ("name", "value", "operation", "status", "body", "default_status", "default_body"), _OTHERS
)
def test_each_shape_is_a_violation_where_the_other_reading_is_chosen(
    name: str,
    value: str,
    operation: str,
    status: int,
    body: Json,
    default_status: int,
    default_body: Json,
) -> None:
    reading = {name: value}

    assert _violations(operation, default_status, default_body) == []
    assert _violations(operation, status, body, **reading) == []
    assert _violations(operation, status, body)
    assert _violations(operation, default_status, default_body, **reading)


def test_forms_have_examples() -> None:
    """A generated page shows how a form is filled in."""
    document = load_contract("oshara").document
    forms = [
        document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        for path in (steps.JOBS, steps.VIDEO_ONLY)
    ]

    values = [[set(it["value"]) for it in form["examples"].values()] for form in forms]

    assert values == [
        [
            {"title", "text_content", "avatar"},
            {"title", "text_content", "avatar", "reference_voice", "processing_params"},
        ],
        [{"title", "avatar", "audio"}],
    ]
