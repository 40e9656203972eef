"""Errors in general: always JSON with a text in `detail`, for whatever a client may send."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-224")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/v1/videos/generate", {}, 400),
        ("GET", "/api/v1/videos?limit=0", None, 400),
        ("GET", "/api/v1/videos/zzzzzzzzzzzz", None, 404),
        ("GET", "/api/v1/documents/plans/plan_000000000000", None, 404),
        ("GET", "/api/v1/nothing/here", None, 404),
        ("GET", "/", None, 404),
        ("DELETE", "/api/v1/videos", None, 405),
        ("GET", "/api/v1/documents/analyze", None, 405),
        ("GET", "/api/api-keys", None, 401),
    ],
)
def test_error_is_json_with_a_detail(
    ozor: Account, method: str, path: str, body: Json, status: int
) -> None:
    answer = ozor.client.request(method, path, json=body)

    assert answer.status == status
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert set(answer.json()) == {"detail"}
    assert isinstance(answer.json()["detail"], str)
    assert answer.json()["detail"]


@pytest.mark.clause("OZ-224")
def test_unknown_path_and_wrong_method_answer_as_the_framework_does(ozor: Account) -> None:
    unknown = ozor.client.get("/api/v1/nothing/here")
    wrong = ozor.client.delete("/api/v1/videos")

    assert unknown.json() == {"detail": "Not Found"}
    assert wrong.json() == {"detail": "Method Not Allowed"}
    assert "GET" in wrong.headers["allow"]


@pytest.mark.clause("OZ-224", "OZ-226")
@pytest.mark.parametrize("status", [500, 503])
def test_injected_error_has_the_same_shape_and_passes(ozor: Account, status: int) -> None:
    steps.fault(ozor.world, "http_error", "listVideos", status=status)

    failed = ozor.client.get(steps.VIDEOS)
    again = ozor.client.get(steps.VIDEOS)

    assert failed.status == status
    assert isinstance(failed.json()["detail"], str)
    assert again.status == 200


@pytest.mark.clause("OZ-227")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"prompt": "A lamp"',
        b'{"prompt": "A lamp",}',
        b"{'prompt': 'A lamp'}",
        b'{"prompt": "A lamp"} and more',
        b'{"prompt": "\xff\xfe"}',
        b"prompt=A+lamp",
        b"\x00",
    ],
)
def test_unreadable_json_is_400(ozor: Account, raw: bytes) -> None:
    answer = ozor.client.post(steps.GENERATE, raw=raw, headers={"Content-Type": "application/json"})

    assert steps.refusal(answer) == (400, "validation")
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-227", "OZ-225")
@pytest.mark.parametrize(
    "raw",
    [
        b'{"prompt": "A lamp", "aspect": NaN}',
        b'{"prompt": "A lamp", "x": Infinity}',
        b'{"prompt": "A lamp", "prompt": "Another"}',
        b'{"prompt"\n: "A lamp", "prompt"\t: "Another"}',
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "A\\u0000lamp"}',
        b'{"prompt": "A lamp", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"prompt": "A lamp", "x": 1e999}',
        b'{"prompt": "A lamp", "limit": ' + b"9" * 5_000 + b"}",
    ],
    ids=[
        "nan",
        "infinity",
        "twice",
        "twice, spaced",
        "surrogate",
        "nul",
        "deep",
        "huge",
        "long number",
    ],
)
def test_json_that_bends_the_rules_is_never_a_500(ozor: Account, raw: bytes) -> None:
    answer = ozor.client.post(steps.GENERATE, raw=raw, headers={"Content-Type": "application/json"})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-225", "OZ-227")
@pytest.mark.parametrize("body", ["[]", '"A lamp"', "7", "null", "true"])
def test_body_is_an_object(ozor: Account, body: str) -> None:
    answer = ozor.client.post(
        steps.GENERATE, raw=body.encode(), headers={"Content-Type": "application/json"}
    )

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-227")
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"],
)
def test_json_is_known_by_its_content_type(ozor: Account, content_type: str) -> None:
    answer = ozor.client.post(
        steps.GENERATE, raw=b'{"prompt": "A lamp"}', headers={"Content-Type": content_type}
    )

    assert answer.status == 200


@pytest.mark.clause("OZ-225")
def test_detail_names_the_field_and_the_rule(ozor: Account) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", "exportQuality": "480p"})

    detail = answer.json()["detail"]
    for word in ("exportQuality", "720p", "1080p", "4k", "480p"):
        assert word in detail


@pytest.mark.clause("OZ-224", "OZ-225")
def test_key_in_a_refused_call_is_not_repeated(ozor: Account) -> None:
    key = "sk_live_" + "0" * 32

    answer = steps.with_key(ozor, key).get(steps.VIDEOS)

    assert answer.status == 401
    assert key not in answer.text


@pytest.mark.clause("OZ-224", "OZ-225")
@pytest.mark.parametrize(
    ("order", "detail"),
    [("reject", "content policy violation"), ("reject=no weapons, please", "no weapons, please")],
)
def test_text_itself_can_ask_for_a_refusal(ozor: Account, order: str, detail: str) -> None:
    """Refused content makes no video and no job, unlike a job that fails."""
    answer = ozor.client.post(steps.GENERATE, json={"prompt": f"A lamp [[screentest:{order}]]"})

    assert steps.refusal(answer) == (400, "content")
    assert detail in answer.json()["detail"]
    assert steps.list_videos(ozor) == []


@pytest.mark.clause("OZ-224")
def test_trailing_slash_is_redirected(ozor: Account) -> None:
    answer = ozor.client.get(f"{steps.VIDEOS}/")

    assert answer.status == 307
    assert answer.headers["location"].split("?")[0].endswith(steps.VIDEOS)


@pytest.mark.clause("OZ-224", "OZ-225")
def test_refusals_change_nothing(ozor: Account, video_id: str) -> None:
    before = steps.list_videos(ozor), ozor.ledger(), steps.job_count(ozor.world)

    ozor.client.post(steps.GENERATE, json={})
    ozor.client.post(f"{steps.VIDEOS}/{video_id}/message", json={"message": ""})
    ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={"quality": "8k"})
    ozor.client.post(steps.ANALYZE, form={"prompt": "Short"})

    assert (steps.list_videos(ozor), ozor.ledger(), steps.job_count(ozor.world)) == before
