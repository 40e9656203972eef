"""Submitting a video, from text and from a picture: what passes, what does not, the answer."""

from __future__ import annotations

import re

import pytest
import yaml

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps

STARTED_FIELDS = {
    "task_id",
    "status",
    "estimated_completion",
    "credits_charged",
    "credits_remaining",
    "webhook_url",
    "message",
}

both = pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)


@pytest.mark.clause("UL-001")
def test_contract_names_the_service_and_paths_that_end_with_a_slash() -> None:
    contract = yaml.safe_load((steps.SPEC / "openapi.yaml").read_text())

    assert contract["servers"][0]["url"] == "https://ulazai.com"
    assert list(contract["paths"]) == [
        "/api/v1/sora/generate/text-to-video/",
        "/api/v1/sora/generate/image-to-video/",
        "/api/v1/sora/status/{task_id}/",
    ]


@pytest.mark.clause("UL-001")
def test_client_environment_names_the_base_address_of_the_samples(world: MockWorld) -> None:
    environment = world.control.get(world.path).json()["env"]

    assert environment["ULAZAI_BASE_URL"] == f"http://localhost/w/{world.id}/ulazai/api/v1"
    assert environment["ULAZAI_API_KEY"].startswith("ulazai_live_")


@pytest.mark.clause("UL-005", "UL-023", "UL-024", "UL-026", "UL-027", "UL-031", "UL-033")
@both
def test_submission_is_201_with_a_processing_task(
    ulazai: Account, submission: tuple[str, Json]
) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json=body)

    assert answer.status == 201
    assert answer.json()["success"] is True
    data = answer.json()["data"]
    assert set(data) == STARTED_FIELDS
    assert data["status"] == "processing"
    assert data["estimated_completion"] == "2-3 minutes"
    assert data["message"] == "Sora 2 video generation started successfully"


@pytest.mark.clause("UL-025")
@both
def test_task_id_has_its_documented_form(ulazai: Account, submission: tuple[str, Json]) -> None:
    path, body = submission

    ids = [steps.accepted(ulazai.client.post(path, json=body))["task_id"] for _ in range(3)]

    assert all(re.fullmatch(r"sra_2_[0-9a-f]{16}", id) for id in ids)
    assert len(set(ids)) == 3


@pytest.mark.clause("UL-030", "UL-042", "UL-070")
@both
def test_webhook_url_is_where_the_task_is_polled(
    ulazai: Account, submission: tuple[str, Json]
) -> None:
    path, body = submission
    data = steps.accepted(ulazai.client.post(path, json=body))

    followed = ulazai.client.follow(data["webhook_url"], headers=ulazai.client.headers)

    assert data["webhook_url"].endswith(f"/api/v1/sora/status/{data['task_id']}/")
    assert followed.status == 200
    assert followed.json()["data"]["task_id"] == data["task_id"]


@pytest.mark.clause("UL-006", "UL-035", "UL-034", "UL-061")
@pytest.mark.parametrize(
    ("path", "left_out"),
    [(steps.TEXT, "prompt"), (steps.IMAGE, "prompt"), (steps.IMAGE, "image_url")],
)
def test_required_field_that_is_left_out_is_400(ulazai: Account, path: str, left_out: str) -> None:
    body = {name: value for name, value in steps.IMAGE_BODY.items() if name != left_out}

    answer = ulazai.client.post(path, json=body)

    assert steps.refusal(answer) == (400, "validation")
    assert left_out in answer.json()["error_details"]
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-007", "UL-061")
@pytest.mark.parametrize("prompt", [7, True, None, ["A boat"], {"text": "A boat"}])
@both
def test_prompt_is_a_text(ulazai: Account, submission: tuple[str, Json], prompt: Json) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "prompt": prompt})

    assert steps.refusal(answer) == (400, "validation")
    assert "prompt" in answer.json()["error_details"]


@pytest.mark.clause("UL-008", "UL-036")
@pytest.mark.parametrize("character", ["a", "ä", "\U0001f6a4"])
@both
def test_prompt_of_5000_characters_passes(
    ulazai: Account, submission: tuple[str, Json], character: str
) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "prompt": character * 5000})

    assert answer.status == 201


@pytest.mark.clause("UL-009", "UL-036", "UL-061")
@both
def test_prompt_of_5001_characters_is_400(ulazai: Account, submission: tuple[str, Json]) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "prompt": "a" * 5001})

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json()["error_details"] == "prompt: expected at most 5000 characters, got 5001"
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-010", "UL-011", "UL-012", "UL-040", "UL-050")
@pytest.mark.parametrize(
    ("shape", "resolution"),
    [("landscape", "1920x1080"), ("portrait", "1080x1920"), ("square", "1080x1080")],
)
@both
def test_shape_that_was_asked_for_is_made(
    ulazai: Account, submission: tuple[str, Json], shape: str, resolution: str
) -> None:
    path, body = submission
    data = steps.accepted(ulazai.client.post(path, json={**body, "aspect_ratio": shape}))

    assert steps.finish(ulazai, data["task_id"])["resolution"] == resolution


@pytest.mark.clause("UL-014", "UL-050")
@both
def test_shape_is_landscape_unless_asked_for(ulazai: Account, submission: tuple[str, Json]) -> None:
    path, body = submission
    data = steps.accepted(ulazai.client.post(path, json=body))

    assert steps.finish(ulazai, data["task_id"])["resolution"] == "1920x1080"


@pytest.mark.clause("UL-013", "UL-017", "UL-040", "UL-061")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("aspect_ratio", "16:9"),
        ("aspect_ratio", "Landscape"),
        ("aspect_ratio", ""),
        ("aspect_ratio", None),
        ("quality", "ultra"),
        ("quality", "HIGH"),
        ("quality", 1),
    ],
)
@both
def test_other_shape_or_quality_is_400(
    ulazai: Account, submission: tuple[str, Json], field: str, value: Json
) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json={**body, field: value})

    assert steps.refusal(answer) == (400, "validation")
    assert field in answer.json()["error_details"]
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-015", "UL-016", "UL-018", "UL-040")
@both
def test_quality_is_standard_unless_high_is_asked_for_and_high_takes_longer(
    three_worlds: list[MockWorld], submission: tuple[str, Json]
) -> None:
    """The worlds have one seed, so only the quality can make a difference."""
    path, body = submission
    bodies = [body, {**body, "quality": "standard"}, {**body, "quality": "high"}]

    ends = [
        _ends_at(world.account("ulazai"), path, sent)
        for world, sent in zip(three_worlds, bodies, strict=True)
    ]

    assert ends[0] == ends[1] < ends[2]


def _ends_at(account: Account, path: str, body: Json) -> str:
    task_id = steps.accepted(account.client.post(path, json=body))["task_id"]
    return str(steps.job(account.world, task_id)["script"][-1]["at"])


@pytest.mark.clause("UL-019", "UL-040", "UL-061")
@pytest.mark.parametrize("value", ["true", "", 1, 0, None, []])
@both
def test_opt_in_is_true_or_false(
    ulazai: Account, submission: tuple[str, Json], value: Json
) -> None:
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "prompt_directory_optin": value})

    assert steps.refusal(answer) == (400, "validation")
    assert "prompt_directory_optin" in answer.json()["error_details"]
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-037", "UL-038", "UL-039")
@pytest.mark.parametrize(
    "image_url",
    [
        "https://media.example.org/boat.jpg",
        "https://media.example.org/boat.jpeg",
        "http://media.example.org/deep/er/boat.PNG",
        "https://media.example.org/boat.webp?width=1024&v=2.0",
        "https://media.example.org/v1.2/boat.webp#top",
        "https://media.example.org/pictures/17",
        "https://media.example.org/",
        "https://media.example.org",
        "https://user@media.example.org:8443/boat.jpg",
        "https://media.example.org/photo.v2",
        "https://media.example.org/image.php?id=3",
        "https://media.example.org/boat.",
        "https://media.example.org/boat.gif/latest",
        "https://pictures.zip",
    ],
)
def test_address_of_a_picture_passes(ulazai: Account, image_url: str) -> None:
    data = steps.from_image(ulazai, image_url=image_url)

    assert steps.finish(ulazai, data["task_id"])["status"] == "success"


@pytest.mark.clause("UL-034", "UL-061")
@pytest.mark.parametrize(
    "image_url",
    [
        "",
        "boat.jpg",
        "/boat.jpg",
        "//media.example.org/boat.jpg",
        "ftp://media.example.org/boat.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://",
        "https://media.example.org/my boat.jpg",
        "https://media.example.org/boat.gif",
        "https://media.example.org/boat.mp4?as=boat.jpg",
        "https://media.example.org/boat.PDF#page=1",
        7,
        None,
    ],
)
def test_other_address_is_400(ulazai: Account, image_url: Json) -> None:
    answer = ulazai.client.post(steps.IMAGE, json={**steps.IMAGE_BODY, "image_url": image_url})

    assert steps.refusal(answer) == (400, "validation")
    assert "image_url" in answer.json()["error_details"]
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-061")
def test_refusal_of_an_address_says_what_is_wanted(ulazai: Account) -> None:
    body = {**steps.IMAGE_BODY, "image_url": "https://media.example.org/boat.gif"}

    answer = ulazai.client.post(steps.IMAGE, json=body)

    assert answer.json() == {
        "success": False,
        "error": "Invalid request parameters",
        "error_details": (
            "image_url: expected the http or https URL of a JPG, PNG or WebP file, "
            "got 'https://media.example.org/boat.gif'"
        ),
    }
