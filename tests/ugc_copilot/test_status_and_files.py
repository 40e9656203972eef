"""Polling a render, fetching it, and what can be done with the video."""

from __future__ import annotations

import pytest

from screentest.mock_server.media.clips import stamp_of
from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account
from . import steps

ENGINES = ("sora", "veo", "kling", "seedance")


@pytest.mark.clause("UG-083", "UG-084", "UG-021")
@pytest.mark.parametrize("engine", ENGINES)
def test_render_runs_with_a_progress_that_never_falls(ugc: Account, engine: str) -> None:
    seen = steps.poll(ugc, steps.start(ugc, engine), engine)

    running, last = seen[:-1], seen[-1]
    progress = [status["progress"] for status in running]
    assert all(set(status) == {"done", "progress", "message"} for status in running)
    assert progress == sorted(progress)
    assert max(progress) < 100
    assert (last["done"], last["progress"]) == (True, 100)


@pytest.mark.clause("UG-021", "UG-083")
@pytest.mark.parametrize("engine", ["sora", "kling", "seedance"])
def test_render_takes_from_half_a_minute_to_three(ugc: Account, engine: str) -> None:
    operation = steps.start(ugc, engine)

    ugc.world.advance(30_000)
    early = steps.check(ugc, operation, engine)
    ugc.world.advance(150_000)
    late = steps.check(ugc, operation, engine)

    assert (early["done"], late["done"]) == (False, True)


@pytest.mark.clause("UG-083")
def test_asking_often_moves_nothing(ugc: Account) -> None:
    operation = steps.start(ugc)
    ugc.world.advance(20_000)

    answers = [steps.try_check(ugc, operation).content for _ in range(20)]

    assert len(set(answers)) == 1


@pytest.mark.clause("UG-084")
def test_sora_is_named_by_a_handle_and_the_others_by_an_address(ugc: Account) -> None:
    uris = {engine: steps.finished(ugc, engine) for engine in ENGINES}

    assert uris["sora"].startswith("video_")
    assert all(uris[engine].startswith("http") for engine in ENGINES[1:])


@pytest.mark.clause("UG-085", "UG-059")
def test_failed_render_is_a_200_with_an_error(ugc: Account) -> None:
    operation = steps.failed(ugc, "SAFETY_BLOCK: The scene shows a brand.")

    answer = steps.try_check(ugc, operation)

    assert answer.status == 200
    assert answer.json() == {
        "done": True,
        "error": {"code": "SAFETY_BLOCK", "message": "The scene shows a brand."},
    }


@pytest.mark.clause("UG-085")
@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("SAFETY_BLOCK", {"code": "SAFETY_BLOCK", "message": "The engine refused the scene."}),
        ("out of memory", {"code": "RENDER_FAILED", "message": "out of memory"}),
        ("ENGINE_TIMEOUT: late", {"code": "ENGINE_TIMEOUT", "message": "late"}),
    ],
)
def test_code_of_a_failure_is_before_the_colon(ugc: Account, reason: str, error: Json) -> None:
    """U30."""
    operation = steps.failed(ugc, reason)

    assert steps.check(ugc, operation)["error"] == error


@pytest.mark.clause("UG-085")
def test_failure_without_a_reason_has_the_usual_one(ugc: Account) -> None:
    operation = steps.start(ugc, scene={"visualPrompt": "A mug [[screentest:fail]]"})

    assert steps.finish(ugc, operation)["error"] == {
        "code": "RENDER_FAILED",
        "message": "The engine did not deliver a video.",
    }


@pytest.mark.clause("UG-084", "UG-085")
def test_end_is_final(ugc: Account) -> None:
    operation = steps.start(ugc)
    last = steps.finish(ugc, operation)

    ugc.world.advance(24 * HOUR_MS)

    assert steps.check(ugc, operation) == last


@pytest.mark.clause("UG-083")
@pytest.mark.parametrize("name", [steps.NO_OPERATION, "x", "operations/", "../etc"])
def test_operation_that_was_never_started_is_404(ugc: Account, name: str) -> None:
    """U17."""
    assert steps.refusal(steps.try_check(ugc, name)) == (404, "not-found")


@pytest.mark.clause("UG-083", "UG-086")
@pytest.mark.parametrize("body", [{}, {"engine": "sora"}, {"operationName": "x"}, {"data": {}}])
def test_check_needs_operation_and_engine(ugc: Account, body: Json) -> None:
    assert steps.refusal(ugc.client.post(steps.CHECK, json=body)) == (400, "invalid-argument")


@pytest.mark.clause("UG-083", "UG-007")
def test_check_and_fetch_may_be_wrapped_too(ugc: Account) -> None:
    operation = steps.start(ugc)
    ugc.world.advance(steps.LONGEST_MS)

    checked = ugc.client.post(
        steps.CHECK, json={"data": {"operationName": operation, "engine": "sora"}}
    )
    uri = steps.uri_of(steps.accepted(checked))
    fetched = ugc.client.post(steps.FETCH, json={"data": {"uri": uri, "engine": "sora"}})

    assert fetched.status == 200


@pytest.mark.clause("UG-077", "UG-086")
@pytest.mark.parametrize("engine", ENGINES)
def test_fetched_video_is_a_real_mp4(ugc: Account, engine: str) -> None:
    fetched = steps.fetch(ugc, steps.finished(ugc, engine), engine)

    video = ugc.client.follow(fetched["videoUrl"])

    assert fetched["mimeType"] == "video/mp4"
    assert (video.status, video.headers["content-type"]) == (200, "video/mp4")
    assert video.content[4:8] == b"ftyp"


@pytest.mark.clause("UG-077")
def test_two_renders_are_two_files(ugc: Account) -> None:
    uris = [steps.finished(ugc), steps.finished(ugc)]

    videos = [ugc.client.follow(steps.fetch(ugc, uri)["videoUrl"]).content for uri in uris]

    assert videos[0] != videos[1]
    stamp = stamp_of(videos[0])
    assert stamp is not None
    assert stamp["job"] == uris[0].replace("video_", "operations/")


@pytest.mark.clause("UG-077", "UG-014")
@pytest.mark.parametrize(("seconds", "longer"), [(4, False), (12, True)])
def test_longer_render_is_a_longer_file(ugc: Account, seconds: int, *, longer: bool) -> None:
    urls = [
        steps.fetch(ugc, steps.finished(ugc, duration=each))["videoUrl"] for each in (8, seconds)
    ]

    eight, other = (len(ugc.client.follow(url).content) for url in urls)

    assert (other > eight) is longer


@pytest.mark.clause("UG-077")
def test_address_works_for_seven_days(ugc: Account) -> None:
    url = steps.fetch(ugc, steps.finished(ugc))["videoUrl"]

    ugc.world.advance(7 * 24 * HOUR_MS - 1_000)
    still = ugc.client.follow(url)
    ugc.world.advance(1_000)
    gone = ugc.client.follow(url)

    assert (still.status, gone.status) == (200, 403)


@pytest.mark.clause("UG-077")
def test_address_cannot_be_changed(ugc: Account) -> None:
    url = steps.fetch(ugc, steps.finished(ugc))["videoUrl"]

    answer = ugc.client.follow(url.replace("X-Goog-Expires=604800", "X-Goog-Expires=9999999"))

    assert answer.status == 403


@pytest.mark.clause("UG-086")
@pytest.mark.parametrize("body", [{}, {"engine": "sora"}, {"uri": "", "engine": "sora"}])
def test_fetch_without_uri_is_400(ugc: Account, body: Json) -> None:
    answer = ugc.client.post(steps.FETCH, json=body)

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert answer.json()["error"]["field"] == "uri"


@pytest.mark.clause("UG-086")
@pytest.mark.parametrize("uri", ["video_nothing", "https://example.org/video.mp4", "x"])
def test_uri_that_names_no_video_is_404(ugc: Account, uri: str) -> None:
    answer = ugc.client.post(steps.FETCH, json={"uri": uri, "engine": "sora"})

    assert steps.refusal(answer) == (404, "not-found")


@pytest.mark.clause("UG-086")
@pytest.mark.parametrize("is_failed", [True, False])
def test_render_without_video_cannot_be_fetched(ugc: Account, *, is_failed: bool) -> None:
    operation = steps.failed(ugc) if is_failed else steps.start(ugc)
    uri = operation.replace("operations/", "video_")

    answer = ugc.client.post(steps.FETCH, json={"uri": uri, "engine": "sora"})

    assert steps.refusal(answer) == (404, "not-found")


@pytest.mark.clause("UG-077")
def test_own_videos_are_cut_together(ugc: Account, video_url: str) -> None:
    body = {
        "videoUrls": [video_url, video_url],
        "useCrossfade": True,
        "crossfadeDuration": 1.0,
        "captions": ["One", None],
    }

    made = steps.accepted(ugc.client.post(steps.STITCH, json=body))
    ugc.world.advance(30 * 24 * HOUR_MS)
    file = ugc.client.follow(made["videoUrl"])

    assert made["mimeType"] == "video/mp4"
    assert (file.status, file.content[4:8]) == (200, b"ftyp")
    assert ugc.money[2] == 18


@pytest.mark.clause("UG-077")
def test_cut_can_be_cut_again(ugc: Account, video_url: str) -> None:
    first = steps.accepted(ugc.client.post(steps.STITCH, json={"videoUrls": [video_url]}))

    answer = ugc.client.post(steps.STITCH, json={"videoUrls": [first["videoUrl"], video_url]})

    assert answer.status == 200


@pytest.mark.clause("UG-077", "UG-080")
@pytest.mark.parametrize(
    "change",
    [
        {"videoUrls": []},
        {"videoUrls": ["https://example.org/a.mp4"]},
        {"videoUrls": ["not an address"]},
        {"crossfadeDuration": 0.2},
        {"crossfadeDuration": 2.1},
        {"engines": ["pika"]},
        {"captions": ["x" * 2001]},
    ],
)
def test_cut_that_cannot_be_made_is_refused(ugc: Account, video_url: str, change: Json) -> None:
    answer = ugc.client.post(steps.STITCH, json={"videoUrls": [video_url], **change})

    assert steps.refusal(answer) == (400, "invalid-argument")


@pytest.mark.clause("UG-077")
def test_eleven_videos_are_too_many_and_ten_are_not(ugc: Account, video_url: str) -> None:
    statuses = [
        ugc.client.post(steps.STITCH, json={"videoUrls": [video_url] * count}).status
        for count in (10, 11)
    ]

    assert statuses == [200, 400]


@pytest.mark.clause("UG-077", "UG-038")
def test_text_is_laid_over_a_video_for_one_credit(ugc: Account, video_url: str) -> None:
    overlay = {"text": "Back in stock", "position": "top", "startTime": 0, "endTime": 3}

    made = steps.accepted(
        ugc.client.post(steps.OVERLAY, json={"videoUri": video_url, "overlays": [overlay]})
    )

    assert ugc.client.follow(made["overlayVideoUrl"]).content[4:8] == b"ftyp"
    assert ugc.money[2] == 19


@pytest.mark.clause("UG-080")
@pytest.mark.parametrize(
    "overlay",
    [
        {"text": ""},
        {"text": "x" * 51},
        {"text": "x", "position": "left"},
        {"text": "x", "backgroundOpacity": 101},
        {"text": "x", "strokeWidth": 6},
        {"text": "x", "startTime": 3, "endTime": 2},
    ],
)
def test_overlay_that_cannot_be_laid_costs_nothing(
    ugc: Account, video_url: str, overlay: Json
) -> None:
    answer = ugc.client.post(steps.OVERLAY, json={"videoUri": video_url, "overlays": [overlay]})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert ugc.money[2] == 18


@pytest.mark.clause("UG-061")
@pytest.mark.parametrize("aspect", ["9:16", "16:9", "1:1"])
def test_image_is_a_bare_text_with_an_address(ugc: Account, aspect: str) -> None:
    body = {**steps.BODIES[steps.IMAGE], "aspectRatio": aspect}

    url = steps.accepted(ugc.client.post(steps.IMAGE, json=body))
    picture = ugc.client.follow(url)

    assert isinstance(url, str)
    assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
