"""Images and videos attached to a generation or a message, by URL, as base64, or both."""

from __future__ import annotations

import base64

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer
from . import steps

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(24)).decode()
CLIP = base64.b64encode(bytes(4) + b"ftypisom" + bytes(24)).decode()

IMAGE_URL = {"url": "https://example.com/product.jpg"}
VIDEO_URL = {"url": "https://example.com/clip.mp4"}


@pytest.fixture(params=["generate", "message"])
def operation(request: pytest.FixtureRequest) -> str:
    """Both operations that take media."""
    return str(request.param)


def attach(account: Account, operation: str, **media: Json) -> Answer:
    """Send *media* with a generation, or with a message to a new video."""
    if operation == "generate":
        return account.client.post(steps.GENERATE, json={"prompt": steps.PROMPT, **media})
    video_id = steps.make_video(account)
    return account.client.post(
        f"{steps.VIDEOS}/{video_id}/message", json={"message": "Add this", **media}
    )


@pytest.mark.clause("OZ-217", "OZ-223")
@pytest.mark.parametrize(
    "image",
    [
        IMAGE_URL,
        {"base64": PNG, "mimeType": "image/png"},
        {"base64": PNG},
        {**IMAGE_URL, "base64": PNG, "mimeType": "image/png"},
    ],
    ids=["url", "base64", "base64 alone", "both"],
)
def test_image_comes_as_url_as_base64_or_as_both(
    ozor: Account, operation: str, image: Json
) -> None:
    assert attach(ozor, operation, images=[image]).status == 200


@pytest.mark.clause("OZ-217", "OZ-223")
@pytest.mark.parametrize(
    "video",
    [
        VIDEO_URL,
        {"base64": CLIP, "mimeType": "video/mp4"},
        {"base64": CLIP},
        {**VIDEO_URL, "base64": CLIP, "mimeType": "video/mp4"},
    ],
    ids=["url", "base64", "base64 alone", "both"],
)
def test_video_comes_as_url_as_base64_or_as_both(
    ozor: Account, operation: str, video: Json
) -> None:
    assert attach(ozor, operation, videos=[video]).status == 200


@pytest.mark.clause("OZ-223", "OZ-072", "OZ-073")
def test_several_images_and_videos_go_together(ozor: Account, operation: str) -> None:
    answer = attach(ozor, operation, images=[IMAGE_URL] * 3, videos=[VIDEO_URL] * 2)

    assert answer.status == 200


@pytest.mark.clause("OZ-218")
@pytest.mark.parametrize("data", ["not base64!", "ab#d", "=====", "abcde"])
def test_base64_counts_even_beside_a_good_url(ozor: Account, operation: str, data: str) -> None:
    """Broken data is refused although the URL alone would have passed, since the URL is ignored."""
    answer = attach(ozor, operation, images=[{**IMAGE_URL, "base64": data}])

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json()["detail"] == (
        f"images.0.base64: expected base64 with its padding, got {data!r}"
    )


@pytest.mark.clause("OZ-218")
@pytest.mark.parametrize("url", ["http://example.com/a.jpg", "nowhere", ""])
def test_url_beside_base64_is_not_looked_at(ozor: Account, operation: str, url: str) -> None:
    answer = attach(ozor, operation, images=[{"url": url, "base64": PNG}])

    assert answer.status == 200


@pytest.mark.clause("OZ-219")
def test_base64_needs_no_prefix(ozor: Account, operation: str) -> None:
    answer = attach(ozor, operation, images=[{"base64": PNG, "mimeType": "image/png"}])

    assert answer.status == 200


@pytest.mark.clause("OZ-220")
@pytest.mark.parametrize("mime_type", ["image/jpeg", "image/png", "image/webp"])
def test_documented_image_type_passes(ozor: Account, operation: str, mime_type: str) -> None:
    answer = attach(ozor, operation, images=[{"base64": PNG, "mimeType": mime_type}])

    assert answer.status == 200


@pytest.mark.clause("OZ-220", "OZ-225")
@pytest.mark.parametrize("mime_type", ["image/gif", "image/svg+xml", "video/mp4", "png", "", 1])
def test_other_image_type_is_400(ozor: Account, operation: str, mime_type: Json) -> None:
    answer = attach(ozor, operation, images=[{"base64": PNG, "mimeType": mime_type}])

    assert steps.refusal(answer) == (400, "validation")
    assert "mimeType" in answer.json()["detail"]


@pytest.mark.clause("OZ-221")
@pytest.mark.parametrize("mime_type", ["video/mp4", "video/webm"])
def test_documented_video_type_passes(ozor: Account, operation: str, mime_type: str) -> None:
    answer = attach(ozor, operation, videos=[{"base64": CLIP, "mimeType": mime_type}])

    assert answer.status == 200


@pytest.mark.clause("OZ-221", "OZ-225")
@pytest.mark.parametrize("mime_type", ["video/quicktime", "image/png", "mp4", "", 1])
def test_other_video_type_is_400(ozor: Account, operation: str, mime_type: Json) -> None:
    answer = attach(ozor, operation, videos=[{"base64": CLIP, "mimeType": mime_type}])

    assert steps.refusal(answer) == (400, "validation")
    assert "mimeType" in answer.json()["detail"]


@pytest.mark.clause("OZ-222")
@pytest.mark.parametrize("duration", [8.5, 8, 0.04])
def test_duration_may_have_a_fraction(ozor: Account, operation: str, duration: float) -> None:
    assert attach(ozor, operation, videos=[{**VIDEO_URL, "durationSec": duration}]).status == 200


@pytest.mark.clause("OZ-222", "OZ-225")
@pytest.mark.parametrize("duration", ["long", [8], {}])
def test_duration_is_a_number(ozor: Account, operation: str, duration: Json) -> None:
    answer = attach(ozor, operation, videos=[{**VIDEO_URL, "durationSec": duration}])

    assert steps.refusal(answer) == (400, "validation")
    assert "durationSec" in answer.json()["detail"]


@pytest.mark.clause("OZ-222")
@pytest.mark.parametrize("more", [{}, {"thumbnailUrl": "https://example.com/thumb.jpg"}])
def test_thumbnail_may_be_left_out(ozor: Account, operation: str, more: dict[str, str]) -> None:
    assert attach(ozor, operation, videos=[{**VIDEO_URL, **more}]).status == 200


@pytest.mark.clause("OZ-217", "OZ-225")
@pytest.mark.parametrize("kind", ["images", "videos"])
@pytest.mark.parametrize(
    "value", ["https://example.com/a.jpg", {"url": "https://example.com/a.jpg"}, ["https://e.com"]]
)
def test_media_are_a_list_of_objects(ozor: Account, kind: str, value: Json) -> None:
    answer = attach(ozor, "generate", **{kind: value})

    assert steps.refusal(answer) == (400, "validation")
    assert kind in answer.json()["detail"]


@pytest.mark.clause("OZ-217", "OZ-223")
def test_refused_medium_starts_nothing(ozor: Account) -> None:
    attach(ozor, "generate", images=[{"mimeType": "image/png"}])

    assert steps.list_videos(ozor) == []
    assert ozor.money == (10, 0, 0)
