"""Where the document is silent or contradicts itself, continued: what the mock does, and switches.

Each test begins with the id of the point as the contract lists it.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer
from . import steps

AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.clause("UL-061")
def test_refusal_has_success_false_and_an_error(ulazai: Account) -> None:
    """L16, success_false."""
    answer = ulazai.client.get(steps.status_path(steps.NO_TASK))

    assert answer.json() == {"success": False, "error": f"Task {steps.NO_TASK} not found"}


FRAMEWORK_ERRORS: list[tuple[dict[str, Json], dict[str, list[str]]]] = [
    ({"prompt": None}, {"prompt": ["Expected string, got null."]}),
    ({"prompt": ""}, {"prompt": ["This field may not be blank."]}),
    ({"prompt": "  "}, {"prompt": ["This field may not be blank."]}),
    (
        {"prompt": "a" * 5001},
        {"prompt": ["Ensure this field has no more than 5000 characters."]},
    ),
    (
        {"prompt": "A boat", "aspect_ratio": "16:9"},
        {"aspect_ratio": ['"16:9" is not a valid choice.']},
    ),
    ({}, {"prompt": ["This field is required."]}),
    (
        {"quality": "ultra"},
        {
            "prompt": ["This field is required."],
            "quality": ['"ultra" is not a valid choice.'],
        },
    ),
]


@pytest.mark.clause("UL-061")
@pytest.mark.parametrize(("body", "errors"), FRAMEWORK_ERRORS)
def test_validation_may_be_answered_by_field(
    ulazai: Account, body: dict[str, Json], errors: dict[str, list[str]]
) -> None:
    """L16, drf_detail."""
    ulazai.world.choose(ulazai__error_form="drf_detail")

    answer = ulazai.client.post(steps.TEXT, json=body)

    assert (answer.status, answer.json()) == (400, errors)


@pytest.mark.clause("UL-034", "UL-061")
def test_bad_address_may_be_answered_by_field(ulazai: Account) -> None:
    """L16, drf_detail."""
    ulazai.world.choose(ulazai__error_form="drf_detail")

    answer = ulazai.client.post(steps.IMAGE, json={**steps.IMAGE_BODY, "image_url": "boat.jpg"})

    assert answer.json() == {"image_url": ["Enter a valid URL."]}


def detail(answer: Answer) -> tuple[int, str]:
    """(status, text) of a refusal in the framework's form."""
    assert set(answer.json()) == {"detail"}, answer.text
    return answer.status, answer.json()["detail"]


@pytest.mark.clause("UL-003", "UL-004", "UL-062", "UL-063", "UL-064", "UL-072")
def test_other_refusals_may_have_a_detail(ulazai: Account) -> None:
    """L16, drf_detail: the framework's words where it has some."""
    ulazai.world.choose(ulazai__error_form="drf_detail")
    poor = ulazai.world.account("ulazai", credits=0)
    for _ in range(10):
        steps.from_text(ulazai)

    answers = [
        ulazai.world.anonymous("ulazai").post(steps.TEXT, json=steps.TEXT_BODY),
        steps.with_header(ulazai, "Token unknown").post(steps.TEXT, json=steps.TEXT_BODY),
        ulazai.client.get(steps.status_path(steps.NO_TASK)),
        ulazai.client.post(steps.TEXT, raw=b"{", headers=AS_JSON),
        poor.client.post(steps.TEXT, json=steps.TEXT_BODY),
        ulazai.client.post(steps.TEXT, json={"prompt": "[[screentest:reject]]"}),
        ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY),
    ]

    refused = [detail(answer) for answer in answers]
    assert refused[3][0] == 400
    assert refused[3][1].startswith("JSON parse error - ")
    assert refused[:3] + refused[4:] == [
        (401, "Authentication credentials were not provided."),
        (401, "Invalid token."),
        (404, "Not found."),
        (402, "Insufficient credits: this video costs 70, your balance is 0."),
        (422, "Content policy violation"),
        (429, "Request was throttled. Expected available in 30 seconds."),
    ]
    assert answers[0].headers["www-authenticate"] == "Token"
    assert answers[6].headers["retry-after"] == "30"


@pytest.mark.clause("UL-003", "UL-061", "UL-062", "UL-063", "UL-064")
def test_refusals_come_in_a_fixed_order(ulazai: Account) -> None:
    """L17: 401, 400, 422, 402, 429. One thing after another is put right."""
    ulazai.set_credits(700)
    for _ in range(10):
        steps.from_text(ulazai)
    forbidden = {"prompt": "[[screentest:reject]]"}
    anonymous = ulazai.world.anonymous("ulazai")

    answers = [
        anonymous.post(steps.TEXT, json={}),
        ulazai.client.post(steps.TEXT, json={**forbidden, "quality": "ultra"}),
        ulazai.client.post(steps.TEXT, json=forbidden),
        ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY),
    ]
    ulazai.set_credits(70)
    answers.append(ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY))

    assert [answer.status for answer in answers] == [401, 400, 422, 402, 429]


@pytest.mark.clause("UL-057", "UL-059")
def test_refund_is_in_every_poll_and_booked_once(ulazai: Account) -> None:
    """L18."""
    task_id, _ = steps.failed(ulazai)

    refunded = [steps.status(ulazai, task_id)["credits_refunded"] for _ in range(5)]

    assert refunded == [70] * 5
    assert [kind for kind, _ in steps.lines(ulazai)].count("refund") == 1


@pytest.mark.clause("UL-052")
def test_created_at_is_the_second_of_submission(ulazai: Account) -> None:
    """L19."""
    ulazai.world.advance(1_999)
    task_id = steps.from_text(ulazai)["task_id"]

    assert steps.finish(ulazai, task_id)["created_at"] == "2026-01-01T00:00:01Z"


@pytest.mark.clause("UL-049")
@pytest.mark.parametrize("quality", ["standard", "high"])
def test_duration_is_always_10(ulazai: Account, quality: str) -> None:
    """L20."""
    data = steps.finish(ulazai, steps.from_image(ulazai, quality=quality)["task_id"])

    assert data["duration"] == 10
    assert type(data["duration"]) is int


@pytest.mark.clause("UL-001")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/sora/"),
        ("GET", "/api/v1/sora/status/"),
        ("GET", "/api/v1/generate/history/"),
        ("GET", "/api/v1/balance/"),
        ("POST", f"/api/v1/sora/cancel/{steps.NO_TASK}/"),
        ("GET", "/sora/status/"),
        ("GET", "/"),
    ],
)
def test_what_is_not_documented_is_404(ulazai: Account, method: str, path: str) -> None:
    """L21: no list, no cancellation, no balance."""
    answer = ulazai.client.request(method, path)

    assert answer.status == 404
    assert answer.json() == {"success": False, "error": "Not found."}


@pytest.mark.clause("UL-029")
def test_new_account_has_1000_credits(ulazai: Account) -> None:
    """L22: the balance before the example's charge."""
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-001")
@pytest.mark.parametrize(
    ("method", "path"), [("POST", steps.TEXT), ("POST", steps.IMAGE), ("GET", "status")]
)
def test_path_without_its_slash_is_redirected_there(
    ulazai: Account, method: str, path: str
) -> None:
    """L23: 301 for POST as well, after which most clients come back with GET."""
    path = steps.status_path(steps.NO_TASK) if path == "status" else path

    answer = ulazai.client.request(method, path.rstrip("/"))

    assert answer.status == 301
    assert answer.headers["location"] == f"/w/{ulazai.world.id}/ulazai{path}"


@pytest.mark.clause("UL-005")
def test_unknown_fields_are_ignored(ulazai: Account) -> None:
    """L24."""
    data = steps.from_text(ulazai, duration=20, model="sora-2-pro", seed=None)

    assert steps.finish(ulazai, data["task_id"])["duration"] == 10


@pytest.mark.clause("UL-005")
@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("text/plain", b'{"prompt": "A boat"}'),
        ("application/x-www-form-urlencoded", b"prompt=A+boat"),
    ],
)
def test_body_that_is_not_json_gets_the_frameworks_415(
    ulazai: Account, content_type: str, raw: bytes
) -> None:
    """L25."""
    headers = {"Content-Type": content_type}

    answer = ulazai.client.post(steps.TEXT, raw=raw, headers=headers)

    assert answer.status == 415
    assert answer.json() == {"detail": f'Unsupported media type "{content_type}" in request.'}


@pytest.mark.clause("UL-005")
def test_form_gets_the_frameworks_415(ulazai: Account) -> None:
    """L25."""
    answer = ulazai.client.post(steps.TEXT, form={"prompt": "A boat"})

    assert detail(answer) == (415, 'Unsupported media type "multipart/form-data" in request.')


@pytest.mark.clause("UL-005", "UL-042")
def test_wrong_method_gets_the_frameworks_405(ulazai: Account) -> None:
    """L25."""
    assert detail(ulazai.client.get(steps.TEXT)) == (405, 'Method "GET" not allowed.')


@pytest.mark.clause("UL-061")
def test_body_beyond_the_frameworks_limit_is_400(ulazai: Account) -> None:
    """L25: 2.5 MiB."""
    body = b'{"prompt": "A boat", "x": "' + b"x" * 2_621_440 + b'"}'

    answer = ulazai.client.post(steps.TEXT, raw=body, headers=AS_JSON)

    assert steps.refusal(answer) == (400, "validation")
    assert "2621440" in answer.json()["error_details"]


@pytest.mark.clause("UL-007", "UL-019")
@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": 7},
        {"prompt_directory_optin": "true"},
        {"prompt_directory_optin": 1},
        {"prompt_directory_optin": None},
        {"quality": None},
    ],
)
def test_types_are_those_of_json(ulazai: Account, wrong: dict[str, Json]) -> None:
    """L26."""
    answer = ulazai.client.post(steps.TEXT, json={**steps.TEXT_BODY, **wrong})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("UL-064", "UL-069")
def test_429_asks_to_wait_as_long_as_between_polls(ulazai: Account) -> None:
    """L27."""
    for _ in range(10):
        steps.from_text(ulazai)

    answer = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)

    assert (answer.status, answer.headers["retry-after"]) == (429, "30")


@pytest.mark.clause("UL-051")
def test_file_size_is_that_of_the_file(ulazai: Account) -> None:
    """L28: rounded to a tenth of a megabyte, of which there is one at least."""
    data = steps.finish(ulazai, steps.from_text(ulazai)["task_id"])
    size_bytes = len(ulazai.client.follow(data["video_url"]).content)

    assert size_bytes < 0.15 * 1024 * 1024
    assert data["file_size"] == "0.1 MB"


@pytest.mark.clause("UL-027", "UL-043")
@pytest.mark.parametrize(
    ("slower", "estimate"), [("", "2-3 minutes"), ("[[screentest:slow=10m]]", "12-13 minutes")]
)
def test_estimate_is_in_whole_minutes(ulazai: Account, slower: str, estimate: str) -> None:
    """L29: the submission always says what is documented, the first poll knows better."""
    data = steps.from_text(ulazai, prompt=f"A boat {slower}")

    first = steps.status(ulazai, data["task_id"])["data"]["estimated_completion"]

    assert (data["estimated_completion"], first) == ("2-3 minutes", estimate)
