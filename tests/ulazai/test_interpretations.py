"""Where the document is silent or contradicts itself: what the mock does, and the other readings.

Each test begins with the id of the point as the contract lists it: L1 to L15 here, the rest in
`test_interpretations_from_l16.py`.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps


def readings(world: MockWorld) -> Json:
    return world.control.get(f"{world.path}/interpretations").json()


def test_all_30_points_are_listed_with_their_reason(world: MockWorld) -> None:
    """L1 to L30: the contract lists every choice."""
    listed = [item for name, item in readings(world).items() if name.startswith("ulazai.")]

    assert {item["id"] for item in listed} == {f"L{number}" for number in range(1, 31)}
    assert all(item["value"] == item["default"] and item["reason"] for item in listed)


@pytest.mark.clause("UL-020", "UL-028")
def test_request_of_the_example_is_charged_70_by_the_parameter_table(ulazai: Account) -> None:
    """L1: the example's answer says 80."""
    body = {"prompt": "A mountain", "aspect_ratio": "landscape", "quality": "standard"}

    data = steps.accepted(ulazai.client.post(steps.TEXT, json=body))

    assert (data["credits_charged"], data["credits_remaining"]) == (70, 930)


@pytest.mark.clause("UL-020", "UL-021", "UL-022", "UL-041")
@pytest.mark.parametrize("reading", ["true", "false"])
@pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
def test_unsaid_opt_in_by_its_reading(
    ulazai: Account, submission: tuple[str, dict[str, Json]], reading: str
) -> None:
    """L2: with `false` a bare request costs 80, as in the example; what is said stays said."""
    ulazai.world.choose(ulazai__optin_default=reading)
    path, body = submission

    charged = [
        steps.accepted(ulazai.client.post(path, json={**body, **choice}))["credits_charged"]
        for choice in (
            {},
            {"prompt_directory_optin": True},
            {"prompt_directory_optin": False},
        )
    ]

    assert charged == [{"true": 70, "false": 80}[reading], 70, 80]


@pytest.mark.clause("UL-028", "UL-029", "UL-057")
def test_example_of_the_document_comes_true_when_unsaid_means_no(ulazai: Account) -> None:
    """L2, false: 1000 credits, 80 charged, 920 left, 80 refunded."""
    ulazai.world.choose(ulazai__optin_default="false")
    data = steps.from_text(ulazai)
    ulazai.world.fail_job(data["task_id"], "Content policy violation detected in prompt")

    last = steps.poll(ulazai, data["task_id"])[-1]

    assert (data["credits_charged"], data["credits_remaining"]) == (80, 920)
    assert last["credits_refunded"] == 80


@pytest.mark.clause("UL-030")
def test_webhook_url_is_the_mocks_own_status_address(ulazai: Account) -> None:
    """L3: nothing is ever posted there."""
    data = steps.from_text(ulazai)

    base = f"http://localhost/w/{ulazai.world.id}/ulazai"
    assert data["webhook_url"] == f"{base}/api/v1/sora/status/{data['task_id']}/"


@pytest.mark.clause("UL-054")
def test_failed_task_is_answered_200(ulazai: Account) -> None:
    """L4."""
    task_id, _ = steps.failed(ulazai)

    assert ulazai.client.get(steps.status_path(task_id)).status == 200


@pytest.mark.clause("UL-054", "UL-055", "UL-056", "UL-057", "UL-078")
def test_failed_body_has_no_data(ulazai: Account) -> None:
    """L5, literal: a client that reads data.status breaks."""
    _, body = steps.failed(ulazai)

    assert set(body) == {"success", "error", "error_details", "credits_refunded"}


@pytest.mark.clause("UL-054", "UL-078")
def test_failed_body_may_have_the_data_that_the_samples_read(ulazai: Account) -> None:
    """L5, failed_with_data."""
    ulazai.world.choose(ulazai__failed_body="failed_with_data")

    task_id, body = steps.failed(ulazai, "The model gave up")

    assert body == {
        "success": False,
        "error": "Video generation failed",
        "error_details": "The model gave up",
        "credits_refunded": 70,
        "data": {"task_id": task_id, "status": "failed"},
    }


@pytest.mark.clause("UL-056", "UL-063")
def test_policy_is_applied_at_submission_or_later(ulazai: Account) -> None:
    """L6: seen at once it is a 422, found later a failed task; neither costs anything."""
    at_once = ulazai.client.post(steps.TEXT, json={"prompt": "[[screentest:reject]]"})
    _, later = steps.failed(ulazai, "Content policy violation detected in prompt")

    assert steps.refusal(at_once) == (422, "content")
    assert later["error_details"] == "Content policy violation detected in prompt"
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-064", "UL-065")
def test_concurrency_counts_processing_tasks_of_an_account(ulazai: Account) -> None:
    """L7: the eleventh, not the tenth; and neither finished tasks nor refused calls count."""
    steps.finish(ulazai, steps.from_text(ulazai)["task_id"])
    ulazai.client.post(steps.TEXT, json={})

    statuses = [ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY).status for _ in range(11)]

    assert statuses == [201] * 10 + [429]


@pytest.mark.clause("UL-050")
def test_every_shape_has_1080_lines_on_its_short_side(ulazai: Account) -> None:
    """L8."""
    resolutions = [
        steps.finish(ulazai, steps.from_text(ulazai, aspect_ratio=shape)["task_id"])["resolution"]
        for shape in ("landscape", "portrait", "square")
    ]

    assert resolutions == ["1920x1080", "1080x1920", "1080x1080"]


@pytest.mark.clause("UL-016")
def test_high_quality_costs_the_same(ulazai: Account) -> None:
    """L9."""
    high = steps.from_text(ulazai, quality="high", prompt_directory_optin=False)

    assert high["credits_charged"] == 80


@pytest.mark.clause("UL-023", "UL-033")
def test_picture_is_answered_201_too(ulazai: Account) -> None:
    """L10."""
    assert ulazai.client.post(steps.IMAGE, json=steps.IMAGE_BODY).status == 201


@pytest.mark.clause("UL-008", "UL-009")
@pytest.mark.parametrize(("length", "status"), [(1, 201), (5000, 201), (5001, 400)])
def test_length_of_a_prompt(ulazai: Account, length: int, status: int) -> None:
    """L11."""
    answer = ulazai.client.post(steps.TEXT, json={"prompt": "a" * length})

    assert answer.status == status


@pytest.mark.clause("UL-006", "UL-035")
@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
@pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
def test_blank_prompt_is_not_a_prompt(
    ulazai: Account, submission: tuple[str, dict[str, Json]], prompt: str
) -> None:
    """L12."""
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "prompt": prompt})

    assert steps.refusal(answer) == (400, "validation")
    assert "prompt" in answer.json()["error_details"]


@pytest.mark.clause("UL-034")
@pytest.mark.parametrize(
    ("image_url", "status"),
    [
        ("https://media.example.org/boat.jpg", 201),
        ("https://media.example.org/boat", 201),
        ("https://media.example.org/photo.v2", 201),
        ("https://media.example.org/boat.tiff", 400),
        ("boat.jpg", 400),
    ],
)
def test_url_of_a_known_other_format_is_refused(
    ulazai: Account, image_url: str, status: int
) -> None:
    """L13: the picture is never fetched, so only a known extension says what it is."""
    answer = ulazai.client.post(steps.IMAGE, json={**steps.IMAGE_BODY, "image_url": image_url})

    assert answer.status == status


@pytest.mark.clause("UL-013")
@pytest.mark.parametrize("shape", ["16:9", "9:16", "1:1", "horizontal"])
def test_shape_is_one_of_three_words(ulazai: Account, shape: str) -> None:
    """L14."""
    answer = ulazai.client.post(steps.TEXT, json={**steps.TEXT_BODY, "aspect_ratio": shape})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("UL-002", "UL-074")
@pytest.mark.parametrize("form", ["Token {key}", "Bearer {key}", "{key}"])
def test_three_forms_of_the_header_are_understood(ulazai: Account, form: str) -> None:
    """L15."""
    client = steps.with_header(ulazai, form.format(key=ulazai.api_key))

    assert client.post(steps.TEXT, json=steps.TEXT_BODY).status == 201
