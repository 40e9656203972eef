"""The error envelope: the same shape for every refusal."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, MockWorld
from . import steps


def refused(account: Account) -> dict[str, Answer]:
    """One answer for each kind of error, by its code."""
    client, world = account.client, account.world
    answers = {
        "unauthenticated": world.anonymous("ugc_copilot").post(steps.START, json={}),
        "invalid-argument": client.post(steps.START, json={}),
        "not-found": steps.try_check(account, steps.NO_OPERATION),
        "concurrency-exceeded": [steps.try_start(account) for _ in range(4)][-1],
    }
    world.advance(steps.LONGEST_MS)
    headers = {"Idempotency-Key": "once"}
    client.post(steps.SCRIPT, json=steps.BODIES[steps.SCRIPT], headers=headers)
    answers["idempotency-conflict"] = client.post(
        steps.SCRIPT, json={"productDescription": "Another"}, headers=headers
    )
    answers["rate-limited"] = [
        client.post(steps.PRODUCTS, json=steps.BODIES[steps.PRODUCTS]) for _ in range(11)
    ][-1]
    account.set_credits(0)
    answers["insufficient-credits"] = client.post(steps.TONE, json=steps.BODIES[steps.TONE])
    return answers


@pytest.mark.clause("UG-059", "UG-087", "UG-088", "UG-089")
def test_every_refusal_has_type_code_message_and_request_id(ugc: Account) -> None:
    answers = refused(ugc)

    detail = {
        code: (answer.status, answer.json()["error"]["type"], answer.json()["error"]["code"])
        for code, answer in answers.items()
    }
    assert detail == {
        "unauthenticated": (401, "authentication", "unauthenticated"),
        "invalid-argument": (400, "validation", "invalid-argument"),
        "not-found": (404, "validation", "not-found"),
        "concurrency-exceeded": (429, "rate_limit", "concurrency-exceeded"),
        "idempotency-conflict": (409, "idempotency", "idempotency-conflict"),
        "rate-limited": (429, "rate_limit", "rate-limited"),
        "insufficient-credits": (402, "permission", "insufficient-credits"),
    }
    for answer in answers.values():
        error = answer.json()["error"]
        assert set(answer.json()) == {"error"}
        assert {"type", "code", "message", "request_id"} <= set(error)
        assert set(error) <= {"type", "code", "message", "request_id", "field", "retryAfter"}


@pytest.mark.clause("UG-087")
def test_request_ids_are_the_journals_own(ugc: Account) -> None:
    answers = refused(ugc).values()

    ids = [answer.json()["error"]["request_id"] for answer in answers]

    assert len(set(ids)) == len(ids)
    assert ids == [answer.headers["x-screentest-request-id"] for answer in answers]


@pytest.mark.clause("UG-087", "UG-059")
def test_field_is_named_where_one_is_wrong(ugc: Account) -> None:
    errors: list[Json] = [
        ugc.client.post(path, json=body).json()["error"]
        for path, body in [
            (steps.START, steps.body(aspectRatio="4:5")),
            (steps.SCRIPT, {"productDescription": "x", "targetDurationSec": 7}),
            (steps.IMAGE, {"visualPrompt": "x"}),
            (steps.PARSE, {"rawScript": "too short"}),
            (steps.PRODUCTS, {"industry": "Mining"}),
        ]
    ]

    assert [error["field"] for error in errors] == [
        "data.aspectRatio",
        "targetDurationSec",
        "productDescription",
        "rawScript",
        "industry",
    ]
    assert all(error["field"] in error["message"] for error in errors)


@pytest.mark.clause("UG-059")
def test_authentication_is_judged_first_and_credits_last(ugc: Account) -> None:
    """U20."""
    ugc.set_credits(0)
    anonymous = ugc.world.anonymous("ugc_copilot")

    answers = [
        anonymous.post(steps.START, raw=b"{"),
        ugc.client.post(steps.START, json={}),
        ugc.client.post(steps.START, json=steps.body()),
    ]

    assert [answer.status for answer in answers] == [401, 400, 402]


@pytest.mark.clause("UG-059", "UG-066")
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "validation", "invalid-argument"),
        (429, "rate_limit", "rate-limited"),
        (500, "internal", "internal"),
        (503, "internal", "internal"),
    ],
)
def test_ordered_failure_has_the_providers_shape(
    ugc: Account, status: int, kind: str, code: str
) -> None:
    fault = {"type": "http_error", "attributes": {"status": status, "retry_after_s": 2}}
    ugc.world.control.post(f"{ugc.world.path}/faults", json=fault)

    answer = steps.try_start(ugc)

    error = answer.json()["error"]
    assert (answer.status, error["type"], error["code"]) == (status, kind, code)
    assert (answer.headers["retry-after"], error["retryAfter"]) == ("2", 2)
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-090", "UG-087")
@pytest.mark.parametrize("path", sorted(steps.FREE_BODIES))
def test_errors_of_free_functions_have_no_type(world: MockWorld, path: str) -> None:
    answer = world.anonymous("ugc_copilot").post(path, json={"data": {}})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert set(answer.json()["error"]) == {"code", "message", "request_id", "field"}
