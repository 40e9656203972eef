"""The vendor's own SDK, unmodified, against the contract beside this file."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import runwayml
from runwayml import RunwayML, TaskFailedError


@pytest.fixture
def client(screentest: Any) -> RunwayML:
    return RunwayML(api_key=screentest.runway.api_key, max_retries=0)


def _create(client: RunwayML) -> Any:
    return client.image_to_video.create(
        model="gen4_turbo",
        prompt_image="https://example.org/lamp.png",
        prompt_text="a lamp",
        ratio="1280:720",
        duration=5,
    )


def test_a_task_is_made_waited_for_and_downloaded(screentest: Any, client: RunwayML) -> None:
    made = _create(client)
    task = made.wait_for_task_output()

    assert made.estimated_cost.credits == 25
    assert (task.status, task.cost.credits) == ("SUCCEEDED", 25)
    assert httpx.get(task.output[0]).content[4:8] == b"ftyp"
    assert client.organization.retrieve().credit_balance == screentest.runway.credits == 175


def test_a_failure_is_raised_and_given_back(screentest: Any, client: RunwayML) -> None:
    screentest.runway.jobs.fail_next("the lamp broke")

    with pytest.raises(TaskFailedError) as failed:
        _create(client).wait_for_task_output()

    assert failed.value.task_details.failure == "the lamp broke"
    assert client.organization.retrieve().credit_balance == 200


def test_a_canceled_task_stops_and_costs_nothing(screentest: Any, client: RunwayML) -> None:
    made = _create(client)
    screentest.clock.advance(10)

    client.tasks.delete(made.id)
    screentest.clock.advance(600)

    assert client.tasks.retrieve(made.id).status == "CANCELLED"
    assert screentest.runway.credits == 200


def test_too_few_credits_are_a_400_and_a_full_day_is_a_429(
    screentest: Any,
) -> None:
    poor, rich = (screentest.runway.account(credits=it) for it in (24, 10_000))
    with pytest.raises(runwayml.BadRequestError, match="not have enough credits"):
        _create(RunwayML(api_key=poor.api_key, max_retries=0))

    client = RunwayML(api_key=rich.api_key, max_retries=0)
    for _ in range(50):
        _create(client)
    with pytest.raises(runwayml.RateLimitError):
        _create(client)


def test_an_unknown_key_is_refused(screentest: Any) -> None:
    with pytest.raises(runwayml.AuthenticationError):
        _create(RunwayML(api_key="key_wrong", max_retries=0))
