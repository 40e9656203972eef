"""Faults that change an account, a job's course, or one field of an answer."""

from __future__ import annotations

import json

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import HOUR_MS, Account, MockWorld
from tests.ozor.steps import GENERATE, VIDEOS

from .paid_jobs import START, each_provider
from .receiver import receiving


def _statuses(account: Account, times: int) -> list[int]:
    return [account.client.get(VIDEOS).status for _ in range(times)]


def test_key_is_revoked_before_the_call_and_stays_revoked(ozor: Account) -> None:
    ozor.world.order_fault("key_revoked", where={"provider": "ozor"}, nth=2)

    assert _statuses(ozor, 3) == [200, 401, 401]
    assert ozor.world.control.get(f"{ozor.world.path}/accounts/{ozor.id}").json()["api_key_revoked"]


def test_credits_end_before_the_call_is_judged(ozor: Account) -> None:
    START["ozor"](ozor)
    ozor.world.order_fault("credits_end")

    answer = ozor.client.post(GENERATE, json={"prompt": "A chair"})

    assert answer.status == 402
    shown = ozor.world.control.get(f"{ozor.world.path}/accounts/{ozor.id}").json()["credits"]
    # The hold of the job that runs is not touched.
    assert shown == {"available": 0, "held": 1}


def test_credits_end_after_the_work(ozor: Account) -> None:
    ozor.world.order_fault("credits_end", phase="after_commit")

    answers = [ozor.client.post(GENERATE, json={"prompt": "A lamp"}).status for _ in range(2)]

    assert answers == [200, 402]


@each_provider
def test_job_ends_before_its_answer(world: MockWorld, provider: str) -> None:
    world.order_fault("job_at_once", where={"provider": provider}, attributes={"delay_ms": 1})
    START[provider](world.account(provider))

    (job,) = world.control.get(f"{world.path}/jobs").json()["items"]
    (line,) = world.requests()

    assert job["outcome"] == "completed"
    assert line["response"]["sent"] == "the answer, 1 ms late"


def test_webhook_of_a_job_that_ends_at_once_has_come_before_the_answer(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    world.order_fault("job_at_once")
    with receiving() as receiver:
        endpoint = {"provider": "ugc_copilot", "account": account.id, "url": receiver.url}
        assert world.control.post(f"{world.path}/webhooks/endpoints", json=endpoint).status == 201
        START["ugc_copilot"](account)

        events = [json.loads(it.body)["type"] for it in receiver.received]

    assert events == ["video.completed"]


@each_provider
def test_job_stalls_and_never_ends(world: MockWorld, provider: str) -> None:
    world.order_fault("job_stall", where={"provider": provider})
    START[provider](world.account(provider))

    world.advance(24 * HOUR_MS)

    (job,) = world.control.get(f"{world.path}/jobs").json()["items"]
    assert job["held"] is True
    assert job["progress"] < 100


@pytest.mark.parametrize(
    ("attributes", "changed"),
    [
        ({}, {"unknown_field": "unknown"}),
        ({"pointer": "/status", "value": "archived"}, {"status": "archived"}),
        ({"pointer": "/new", "value": {"deep": [1]}}, {"new": {"deep": [1]}}),
    ],
)
def test_field_of_the_answer_is_changed_once(
    ozor: Account, attributes: Json, changed: Json
) -> None:
    made = START["ozor"](ozor)
    path = f"{VIDEOS}/{made['videoId']}/jobs/{made['jobId']}"
    before = ozor.client.get(path).json()
    ozor.world.order_fault("changed_field", attributes=attributes)

    during, after = (ozor.client.get(path).json() for _ in range(2))

    assert during == before | changed
    assert after == before


def test_field_that_an_answer_cannot_have_waits_for_one_that_can(ozor: Account) -> None:
    START["ozor"](ozor)
    ozor.world.order_fault("changed_field", attributes={"pointer": "/videos/0/status", "value": 1})

    ozor.client.get("/api/v1/credits")
    listed = ozor.client.get(VIDEOS).json()["videos"]

    assert listed[0]["status"] == 1


@pytest.mark.parametrize("pointer", ["status", ""])
def test_pointer_that_is_not_one_is_refused(world: MockWorld, pointer: str) -> None:
    order = {"type": "changed_field", "attributes": {"pointer": pointer}}

    assert world.control.post(f"{world.path}/faults", json=order).status == 422
