"""The other readings of points whose default is tested beside: what each switch changes.

Each test begins with the id of the point as the contract lists it.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("UL-054", "UL-055")
@pytest.mark.parametrize("status", [422, 500])
def test_failed_task_may_be_answered_with_an_error_status(ulazai: Account, status: int) -> None:
    """L4: the body is the same."""
    task_id, body = steps.failed(ulazai)
    ulazai.world.choose(ulazai__failed_status_code=str(status))

    answer = ulazai.client.get(steps.status_path(task_id))

    assert (answer.status, answer.json()) == (status, body)


@pytest.mark.clause("UL-064", "UL-065")
def test_concurrency_may_count_by_key(ulazai: Account) -> None:
    """L7, processing_tasks_of_the_key: the second key has ten places of its own."""
    ulazai.world.choose(ulazai__concurrency_counts="processing_tasks_of_the_key")
    ulazai.set_credits(5_000)
    second = steps.with_header(ulazai, f"Token {ulazai.further_keys()['api_key']}")

    statuses = [
        client.post(steps.TEXT, json=steps.TEXT_BODY).status
        for client in (ulazai.client, second)
        for _ in range(11)
    ]

    assert statuses == ([201] * 10 + [429]) * 2


@pytest.mark.clause("UL-023", "UL-033")
def test_picture_may_be_answered_200(ulazai: Account) -> None:
    """L10, 200: a text is still answered 201."""
    ulazai.world.choose(ulazai__image_to_video_status="200")

    statuses = [ulazai.client.post(path, json=body).status for path, body in steps.SUBMISSIONS]

    assert statuses == [201, 200]


@pytest.mark.clause("UL-006", "UL-035")
@pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
def test_prompt_of_white_space_may_pass(
    ulazai: Account, submission: tuple[str, dict[str, Json]]
) -> None:
    """L12, white_space_passes: nothing at all, and NUL, still do not."""
    ulazai.world.choose(ulazai__blank_prompt="white_space_passes")
    path, body = submission

    statuses = [
        ulazai.client.post(path, json={**body, "prompt": prompt}).status
        for prompt in ("  ", "\n", "", " \x00")
    ]

    assert statuses == [201, 201, 400, 400]


@pytest.mark.clause("UL-034")
@pytest.mark.parametrize(
    ("image_url", "status"),
    [
        ("https://media.example.org/boat.JPG", 201),
        ("https://media.example.org/boat.webp?size=2", 201),
        ("https://media.example.org/boat", 400),
        ("https://media.example.org/boat?name=a.jpg", 400),
        ("https://media.example.org/boat#a.jpg", 400),
    ],
)
def test_address_may_have_to_show_its_format(ulazai: Account, image_url: str, status: int) -> None:
    """L13, listed_extension."""
    ulazai.world.choose(ulazai__image_url="listed_extension")

    answer = ulazai.client.post(steps.IMAGE, json={**steps.IMAGE_BODY, "image_url": image_url})

    assert answer.status == status
    assert ("image_url" in answer.text) == (status == 400)


@pytest.mark.clause("UL-034")
@pytest.mark.parametrize(
    ("image_url", "status"),
    [
        ("https://media.example.org/boat.gif", 201),
        ("https://media.example.org/boat.pdf?page=1", 201),
        ("boat.jpg", 400),
        ("ftp://media.example.org/boat.jpg", 400),
    ],
)
def test_every_extension_may_be_accepted(ulazai: Account, image_url: str, status: int) -> None:
    """L13, any_extension."""
    ulazai.world.choose(ulazai__image_url="any_extension")

    answer = ulazai.client.post(steps.IMAGE, json={**steps.IMAGE_BODY, "image_url": image_url})

    assert answer.status == status


@pytest.mark.clause("UL-002", "UL-074")
def test_token_may_be_the_only_form_of_the_header(ulazai: Account) -> None:
    """L15, token_only."""
    ulazai.world.choose(ulazai__authorization_forms="token_only")

    statuses = [
        steps.with_header(ulazai, form.format(ulazai.api_key))
        .post(steps.TEXT, json=steps.TEXT_BODY)
        .status
        for form in ("Token {}", "Bearer {}", "{}")
    ]

    assert statuses == [201, 401, 401]


@pytest.mark.clause("UL-062", "UL-063", "UL-064")
def test_concurrency_may_be_judged_first(ulazai: Account) -> None:
    """L17, concurrency_before_content: neither the content nor the balance is reported."""
    ulazai.world.choose(ulazai__refusal_order="concurrency_before_content")
    for _ in range(10):
        steps.from_text(ulazai)
    ulazai.set_credits(0)

    statuses = [
        ulazai.client.post(steps.TEXT, json=body).status
        for body in ({"prompt": "[[screentest:reject]]"}, steps.TEXT_BODY, {})
    ]

    assert statuses == [429, 429, 400]


@pytest.mark.clause("UL-052")
def test_created_at_may_have_six_decimals(ulazai: Account) -> None:
    """L19, microseconds."""
    ulazai.world.choose(ulazai__created_at="microseconds")
    ulazai.world.advance(1_042)
    task_id = steps.from_text(ulazai)["task_id"]

    assert steps.finish(ulazai, task_id)["created_at"] == "2026-01-01T00:00:01.042000Z"


@pytest.mark.clause("UL-001")
def test_path_without_its_slash_may_be_unknown(ulazai: Account) -> None:
    """L23, 404."""
    ulazai.world.choose(ulazai__missing_slash="404")

    answer = ulazai.client.post(steps.TEXT.rstrip("/"), json=steps.TEXT_BODY)

    assert (answer.status, answer.json()["error"]) == (404, "Not found.")


@pytest.mark.clause("UL-005")
@pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
def test_unknown_fields_may_be_refused(
    ulazai: Account, submission: tuple[str, dict[str, Json]]
) -> None:
    """L24, refuse."""
    ulazai.world.choose(ulazai__unknown_fields="refuse")
    path, body = submission

    answer = ulazai.client.post(path, json={**body, "seed": 7})

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json()["error_details"] == "seed: expected no such field, got a value"
    assert ulazai.client.post(path, json=body).status == 201


@pytest.mark.clause("UL-019", "UL-021")
@pytest.mark.parametrize(
    ("value", "charged"), [("true", 70), ("false", 80), (1, 70), (0, 80), (True, 70), (False, 80)]
)
def test_flag_may_come_in_the_frameworks_words(ulazai: Account, value: Json, charged: int) -> None:
    """L26, coerced."""
    ulazai.world.choose(ulazai__strict_types="coerced")

    assert steps.from_text(ulazai, prompt_directory_optin=value)["credits_charged"] == charged


@pytest.mark.clause("UL-019")
@pytest.mark.parametrize("value", ["perhaps", 2, None, [], 1.5])
def test_flag_in_no_words_at_all_is_still_refused(ulazai: Account, value: Json) -> None:
    """L26, coerced: and so is a prompt that is a number."""
    ulazai.world.choose(ulazai__strict_types="coerced")

    answers = [
        ulazai.client.post(steps.TEXT, json={**steps.TEXT_BODY, "prompt_directory_optin": value}),
        ulazai.client.post(steps.TEXT, json={"prompt": 1}),
    ]

    assert [steps.refusal(answer) for answer in answers] == [(400, "validation")] * 2


@pytest.mark.clause("UL-064", "UL-069")
def test_429_may_come_without_a_time_to_wait(ulazai: Account) -> None:
    """L27, absent; in the framework's form too (L16)."""
    ulazai.world.choose(ulazai__retry_after="absent")
    for _ in range(10):
        steps.from_text(ulazai)

    plain = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)
    ulazai.world.choose(ulazai__error_form="drf_detail")
    framework = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)

    assert (plain.status, framework.status) == (429, 429)
    assert "retry-after" not in plain.headers
    assert framework.json() == {"detail": "Request was throttled."}
