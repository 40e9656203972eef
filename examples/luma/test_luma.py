"""The vendor's own SDK, unmodified, against the contract beside this file."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import lumaai
import pytest
from lumaai import LumaAI


@pytest.fixture
def client(screentest: Any) -> LumaAI:
    return LumaAI(auth_token=screentest.luma.api_key, max_retries=0)


def _create(client: LumaAI, **more: Any) -> Any:
    return client.generations.create(model="ray-2", prompt="a lamp", duration="5s", **more)


def test_a_generation_is_made_polled_and_downloaded(screentest: Any, client: LumaAI) -> None:
    generation = _create(client)
    states = [generation.state]
    while generation.state not in {"completed", "failed"}:
        time.sleep(3)
        generation = client.generations.get(id=generation.id)
        states.append(generation.state)

    assert list(dict.fromkeys(states)) == ["queued", "dreaming", "completed"]
    assert httpx.get(generation.assets.video).content[4:8] == b"ftyp"
    assert client.credits.get().credit_balance == screentest.luma.credits == 950


def test_a_failure_is_shown_and_given_back(screentest: Any, client: LumaAI) -> None:
    screentest.luma.jobs.fail_next("the lamp broke")

    made = _create(client)
    screentest.clock.advance(300)
    generation = client.generations.get(id=made.id)

    assert (generation.state, generation.failure_reason) == ("failed", "the lamp broke")
    assert client.credits.get().credit_balance == 1000


def test_lists_have_pages(client: LumaAI) -> None:
    made = [_create(client).id for _ in range(3)]

    first = client.generations.list(limit=2)
    second = client.generations.list(limit=2, offset=2)

    assert [it.id for it in first.generations] == [made[2], made[1]]
    assert (first.count, first.has_more, second.has_more) == (2, True, False)
    assert [it.id for it in second.generations] == [made[0]]


def test_a_deleted_generation_is_gone(client: LumaAI) -> None:
    made = _create(client)

    client.generations.delete(id=made.id)

    with pytest.raises(lumaai.NotFoundError, match="Generation not found"):
        client.generations.get(id=made.id)


def test_too_few_credits_are_a_402_and_too_many_jobs_a_429(screentest: Any, client: LumaAI) -> None:
    for _ in range(10):
        _create(client)
    with pytest.raises(lumaai.RateLimitError):
        _create(client)

    poor = screentest.luma.account(credits=49)
    with pytest.raises(lumaai.APIStatusError) as refused:
        _create(LumaAI(auth_token=poor.api_key, max_retries=0))
    assert refused.value.status_code == 402


def test_the_callback_of_the_request_hears_of_each_state(
    screentest: Any, client: LumaAI, receiver: Any
) -> None:
    made = _create(client, callback_url=receiver.url)
    screentest.clock.advance_until_idle()

    shown = [json.loads(body) for _, body in receiver.received]
    assert [(it["id"], it["state"]) for it in shown] == [
        (made.id, "dreaming"),
        (made.id, "completed"),
    ]


def test_the_ping_needs_no_key(screentest: Any) -> None:
    assert LumaAI(auth_token="nothing").ping.check().message == "pong"
