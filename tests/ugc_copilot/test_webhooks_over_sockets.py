"""Webhooks of a real server, as an application that listens on a port receives them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
import requests

from screentest.specs.json_types import Json

from ..http.receiver import WAIT_S_MAX, Received, Receiver, receiving
from ..live_mock import LiveMock
from ..mock_client import HOUR_MS, MINUTE_MS
from . import steps


@dataclass(frozen=True, slots=True)
class Studio:
    """A world on the live server, its account, and an application that gets its webhooks."""

    mock: LiveMock
    world: Json
    receiver: Receiver

    def control(self, method: str, path: str, body: Json = None) -> Json:
        return self.mock.control(method, f"/worlds/{self.world['id']}/{path}", body)

    def close(self) -> None:
        self.mock.control("DELETE", f"/worlds/{self.world['id']}")

    def register(self, *events: str) -> Json:
        body = {"provider": "ugc_copilot", "url": self.receiver.url, "events": events}
        return self.control("POST", "webhooks/endpoints", body)

    def call(self, function: str, body: Json) -> Json:
        provider = self.world["providers"]["ugc_copilot"]
        key = {"Authorization": f"Bearer {provider['account']['api_key']}"}
        answer = requests.post(provider["base_url"] + function, json=body, headers=key, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self) -> str:
        """The operation of a new render."""
        return str(self.call(steps.START, steps.body())["operation"]["name"])

    def finish(self) -> str:
        """The operation of a succeeded render, after its event was delivered."""
        operation = self.start()
        self.control("POST", "clock/advance", {"by_ms": steps.LONGEST_MS})
        return operation


@pytest.fixture
def studio(live: LiveMock) -> Iterator[Studio]:
    world = live.world(credits={"ugc_copilot": 1_000})
    with receiving() as receiver:
        studio = Studio(live, world, receiver)
        yield studio
        studio.close()


def is_signed_with(secret: str, got: Received) -> bool:
    signed = got.headers["x-ugc-timestamp"].encode() + b"." + got.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, got.headers["x-ugc-signature"])


@pytest.mark.clause("UG-043", "UG-045", "UG-046", "UG-048")
def test_application_receives_a_signed_event(studio: Studio) -> None:
    secret = studio.register("video.completed")["secret"]

    operation = studio.finish()

    (got,) = studio.receiver.received
    event = json.loads(got.body)
    assert (event["type"], event["data"]["operationName"]) == ("video.completed", operation)
    assert got.headers["x-ugc-event"] == "video.completed"
    assert got.headers["x-ugc-event-id"] == event["id"]
    assert got.headers["content-type"] == "application/json"
    assert (is_signed_with(secret, got), is_signed_with("whsec_" + "0" * 40, got)) == (True, False)


@pytest.mark.clause("UG-045")
def test_signature_is_of_now_while_the_render_is_of_the_worlds_time(studio: Studio) -> None:
    """A receiver refuses signatures that are minutes old, whatever year the world has."""
    studio.register()

    studio.finish()

    (got,) = studio.receiver.received
    assert abs(int(got.headers["x-ugc-timestamp"]) - time.time()) < WAIT_S_MAX
    assert json.loads(got.body)["created"].startswith("2026-01-01T00:0")


@pytest.mark.clause("UG-045")
def test_signature_may_be_of_the_time_at_which_the_event_was_created(studio: Studio) -> None:
    """U39, world."""
    studio.control("PATCH", "interpretations", {"ugc_copilot.webhook_clock": "world"})
    secret = studio.register()["secret"]

    studio.finish()

    (got,) = studio.receiver.received
    created = datetime.fromisoformat(json.loads(got.body)["created"])
    assert int(got.headers["x-ugc-timestamp"]) == int(created.timestamp())
    assert is_signed_with(secret, got)


@pytest.mark.clause("UG-047", "UG-049", "UG-050", "UG-051", "UG-052", "UG-053", "UG-054")
def test_nine_hours_of_repetitions_take_less_than_a_second(studio: Studio) -> None:
    studio.register()
    studio.receiver.script = [500, 503, 404, 302, 400]
    studio.start()
    began_s = time.monotonic()

    studio.control("POST", "clock/advance", {"by_ms": 24 * HOUR_MS})

    took_s = time.monotonic() - began_s
    (delivery,) = studio.control("GET", "webhooks/deliveries")["items"]
    detail = studio.control("GET", "events?limit=200")["items"]
    at = [it["at"] for it in detail if it["type"] in {"webhook.failed", "webhook.delivered"}]
    assert took_s < 1.0
    assert len(studio.receiver.received) == 6
    assert (delivery["state"], delivery["next_due"]) == ("delivered", None)
    assert [it["status"] for it in delivery["attempts"]] == [500, 503, 404, 302, 400, 204]
    assert [it["at"] for it in delivery["attempts"]] == at
    assert len({it.body for it in studio.receiver.received}) == 1
    assert len({it.headers["x-ugc-event-id"] for it in studio.receiver.received}) == 1


@pytest.mark.clause("UG-043", "UG-084")
def test_application_that_asks_before_it_answers_finds_the_render_done(studio: Studio) -> None:
    studio.register()
    seen: list[bool] = []

    def ask(got: Received) -> None:
        operation = json.loads(got.body)["data"]["operationName"]
        asked = {"operationName": operation, "engine": "sora"}
        seen.append(studio.call(steps.CHECK, asked)["done"])

    studio.receiver.react = ask

    studio.finish()

    assert seen == [True]


@pytest.mark.clause("UG-055", "UG-056")
def test_sixth_endpoint_is_refused_with_the_rule(studio: Studio) -> None:
    endpoints = [studio.register()["id"] for _ in range(5)]
    body = {"provider": "ugc_copilot", "url": studio.receiver.url}
    url = f"{studio.mock.url}/_screentest/worlds/{studio.world['id']}/webhooks/endpoints"

    refused = requests.post(url, json=body, timeout=10)
    studio.control("DELETE", f"webhooks/endpoints/{endpoints[0]}")

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many")
    assert "5 of 5 endpoints" in refused.json()["detail"]
    assert studio.register()["id"] not in endpoints


@pytest.mark.clause("UG-057", "UG-058")
def test_repetition_after_a_rotation_is_signed_with_the_new_secret_alone(studio: Studio) -> None:
    endpoint = studio.register()
    studio.receiver.script = [500]
    studio.start()
    for _ in ("rendering", "succeeded"):
        studio.control("POST", "clock/advance", {"until": "next"})

    new = studio.control("POST", f"webhooks/endpoints/{endpoint['id']}/rotate")["secret"]
    studio.control("POST", "clock/advance", {"by_ms": MINUTE_MS})

    first, second = studio.receiver.received
    old = endpoint["secret"]
    assert (is_signed_with(old, first), is_signed_with(new, first)) == (True, False)
    assert (is_signed_with(old, second), is_signed_with(new, second)) == (False, True)


@pytest.mark.clause("UG-047", "UG-048")
def test_event_can_be_sent_again_on_request(studio: Studio) -> None:
    studio.register()
    studio.finish()
    (delivery,) = studio.control("GET", "webhooks/deliveries")["items"]

    again = studio.control("POST", f"webhooks/deliveries/{delivery['id']}/redeliver")

    first, second = studio.receiver.wait_for(2)
    assert len(again["attempts"]) == 2
    assert first.body == second.body


@pytest.mark.clause("UG-043", "UG-044")
def test_running_clock_sends_without_a_request(live: LiveMock) -> None:
    """Three minutes of the world take some milliseconds; no call is made after the start."""
    options = {"clock": {"mode": "real", "speed": 100_000}, "credits": {"ugc_copilot": 100}}
    with receiving() as receiver:
        studio = Studio(live, live.world(**options), receiver)
        receiver.script = [500]
        studio.register()

        studio.start()

        first, second = receiver.wait_for(2)
        studio.close()
    assert json.loads(first.body)["type"] == "video.completed"
    assert first.body == second.body


# --- Ordered failures, as the application experiences them ----------------------------------------


def order(studio: Studio, type_: str, **attributes: Json) -> None:
    """Arm a fault for the next delivery."""
    body = {"type": type_, "where": {"provider": "ugc_copilot"}, "attributes": attributes}
    studio.control("POST", "faults", body)


def test_dropped_delivery_never_arrives_and_the_next_one_does(studio: Studio) -> None:
    studio.register()
    order(studio, "webhook_drop")

    studio.finish()
    detail = studio.finish()
    studio.control("POST", "clock/advance", {"by_ms": 24 * HOUR_MS})

    (got,) = studio.receiver.received
    assert json.loads(got.body)["data"]["operationName"] == detail


def test_duplicated_delivery_arrives_twice_with_one_id(studio: Studio) -> None:
    secret = studio.register()["secret"]
    order(studio, "webhook_duplicate", copies=2)

    studio.finish()

    first, second = studio.receiver.wait_for(2)
    assert first.headers["x-ugc-event-id"] == second.headers["x-ugc-event-id"]
    assert (is_signed_with(secret, first), is_signed_with(secret, second)) == (True, True)


def test_reordered_delivery_arrives_after_the_one_behind_it(studio: Studio) -> None:
    studio.register()
    order(studio, "webhook_reorder", delay_ms=steps.LONGEST_MS)
    started = [studio.start() for _ in range(2)]

    studio.control("POST", "clock/advance", {"by_ms": 3 * steps.LONGEST_MS})

    detail = [json.loads(it.body) for it in studio.receiver.wait_for(2)]
    ended = [it["created"] for it in detail]
    assert ended == sorted(ended, reverse=True)
    assert {it["data"]["operationName"] for it in detail} == set(started)


def test_delivery_with_a_wrong_signature_is_one_that_no_secret_makes(studio: Studio) -> None:
    secret = studio.register()["secret"]
    order(studio, "webhook_bad_signature")

    studio.finish()
    studio.finish()

    first, second = studio.receiver.wait_for(2)
    assert (is_signed_with(secret, first), is_signed_with(secret, second)) == (False, True)
