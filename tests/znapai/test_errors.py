"""Injected errors of the upstream, as the proxy passes them on."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer
from . import steps


def meet(account: Account, status: int, **attributes: Json) -> Answer:
    """Order an HTTP error of *status*, and run into it."""
    fault = {
        "type": "http_error",
        "where": {"provider": "znapai"},
        "attributes": {"status": status, **attributes},
    }
    ordered = account.world.control.post(f"{account.world.path}/faults", json=fault)
    assert ordered.status == 201, ordered.text
    return account.client.post(steps.VIDEOS, json=steps.LEAST)


@pytest.mark.clause("ZN-066", "ZN-067")
def test_upstream_429_is_a_rate_limit_error(znapai: Account) -> None:
    answer = meet(znapai, 429, retry_after_s=7)

    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"] == {
        "message": (
            'litellm.RateLimitError: AzureException RateLimitError - {"error": {"message": '
            '"Rate limit reached", "type": "requests", "param": null, "code": '
            '"rate_limit_exceeded"}}. Received Model Group=sora-2\n'
            "Available Model Group Fallbacks=None"
        ),
        "type": "throttling_error",
        "param": None,
        "code": "429",
    }


@pytest.mark.clause("ZN-067")
@pytest.mark.parametrize("status", [500, 503])
def test_upstream_failure_is_an_api_error(znapai: Account, status: int) -> None:
    answer = meet(znapai, status)

    assert answer.status == status
    assert "retry-after" not in answer.headers
    assert answer.json()["error"] == {
        "message": (
            'litellm.APIError: AzureException APIError - {"error": {"message": "The server had '
            'an error", "type": "server_error", "param": null, "code": null}}. Received Model '
            "Group=sora-2\nAvailable Model Group Fallbacks=None"
        ),
        "type": None,
        "param": None,
        "code": str(status),
    }


@pytest.mark.clause("ZN-028", "ZN-067")
def test_upstream_400_of_another_type_is_not_wrapped(znapai: Account) -> None:
    """Only an invalid_request_error becomes a ContentPolicyViolationError."""
    answer = meet(znapai, 400)

    assert answer.status == 400
    assert answer.json()["error"] == {
        "message": (
            'litellm.BadRequestError: AzureException - {"error": {"message": "Invalid value", '
            '"type": "video_generation_user_error", "param": null, "code": null}}. Received '
            "Model Group=sora-2\nAvailable Model Group Fallbacks=None"
        ),
        "type": None,
        "param": None,
        "code": "400",
    }


@pytest.mark.clause("ZN-067")
def test_ordered_body_is_sent_as_it_is(znapai: Account) -> None:
    body = {"error": {"message": "Budget has been exceeded", "type": "budget_exceeded"}}

    answer = meet(znapai, 400, body=body)

    assert (answer.status, answer.json()) == (400, body)


@pytest.mark.clause("ZN-028", "ZN-029")
def test_real_policy_violation_looks_like_a_refused_parameter(znapai: Account) -> None:
    """Z3: only the message inside tells them apart, as the document warns."""
    body = {**steps.LEAST, "prompt": "A boat [[screentest:reject=not this boat]]"}

    answer = znapai.client.post(steps.VIDEOS, json=body)

    assert steps.wrapped(answer) == {
        "message": "not this boat",
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "moderation_blocked",
    }
