"""The vendor's own SDK, unmodified, against the contract beside this file."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.webhook import Webhooks
from standardwebhooks.webhooks import Webhook

_MODEL = "google/veo-3"


@pytest.fixture
def client(screentest: Any) -> Client:
    return Client(api_token=screentest.replicate.api_key)


def _create(client: Client, **more: Any) -> Any:
    return client.models.predictions.create(_MODEL, input={"prompt": "a lamp"}, **more)


def test_a_prediction_is_made_waited_for_and_downloaded(screentest: Any, client: Client) -> None:
    prediction = _create(client)
    assert (prediction.status, prediction.model) == ("starting", _MODEL)

    prediction.wait()

    assert prediction.status == "succeeded"
    assert prediction.metrics["predict_time"] > 0
    assert prediction.created_at < prediction.started_at < prediction.completed_at
    assert httpx.get(prediction.output).content[4:8] == b"ftyp"
    assert screentest.replicate.credits == 750_000


def test_a_failure_is_shown_and_not_paid(screentest: Any, client: Client) -> None:
    screentest.replicate.jobs.fail_next("the lamp broke")

    prediction = _create(client)
    prediction.wait()

    assert (prediction.status, prediction.error) == ("failed", "the lamp broke")
    assert screentest.replicate.credits == 1_000_000


def test_a_canceled_prediction_stops_and_is_not_paid(screentest: Any, client: Client) -> None:
    prediction = _create(client)
    screentest.clock.advance(8)

    prediction.cancel()
    screentest.clock.advance(600)
    prediction.reload()

    assert prediction.status == "canceled"
    assert screentest.replicate.credits == 1_000_000


def test_lists_have_pages(screentest: Any) -> None:
    rich = screentest.replicate.account(credits=100_000_000)
    client = Client(api_token=rich.api_key)
    made = [_create(client).id for _ in range(101)]

    first = client.predictions.list()
    second = client.predictions.list(first.next)

    assert [it.id for it in first] == made[:0:-1]
    assert ([it.id for it in second], second.next) == ([made[0]], None)


def test_too_little_credit_is_a_402(screentest: Any) -> None:
    poor = screentest.replicate.account(credits=249_999)

    with pytest.raises(ReplicateError) as refused:
        _create(Client(api_token=poor.api_key))

    assert (refused.value.status, refused.value.title) == (402, "Insufficient credit")


def test_webhooks_verify_with_the_vendors_and_with_the_standard_verifier(
    screentest: Any, client: Client, receiver: Any
) -> None:
    _create(client, webhook=receiver.url, webhook_events_filter=["start", "completed"])
    _create(client, webhook=receiver.url, webhook_events_filter=["completed"])
    screentest.clock.advance_until_idle()
    secret = client.webhooks.default.secret()

    states = sorted(json.loads(body)["status"] for _, body in receiver.received)
    assert states == ["processing", "succeeded", "succeeded"]
    for headers, body in receiver.received:
        Webhooks.validate(headers=headers, body=body, secret=secret)
        Webhook(secret.key).verify(body, headers)
