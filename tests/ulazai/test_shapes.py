"""The contract has the documented shapes alone; those of another reading come with that reading."""

from __future__ import annotations

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

_TASK = "sra_2_4f0c9d21ab3706e5"
_FAILED: dict[str, Json] = {
    "success": False,
    "error": "Video generation failed",
    "error_details": "Content policy violation detected in prompt",
    "credits_refunded": 70,
}
_FAILED_WITH_DATA = {**_FAILED, "data": {"task_id": _TASK, "status": "failed"}}
_VIDEO: dict[str, Json] = {
    "task_id": _TASK,
    "status": "success",
    "video_url": f"https://cdn.ulazai.com/sora/videos/{_TASK}.mp4",
    "thumbnail_url": f"https://cdn.ulazai.com/sora/thumbnails/{_TASK}.jpg",
    "duration": 10,
    "resolution": "1920x1080",
    "file_size": "15.2 MB",
    "created_at": "2025-01-03T10:15:30.000001Z",
}
_FIELD_ERRORS: dict[str, Json] = {"prompt": ["This field is required."]}

_REPLIES: list[tuple[str, str, str, int, Json]] = [
    ("failed_body", "failed_with_data", "getTaskStatus", 200, _FAILED_WITH_DATA),
    ("failed_status_code", "422", "getTaskStatus", 422, _FAILED),
    ("created_at", "microseconds", "getTaskStatus", 200, {"success": True, "data": _VIDEO}),
    ("error_form", "drf_detail", "generateTextToVideo", 400, _FIELD_ERRORS),
    ("error_form", "drf_detail", "generateTextToVideo", 402, {"detail": "Too few credits."}),
]


def _violations(operation: str, status: int, body: Json, **readings: str) -> list[str]:
    chosen = {f"ulazai.{name}": value for name, value in readings.items()}
    found = load_contract("ulazai", chosen).operations[operation]
    return [it.message for it in found.reply_violations(status, "application/json", body)]


@pytest.mark.parametrize(("name", "value", "operation", "status", "body"), _REPLIES)
def test_shape_of_another_reading_is_a_violation_unless_it_is_chosen(
    name: str, value: str, operation: str, status: int, body: Json
) -> None:
    assert _violations(operation, status, body)
    assert _violations(operation, status, body, **{name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("failed_body", "failed_with_data", _FAILED),
        ("failed_status_code", "422", _FAILED),
        ("failed_status_code", "500", _FAILED),
    ],
)
def test_documented_shape_is_a_violation_where_another_reading_is_chosen(
    name: str, value: str, body: Json
) -> None:
    assert _violations("getTaskStatus", 200, body) == []
    assert _violations("getTaskStatus", 200, body, **{name: value})
