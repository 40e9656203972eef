"""Where the document is silent: what the mock does, and the other reading where there is a switch.

Each test begins with the id of the point as the contract lists it, Z1 to Z31. Points without a
switch whose choice another test of this folder shows are named there.
"""

from __future__ import annotations

from base64 import b64decode

import pytest

from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account, MockWorld
from . import steps

BASE64_ID = (
    "video_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOmF6dXJlO21vZGVsX2lkOnNvcmEtMjt2aWRlb19pZDp2aWRlb1"
)


def readings(world: MockWorld) -> Json:
    return steps.accepted(world.control.get(f"{world.path}/interpretations"))


def test_all_31_points_are_listed_with_their_reason(world: MockWorld) -> None:
    """Z1 to Z31: every choice is listed outside the code."""
    listed = [item for name, item in readings(world).items() if name.startswith("znapai.")]

    assert {item["id"] for item in listed} == {f"Z{number}" for number in range(1, 32)}
    assert all(item["value"] == item["default"] and item["reason"] for item in listed)


@pytest.mark.clause("ZN-054", "ZN-055", "ZN-066")
def test_errors_of_the_proxy_may_be_openais(znapai: Account) -> None:
    """Z1, openai: key, model and body."""
    znapai.world.choose(znapai__error_style="openai")
    anonymous = znapai.world.anonymous("znapai")
    stranger = {"Authorization": "Bearer sk-unknown-to-all"}
    json_type = {"Content-Type": "application/json"}

    answers = [
        anonymous.get(steps.VIDEOS),
        anonymous.get(steps.VIDEOS, headers=stranger),
        znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "model": "sora-3"}),
        znapai.client.post(steps.VIDEOS, raw=b"{", headers=json_type),
        znapai.client.post(steps.VIDEOS, raw=b"x", headers={"Content-Type": "text/plain"}),
    ]

    detail = [(it.status, it.json()["error"]["type"], it.json()["error"]["code"]) for it in answers]
    assert detail == [
        (401, "invalid_request_error", None),
        (401, "invalid_request_error", "invalid_api_key"),
        (400, "invalid_request_error", "model_not_found"),
        (400, "invalid_request_error", None),
        (400, "invalid_request_error", None),
    ]
    assert answers[1].json()["error"]["message"] == "Incorrect API key provided: sk-...-all."


@pytest.mark.clause("ZN-025", "ZN-028")
def test_refused_parameter_may_be_openais_own_400(znapai: Account) -> None:
    """Z2, plain_openai_400."""
    znapai.world.choose(znapai__parameter_errors="plain_openai_400")

    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "duration": "4"})

    assert answer.status == 400
    assert answer.json() == {
        "error": {
            "message": "Unknown parameter: 'duration'.",
            "type": "invalid_request_error",
            "param": "duration",
            "code": "unknown_parameter",
        }
    }


@pytest.mark.clause("ZN-028")
def test_errors_are_those_of_a_proxy_by_default(znapai: Account) -> None:
    """Z1, Z2: what the document warns of."""
    parameter = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "duration": "4"})
    model = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "model": "sora-3"})

    assert "ContentPolicyViolationError" in parameter.text
    assert model.json()["error"]["type"] == "None"


@pytest.mark.clause("ZN-031", "ZN-066")
@pytest.mark.parametrize(("reading", "status"), [("404", 404), ("proxy_500", 500)])
def test_unknown_video(znapai: Account, reading: str, status: int) -> None:
    """Z5: the measured proxy stumbles over the upstream's 404."""
    znapai.world.choose(znapai__unknown_video=reading)

    answer = znapai.client.get(f"/v1/videos/{steps.NO_VIDEO}")

    assert answer.status == status
    if status == 500:
        error = answer.json()["error"]
        assert error["message"].startswith(
            "litellm.APIConnectionError: None - 3 validation errors for VideoObject\nid\n"
        )
        assert (error["type"], error["param"], error["code"]) == (None, None, "500")


@pytest.mark.clause("ZN-037")
@pytest.mark.parametrize(("reading", "lives_ms"), [("24h", 24 * HOUR_MS), ("1h", HOUR_MS)])
def test_life_of_the_files(znapai: Account, reading: str, lives_ms: int) -> None:
    """Z7, Z8."""
    znapai.world.choose(znapai__expires_after=reading)
    done = steps.finished(znapai)
    znapai.world.advance(lives_ms - 1)
    in_time = steps.content(znapai, done["id"]).status
    znapai.world.advance(1)

    too_late = steps.content(znapai, done["id"]).status

    assert done["expires_at"] - done["completed_at"] == lives_ms // 1_000
    assert (in_time, too_late) == (200, 404)


@pytest.mark.clause("ZN-033", "ZN-042")
def test_answers_may_be_those_of_the_measured_proxy(znapai: Account) -> None:
    """Z9, Z10: no prompt; usage, filled when a job is made."""
    znapai.world.choose(znapai__answer_shape="proxy")

    made = steps.create(znapai, seconds="8")
    read = steps.read(znapai, made["id"])

    fields = (steps.FIELDS - {"prompt"}) | {"usage"}
    assert set(made) == set(read) == fields
    assert (made["usage"], read["usage"]) == ({"duration_seconds": 8.0}, None)


@pytest.mark.clause("ZN-033")
def test_answers_have_no_usage_by_default(znapai: Account) -> None:
    """Z10."""
    assert set(steps.create(znapai)) == steps.FIELDS


@pytest.mark.clause("ZN-004")
def test_model_may_be_optional(znapai: Account) -> None:
    """Z15, sora_2; what else is wrong is still refused."""
    znapai.world.choose(znapai__model_required="sora_2")

    made = znapai.client.post(steps.VIDEOS, json={"prompt": steps.PROMPT})
    by_form = znapai.client.post(steps.VIDEOS, form={"prompt": steps.PROMPT})
    neither = znapai.client.post(steps.VIDEOS, json={})

    assert steps.accepted(made)["model"] == "sora-2"
    assert steps.accepted(by_form)["model"] == "sora-2"
    assert steps.refusal(neither) == (400, "prompt", "missing_required_parameter")


@pytest.mark.clause("ZN-063", "ZN-064", "ZN-065")
def test_extensions_may_be_missing_as_measured(znapai: Account, video_id: str) -> None:
    """Z19, strict_proxy: remix works, list and delete do not."""
    znapai.world.choose(znapai__extensions="strict_proxy")
    path = f"/v1/videos/{video_id}"

    listed = znapai.client.get(steps.VIDEOS)
    deleted = znapai.client.delete(path)
    remixed = znapai.client.post(f"{path}/remix", json={"prompt": "At night"})

    assert listed.status == 400
    assert "LLM Provider NOT provided" in listed.json()["error"]["message"]
    assert (deleted.status, deleted.json()) == (405, {"detail": "Method Not Allowed"})
    assert deleted.headers["allow"] == "GET"
    assert remixed.status == 200
    assert znapai.client.delete(f"/v1/videos/{steps.NO_VIDEO}").status == 405


@pytest.mark.clause("ZN-030", "ZN-031", "ZN-065")
def test_ids_may_be_those_of_the_measured_proxy(znapai: Account) -> None:
    """Z20, proxy_base64: a read shows another id than create did, and both work."""
    znapai.world.choose(znapai__video_ids="proxy_base64")

    made = steps.create(znapai)
    read = steps.read(znapai, made["id"])
    znapai.world.advance_until_idle()

    assert made["id"].startswith(BASE64_ID)
    assert read["id"] != made["id"]
    inside = b64decode(read["id"].removeprefix("video_")).decode()
    assert inside.startswith("litellm:custom_llm_provider:azure;model_id:;video_id:video_")
    assert steps.read(znapai, read["id"])["status"] == "completed"
    assert steps.content(znapai, made["id"]).status == 200
    remix = znapai.client.post(f"/v1/videos/{made['id']}/remix", json={"prompt": "At night"})
    assert steps.accepted(remix)["remixed_from_video_id"] == read["id"]
    page = steps.accepted(znapai.client.get(steps.VIDEOS, query={"limit": 1}))
    rest = znapai.client.get(steps.VIDEOS, query={"after": page["last_id"]})
    assert [video["id"] for video in steps.accepted(rest)["data"]] == [read["id"]]
    deleted = steps.accepted(znapai.client.delete(f"/v1/videos/{made['id']}"))
    assert deleted["id"] == read["id"]


@pytest.mark.clause("ZN-031")
@pytest.mark.parametrize("video_id", ["video_bGl0", "video_===", "video_8J+OrA==", "video_"])
def test_id_that_wraps_nothing_is_unknown(znapai: Account, video_id: str) -> None:
    """Z20, proxy_base64."""
    znapai.world.choose(znapai__video_ids="proxy_base64")

    assert znapai.client.get(f"/v1/videos/{video_id}").status == 404


@pytest.mark.clause("ZN-007")
@pytest.mark.parametrize(("reading", "status"), [("400", 400), ("proxy_500", 500)])
def test_missing_prompt(znapai: Account, reading: str, status: int) -> None:
    """Z21: the measured proxy misses an argument of its own function."""
    znapai.world.choose(znapai__missing_prompt=reading)

    answer = znapai.client.post(steps.VIDEOS, json={"model": "sora-2"})

    assert answer.status == status
    if status == 500:
        assert answer.json()["error"] == {
            "message": "avideo_generation() missing 1 required positional argument: 'prompt'",
            "type": "None",
            "param": "None",
            "code": "500",
        }


@pytest.mark.clause("ZN-061")
@pytest.mark.parametrize(("reading", "header"), [("ten_ms", "10"), ("absent", None)])
def test_hint_on_polling(znapai: Account, reading: str, header: str | None) -> None:
    """Z22, with a clock that runs; the default is shown with the job's states."""
    znapai.world.change("clock", {"mode": "real", "speed": 1})
    znapai.world.choose(znapai__poll_after=reading)

    answer = znapai.client.post(steps.VIDEOS, json=steps.LEAST)

    assert answer.headers.get("openai-poll-after-ms") == header


@pytest.mark.clause("ZN-021")
@pytest.mark.parametrize(
    "reference",
    [{"image_url": "https://example.org/a.png"}, {"file_id": "file_1"}],
)
def test_reference_may_be_openais_object(znapai: Account, reference: dict[str, str]) -> None:
    """Z23, accept: as JSON, and as the part that openai-node makes of it."""
    znapai.world.choose(znapai__reference_object="accept")
    ((name, value),) = reference.items()
    form = {"model": "sora-2", "prompt": steps.PROMPT, f"input_reference[{name}]": value}

    by_form = znapai.client.post(steps.VIDEOS, form=form)

    assert steps.create(znapai, input_reference=reference)["status"] == "queued"
    assert steps.accepted(by_form)["status"] == "queued"


@pytest.mark.clause("ZN-026")
@pytest.mark.parametrize(
    "reference",
    [{}, {"image_url": 7}, {"image_url": "https://a.example/", "file_id": "file_1"}, {"url": "x"}],
)
def test_object_that_names_no_single_picture_is_refused(znapai: Account, reference: Json) -> None:
    """Z23, accept."""
    znapai.world.choose(znapai__reference_object="accept")

    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "input_reference": reference})

    assert steps.refusal(answer) == (400, "input_reference", "invalid_value")


@pytest.mark.clause("ZN-026")
def test_unknown_parameter_beside_the_object_is_still_refused(znapai: Account) -> None:
    """Z23, accept."""
    znapai.world.choose(znapai__reference_object="accept")
    form = {
        "model": "sora-2",
        "prompt": steps.PROMPT,
        "input_reference[image_url]": "https://example.org/a.png",
        "zoom": "2",
    }

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert answer.status == 400


@pytest.mark.clause("ZN-052")
@pytest.mark.parametrize(
    ("reading", "content_type"), [("honoured", "image/webp"), ("proxy_ignores", "video/mp4")]
)
def test_variant_of_the_content(
    znapai: Account, video_id: str, reading: str, content_type: str
) -> None:
    """Z27."""
    znapai.world.choose(znapai__content_variant=reading)

    answer = steps.content(znapai, video_id, query={"variant": "thumbnail"})

    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
