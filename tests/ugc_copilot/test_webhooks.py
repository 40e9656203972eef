"""Webhooks: what is sent when a render ends, how it is signed, and how often it is tried.

The receiver is called in this thread, at the instant at which an attempt falls due; how attempts
travel over sockets is the engine's matter and tested there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import pytest
from flask import Flask

from screentest.mock_server.engine import outbox
from screentest.mock_server.engine.endpoints import add_endpoint, rotate
from screentest.mock_server.engine.world import World
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.kernel.errors import MockError
from screentest.mock_server.kernel.webhooks import Attempt, Endpoint, Outcome, WebhookRequest
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.validation import Schema

from ..mock_client import HOUR_MS, MINUTE_MS, START, Account, MockWorld, make_world, make_wsgi
from . import steps

#: 2026-01-01T00:00:00Z, the first instant of the world.
STARTED_MS = 1_767_225_600_000
ALL = ("video.completed", "video.failed")


@dataclass(frozen=True, slots=True)
class Received:
    """One attempt as the receiver saw it, and when in the world's time."""

    at_ms: int
    request: WebhookRequest

    @property
    def event(self) -> Json:
        return json.loads(self.request.body)

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.request.headers)

    def is_signed_with(self, secret: str) -> bool:
        signed = f"{self.headers['X-UGC-Timestamp']}.".encode() + self.request.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers["X-UGC-Signature"])


@dataclass(slots=True)
class Receiver:
    """Takes what is sent, answers the statuses of *script* in turn and 200 after them."""

    worlds: Worlds
    script: list[int] = field(default_factory=list[int])
    received: list[Received] = field(default_factory=list[Received])
    react: Callable[[], None] = lambda: None

    def send(self, world_id: str, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            request = self.worlds.webhooks.request(attempt)
            assert request is not None
            self.received.append(Received(attempt.due_ms, request))
            self.react()
            status = self.script.pop(0) if self.script else 200
            self.worlds.webhooks.finish(world_id, [(attempt, request, Outcome(status))])

    def wait(self, world_id: str) -> None:
        """Nothing is under way once `send` has returned."""


@dataclass(frozen=True, slots=True)
class Post:
    """A world whose deliveries a test receives, and the endpoints of its first account."""

    account: Account
    receiver: Receiver

    @property
    def worlds(self) -> Worlds:
        return self.receiver.worlds

    @property
    def universe(self) -> World:
        return self.worlds.get(self.account.world.id)

    def add_endpoint(self, *events: str) -> tuple[Endpoint, str]:
        with self.universe.rows.transaction():
            here = self.worlds.clocks.instant(self.universe, "ugc_copilot")
            return add_endpoint(here, self.account.id, "http://127.0.0.1:9/", events or ALL)

    def rotate(self, endpoint: Endpoint) -> str:
        with self.universe.rows.transaction():
            here = self.worlds.clocks.instant(self.universe, "ugc_copilot")
            return rotate(here, endpoint)[1]

    def fates(self) -> list[str]:
        with self.universe.rows.transaction():
            found = outbox.deliveries(self.universe.rows)
        return [delivery.fate.value for delivery in found]

    @property
    def received(self) -> list[Received]:
        return self.receiver.received


@pytest.fixture
def post() -> Post:
    """A mock of its own: who delivers is settled for a whole server."""
    wsgi = make_wsgi()
    worlds = cast(Worlds, cast(Flask, wsgi.application).extensions["screentest"])
    receiver = Receiver(worlds)
    worlds.clocks.set_dispatcher(receiver)
    return Post(make_world(wsgi).account("ugc_copilot", credits=1_000), receiver)


def tamper(world: MockWorld, type_: str) -> None:
    fault = {"type": type_, "where": {"provider": "ugc_copilot"}}
    assert world.control.post(f"{world.path}/faults", json=fault).status == 201


def payload_schema(event: str) -> Schema:
    """The documented payload of an event."""
    document = load_contract("ugc_copilot").document
    place = ["webhooks", event, "post", "requestBody", "content", "application/json", "schema"]
    return Schema(Documents("ugc_copilot-webhooks", document), place, "body")


# --- What is sent ---------------------------------------------------------------------------------


@pytest.mark.clause("UG-043")
def test_render_that_ends_well_sends_completed(post: Post) -> None:
    """U10."""
    post.add_endpoint()
    operation = steps.start(post.account, "veo")

    post.account.world.advance(steps.LONGEST_MS)

    (sent,) = post.received
    ended_s = (sent.at_ms - STARTED_MS) // 1_000
    data = sent.event["data"]
    assert sent.event["type"] == "video.completed"
    assert sent.event["created"] >= START
    assert 0 < ended_s < 180
    assert (data["operationName"], data["engine"]) == (operation, "veo")
    assert (data["error"], data["creditsRefunded"]) == (None, 0)
    assert post.account.client.follow(data["videoUrl"]).content[4:8] == b"ftyp"


@pytest.mark.clause("UG-044", "UG-023")
def test_render_that_fails_sends_failed_with_the_refund(post: Post) -> None:
    """U10."""
    post.add_endpoint()

    operation = steps.failed(post.account, "SAFETY_BLOCK: no brands")

    (sent,) = post.received
    assert sent.event["type"] == "video.failed"
    assert sent.event["data"] == {
        "operationName": operation,
        "engine": "sora",
        "videoUrl": None,
        "error": {"code": "SAFETY_BLOCK", "message": "no brands"},
        "creditsRefunded": 18,
    }


@pytest.mark.clause("UG-043", "UG-044")
def test_payloads_are_as_the_contract_describes_them(post: Post) -> None:
    post.add_endpoint()
    steps.finished(post.account)
    steps.failed(post.account)

    broken = {
        sent.event["type"]: payload_schema(sent.event["type"]).violations(sent.event)
        for sent in post.received
    }

    assert broken == {"video.completed": [], "video.failed": []}


@pytest.mark.clause("UG-045", "UG-048")
def test_headers_name_the_event_and_carry_time_and_signature(post: Post) -> None:
    """U9."""
    post.add_endpoint()

    steps.finished(post.account)

    (sent,) = post.received
    headers = sent.headers
    assert headers["X-UGC-Event"] == "video.completed"
    assert headers["X-UGC-Event-Id"] == sent.event["id"]
    assert headers["X-UGC-Timestamp"].isdigit()
    assert len(headers["X-UGC-Signature"]) == 64


@pytest.mark.clause("UG-043", "UG-044")
def test_endpoint_gets_the_events_it_asked_for(post: Post) -> None:
    post.add_endpoint("video.failed")

    steps.finished(post.account)
    steps.failed(post.account)

    assert [sent.event["type"] for sent in post.received] == ["video.failed"]


@pytest.mark.clause("UG-043", "UG-074")
def test_endpoint_gets_no_renders_of_another_account(post: Post) -> None:
    post.add_endpoint()
    neighbour = post.account.world.account("ugc_copilot", credits=100)

    steps.finished(neighbour)

    assert post.received == []


@pytest.mark.clause("UG-043", "UG-084")
def test_receiver_that_polls_at_once_sees_the_end(post: Post) -> None:
    post.add_endpoint()
    operation = steps.start(post.account)
    seen: list[Json] = []
    post.receiver.react = lambda: seen.append(steps.check(post.account, operation))

    post.account.world.advance(steps.LONGEST_MS)

    assert [status["done"] for status in seen] == [True]


@pytest.mark.clause("UG-044", "UG-024")
def test_receiver_that_looks_at_once_sees_the_refund(post: Post) -> None:
    post.add_endpoint()
    steps.fail_next(post.account.world, "SAFETY_BLOCK")
    steps.start(post.account)
    seen: list[int] = []
    post.receiver.react = lambda: seen.append(post.account.money[0])

    post.account.world.advance(steps.LONGEST_MS)

    assert seen == [1_000]


# --- Signatures -----------------------------------------------------------------------------------


@pytest.mark.clause("UG-045", "UG-046")
def test_signature_verifies_with_the_secret_and_no_other(post: Post) -> None:
    _, secret = post.add_endpoint()

    steps.finished(post.account)

    (sent,) = post.received
    assert sent.is_signed_with(secret)
    assert not sent.is_signed_with(secret[:-1])
    assert not sent.is_signed_with("whsec_" + "0" * 40)


@pytest.mark.clause("UG-046")
def test_changed_body_does_not_verify(post: Post) -> None:
    _, secret = post.add_endpoint()
    steps.finished(post.account)
    (sent,) = post.received

    request = WebhookRequest(sent.request.url, sent.request.headers, sent.request.body + b" ")

    assert not Received(sent.at_ms, request).is_signed_with(secret)


@pytest.mark.clause("UG-046")
def test_forged_delivery_can_be_ordered(post: Post) -> None:
    _, secret = post.add_endpoint()
    tamper(post.account.world, "webhook_bad_signature")

    steps.finished(post.account)
    steps.finished(post.account)

    assert [sent.is_signed_with(secret) for sent in post.received] == [False, True]


@pytest.mark.clause("UG-057", "UG-058")
def test_replaced_secret_signs_nothing_more(post: Post) -> None:
    endpoint, old = post.add_endpoint()
    steps.finished(post.account)

    new = post.rotate(endpoint)
    steps.finished(post.account)

    before, after = post.received
    assert (before.is_signed_with(old), before.is_signed_with(new)) == (True, False)
    assert (after.is_signed_with(old), after.is_signed_with(new)) == (False, True)


@pytest.mark.clause("UG-058", "UG-048")
def test_repetition_after_a_replacement_is_signed_anew(post: Post) -> None:
    endpoint, old = post.add_endpoint()
    post.receiver.script = [500]
    steps.finished(post.account)

    new = post.rotate(endpoint)
    post.account.world.advance(MINUTE_MS)

    first, second = post.received
    assert first.is_signed_with(old)
    assert second.is_signed_with(new)
    assert first.request.body == second.request.body


# --- Repetitions ----------------------------------------------------------------------------------


@pytest.mark.clause("UG-047", "UG-049", "UG-050", "UG-051", "UG-052", "UG-053")
@pytest.mark.parametrize("status", [500, 503, 400, 404, 410, 301, 302, 199])
def test_receiver_that_never_takes_it_is_asked_six_times(post: Post, status: int) -> None:
    """U11: nine hours of repetitions."""
    post.add_endpoint()
    post.receiver.script = [status] * 10
    steps.start(post.account)

    post.account.world.advance(24 * HOUR_MS)

    at_ms = [sent.at_ms for sent in post.received]
    waits = [later - earlier for earlier, later in pairwise(at_ms)]
    assert waits == [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS]
    assert post.fates() == ["exhausted"]


@pytest.mark.clause("UG-047", "UG-052")
def test_first_attempt_may_be_one_of_five(post: Post) -> None:
    """U11, five_in_all."""
    post.account.world.choose(ugc_copilot__webhook_attempts="five_in_all")
    post.add_endpoint()
    post.receiver.script = [500] * 10
    steps.start(post.account)

    post.account.world.advance(24 * HOUR_MS)

    assert len(post.received) == 5
    assert post.received[-1].at_ms - post.received[-2].at_ms == 2 * HOUR_MS
    assert post.fates() == ["exhausted"]


@pytest.mark.clause("UG-045", "UG-046")
def test_headers_may_be_those_of_standard_webhooks(post: Post) -> None:
    """U9, standard_webhooks: id, time and body are signed, in base64."""
    post.account.world.choose(ugc_copilot__webhook_headers="standard_webhooks")
    _, secret = post.add_endpoint()

    steps.finished(post.account)

    (sent,) = post.received
    headers = sent.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    digest = hmac.new(secret.encode(), signed + sent.request.body, hashlib.sha256).digest()
    assert headers["webhook-id"] == sent.event["id"]
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert not any(name.startswith("X-UGC-") for name in headers)


@pytest.mark.clause("UG-054")
@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("failures", [0, 1, 5])
def test_answer_in_the_two_hundreds_ends_the_repetitions(
    post: Post, status: int, failures: int
) -> None:
    post.add_endpoint()
    post.receiver.script = [500] * failures + [status]
    steps.start(post.account)

    post.account.world.advance(24 * HOUR_MS)

    assert len(post.received) == failures + 1
    assert post.fates() == ["delivered"]


@pytest.mark.clause("UG-048", "UG-047")
def test_repetitions_carry_one_event_id_and_the_same_bytes(post: Post) -> None:
    post.add_endpoint()
    post.receiver.script = [500, 500, 500]
    steps.start(post.account)

    post.account.world.advance(24 * HOUR_MS)

    assert len(post.received) == 4
    assert len({sent.headers["X-UGC-Event-Id"] for sent in post.received}) == 1
    assert len({sent.request.body for sent in post.received}) == 1


@pytest.mark.clause("UG-047", "UG-048")
def test_event_may_come_twice_with_one_id(post: Post) -> None:
    post.add_endpoint()
    tamper(post.account.world, "webhook_duplicate")

    steps.finished(post.account)

    ids = [sent.headers["X-UGC-Event-Id"] for sent in post.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.clause("UG-048")
def test_two_renders_are_two_events(post: Post) -> None:
    post.add_endpoint()

    steps.finished(post.account)
    steps.finished(post.account)

    assert len({sent.event["id"] for sent in post.received}) == 2


@pytest.mark.clause("UG-049", "UG-053")
def test_many_small_steps_repeat_as_one_long_one_does(post: Post) -> None:
    post.add_endpoint()
    post.receiver.script = [500] * 10
    steps.start(post.account)

    for _ in range(100):
        post.account.world.advance(6 * MINUTE_MS)

    at_ms = [sent.at_ms for sent in post.received]
    assert [each - at_ms[0] for each in at_ms] == [
        0,
        MINUTE_MS,
        6 * MINUTE_MS,
        36 * MINUTE_MS,
        156 * MINUTE_MS,
        516 * MINUTE_MS,
    ]


# --- Endpoints ------------------------------------------------------------------------------------


@pytest.mark.clause("UG-055", "UG-056")
def test_account_has_five_endpoints_and_no_sixth(post: Post) -> None:
    """U12: the provider has no function for it, so the control API registers them."""
    secrets = {post.add_endpoint()[1] for _ in range(5)}

    with pytest.raises(MockError, match="has 5 of 5 endpoints"):
        post.add_endpoint()

    assert len(secrets) == 5
    steps.finished(post.account)
    assert len(post.received) == 5


@pytest.mark.clause("UG-055")
def test_five_endpoints_are_one_accounts_own(post: Post) -> None:
    for _ in range(5):
        post.add_endpoint()
    neighbour = post.account.world.account("ugc_copilot", credits=100)

    endpoint, _ = Post(neighbour, post.receiver).add_endpoint()

    assert endpoint.account == neighbour.id


@pytest.mark.clause("UG-043", "UG-056")
def test_event_that_does_not_exist_is_refused(post: Post) -> None:
    with pytest.raises(MockError, match="video.started"):
        post.add_endpoint("video.started")
