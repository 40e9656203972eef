"""Errors in general: success false and a text in `error`, for whatever a client may send."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps

both = pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.clause("UL-063")
@both
def test_content_against_the_policy_is_422_and_free(
    ulazai: Account, submission: tuple[str, dict[str, Json]]
) -> None:
    path, body = submission
    prompt = "[[screentest:reject=The prompt names a film hero]]"

    answer = ulazai.client.post(path, json={**body, "prompt": prompt})

    assert answer.status == 422
    assert answer.json() == {
        "success": False,
        "error": "Content policy violation",
        "error_details": "The prompt names a film hero",
    }
    assert ulazai.money == (1000, 0, 0)
    assert steps.job_count(ulazai.world) == 0


@pytest.mark.clause("UL-005", "UL-061")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"prompt": "A boat",}',
        b"{'prompt': 'A boat'}",
        b'{"prompt": "A boat"} and more',
        b'{"prompt": "\xff\xfe"}',
        b"prompt=A+boat",
        b'{"prompt": "A boat", "quality": NaN}',
        b'{"prompt": "A boat", "prompt": "Another"}',
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "A\\u0000boat"}',
        b'{"prompt": "A boat", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"prompt": "A boat", "x": 1e999}',
    ],
    ids=[
        "nothing",
        "open",
        "comma",
        "quotes",
        "more",
        "latin",
        "form",
        "nan",
        "twice",
        "surrogate",
        "nul",
        "deep",
        "huge",
    ],
)
def test_unreadable_json_is_400(ulazai: Account, raw: bytes) -> None:
    answer = ulazai.client.post(steps.TEXT, raw=raw, headers=AS_JSON)

    assert steps.refusal(answer) == (400, "validation")
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-061")
@pytest.mark.parametrize("body", ["[]", '"A boat"', "7", "null", "true"])
@both
def test_body_is_an_object(
    ulazai: Account, submission: tuple[str, dict[str, Json]], body: str
) -> None:
    answer = ulazai.client.post(submission[0], raw=body.encode(), headers=AS_JSON)

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("UL-005")
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_json_is_known_by_its_content_type(ulazai: Account, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    answer = ulazai.client.post(steps.TEXT, raw=b'{"prompt": "A boat"}', headers=headers)

    assert answer.status == 201


@pytest.mark.clause("UL-005", "UL-033")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@both
def test_submission_is_a_post(
    ulazai: Account, submission: tuple[str, dict[str, Json]], method: str
) -> None:
    answer = ulazai.client.request(method, submission[0])

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.clause("UL-042")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_status_is_a_get(ulazai: Account, method: str) -> None:
    task_id = steps.from_text(ulazai)["task_id"]

    answer = ulazai.client.request(method, steps.status_path(task_id))

    assert answer.status == 405
    assert answer.headers["allow"] == "GET"
    assert steps.status(ulazai, task_id)["data"]["status"] == "processing"


@pytest.mark.clause("UL-067")
@pytest.mark.parametrize("status", [500, 502, 503])
def test_broken_status_call_changes_nothing_and_passes(ulazai: Account, status: int) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    steps.fault(ulazai.world, "http_error", "getTaskStatus", status=status)

    broken = ulazai.client.get(steps.status_path(task_id))
    again = ulazai.client.get(steps.status_path(task_id))

    assert broken.status == status
    assert broken.json()["success"] is False
    assert again.status == 200
    assert ulazai.money == (930, 0, 70)


@pytest.mark.clause("UL-061", "UL-062", "UL-063")
def test_refusals_change_nothing(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    before = steps.status(ulazai, task_id), ulazai.ledger(), steps.job_count(ulazai.world)

    ulazai.client.post(steps.TEXT, json={})
    ulazai.client.post(steps.IMAGE, json={"prompt": "A boat"})
    ulazai.client.post(steps.TEXT, json={"prompt": "[[screentest:reject]]"})
    ulazai.client.get(steps.status_path(steps.NO_TASK))

    after = steps.status(ulazai, task_id), ulazai.ledger(), steps.job_count(ulazai.world)
    assert after == before


@pytest.mark.clause("UL-061")
def test_no_answer_is_a_breach_of_the_contract(ulazai: Account) -> None:
    """The mock says `ours:` when an answer of its own is not what the contract documents."""
    steps.failed(ulazai)
    steps.finish(ulazai, steps.from_image(ulazai)["task_id"])
    ulazai.client.post(steps.TEXT, json={"prompt": 7})
    ulazai.world.anonymous("ulazai").get(steps.status_path(steps.NO_TASK))

    reasons = {line.get("reason", "") for line in ulazai.world.requests(provider="ulazai")}

    assert not [reason for reason in reasons if reason.startswith("ours:")]
