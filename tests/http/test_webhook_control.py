"""Webhooks in the control API: endpoints with their secrets, deliveries with their attempts."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..lantern.lantern import Lantern, make_lantern
from ..mock_client import HOUR_MS, MINUTE_MS, MockWorld


@pytest.fixture
def lantern() -> Lantern:
    return make_lantern()


# --- Endpoints ------------------------------------------------------------------------------------


def test_secret_is_shown_once(lantern: Lantern) -> None:
    lantern.receive()
    made = lantern.register()

    listed = lantern.control("GET", "webhooks/endpoints").json()["items"]

    secret = made.pop("secret")
    assert len(secret) == 38
    assert listed == [made]
    assert made == {
        "id": "ep_1",
        "provider": "lantern",
        "account": lantern.account.id,
        "url": "wsgi:hook",
        "events": [],
        "created_at": "2026-01-01T00:00:00Z",
    }


def test_sixth_endpoint_is_refused_until_one_is_deleted(lantern: Lantern) -> None:
    lantern.receive()
    for _ in range(5):
        lantern.register()

    refused = lantern.try_to_register("wsgi:hook")
    lantern.control("DELETE", "webhooks/endpoints/ep_2")
    accepted = lantern.try_to_register("wsgi:hook")

    assert (refused.status, refused.json()["code"]) == (409, "too_many")
    assert "has 5 of 5 endpoints" in refused.text
    assert accepted.status == 201


def test_replaced_secret_signs_nothing_more(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    old = lantern.register()["secret"]
    lantern.show()

    new = lantern.control("POST", "webhooks/endpoints/ep_1/rotate", {}).json()["secret"]
    lantern.world.advance(MINUTE_MS)

    first, second = hook.received
    assert first.is_signed_with(old)
    assert second.is_signed_with(new)
    assert not second.is_signed_with(old)
    assert first.body == second.body


def test_deleted_endpoint_gets_nothing_that_was_pending(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    lantern.register()
    lantern.show()

    answer = lantern.control("DELETE", "webhooks/endpoints/ep_1")
    lantern.world.advance(24 * HOUR_MS)

    assert answer.status == 204
    assert len(hook.received) == 1
    assert [(it["state"], it["next_due"]) for it in lantern.deliveries()] == [("cancelled", None)]


def test_endpoint_deleted_by_its_own_receiver_is_not_asked_again(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    lantern.register()
    hook.react = lambda _: lantern.control("DELETE", "webhooks/endpoints/ep_1")

    lantern.show()
    lantern.world.advance(24 * HOUR_MS)

    assert len(hook.received) == 1
    assert [it["state"] for it in lantern.deliveries()] == ["cancelled"]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"url": "wsgi:hook"}, 422, "provider"),
        ({"provider": "lantern"}, 422, "url"),
        ({"provider": "lantren", "url": "wsgi:hook"}, 422, "did you mean 'lantern'"),
        ({"provider": "lantern", "url": "wsgi:hok"}, 422, "did you mean 'hook'"),
        ({"provider": "lantern", "url": "wsgi:hook", "events": ["film.shwn"]}, 422, "film.shown"),
        ({"provider": "lantern", "url": "wsgi:hook", "account": "acct_99"}, 404, "acct_99"),
        ({"provider": "lantern", "url": "ftp://127.0.0.1/"}, 422, "http://127.0.0.1:9000/hook"),
        (
            {"provider": "lantern", "url": "http://a:b@127.0.0.1:9/"},
            422,
            "must not contain a user name",
        ),
        ({"provider": "lantern", "url": "http://169.254.169.254/"}, 422, "forbidden"),
        ({"provider": "lantern", "url": "http://8.8.8.8/"}, 422, "private networks only"),
    ],
)
def test_endpoints_that_cannot_be_are_refused(
    lantern: Lantern, body: Json, status: int, detail: str
) -> None:
    lantern.receive()

    answer = lantern.control("POST", "webhooks/endpoints", body)

    assert (answer.status, detail in answer.text) == (status, True), answer.text


def test_provider_without_webhooks_says_so(world: MockWorld) -> None:
    body = {"provider": "ozor", "url": "http://127.0.0.1:9/"}

    answer = world.control.post(f"{world.path}/webhooks/endpoints", json=body)

    assert (answer.status, answer.json()["code"]) == (422, "no_webhooks")


def test_secrets_in_a_url_are_not_shown_again(lantern: Lantern) -> None:
    made = lantern.register("http://127.0.0.1:9/hook?token=tellnobody&a=1")

    shown = lantern.control("GET", "webhooks/endpoints").text

    assert "tellnobody" not in made["url"] + shown
    assert "a=1" in made["url"]


# --- Deliveries -----------------------------------------------------------------------------------


def test_delivery_tells_its_attempts(lantern: Lantern) -> None:
    receiver = lantern.receive(500)
    lantern.register()
    film = lantern.show()

    (delivery,) = lantern.deliveries()

    (sent,) = receiver.received
    (attempt,) = delivery.pop("attempts")
    assert delivery == {
        "id": "dlv_1",
        "provider": "lantern",
        "endpoint": "ep_1",
        "event": attempt["headers"]["Lantern-Id"],
        "type": "film.shown",
        "job": film,
        "created_at": "2026-01-01T00:00:10Z",
        "state": "pending",
        "body": sent.body.decode(),
        "next_due": "2026-01-01T00:01:10Z",
    }
    assert attempt["headers"]["Lantern-Attempt"] == "1"
    assert attempt["headers"]["Lantern-Signature"] == sent.headers["lantern-signature"]
    assert (attempt["number"], attempt["status"], attempt["reply"]) == (1, 500, "thanks")
    assert 0 <= attempt["latency_ms"] < 1_000


def test_deliveries_come_in_pages(lantern: Lantern) -> None:
    lantern.receive()
    lantern.register()
    for _ in range(3):
        lantern.show()

    path = "webhooks/deliveries?limit=2"
    first = lantern.control("GET", path).json()
    second = lantern.control("GET", f"{path}&cursor={first['next_cursor']}").json()

    assert [it["id"] for it in first["items"]] == ["dlv_1", "dlv_2"]
    assert [it["id"] for it in second["items"]] == ["dlv_3"]
    assert second["next_cursor"] is None


def test_delivered_event_is_sent_again_on_request(lantern: Lantern) -> None:
    hook = lantern.receive(200, 500)
    lantern.register()
    lantern.show()

    answer = lantern.control("POST", "webhooks/deliveries/dlv_1/redeliver", {})

    first, second = hook.received
    assert first.body == second.body
    assert second.headers["lantern-attempt"] == "2"
    assert [it["status"] for it in answer.json()["attempts"]] == [200, 500]
    assert (answer.json()["state"], answer.json()["next_due"]) == ("delivered", None)


def test_pending_event_is_sent_now_and_goes_on_from_there(lantern: Lantern) -> None:
    lantern.receive(500, 500)
    lantern.register()
    lantern.show()

    lantern.control("POST", "webhooks/deliveries/dlv_1/redeliver", {})

    (delivery,) = lantern.deliveries()
    # The clock is at 30 s; the wait after the second failure is five minutes.
    assert (delivery["state"], delivery["next_due"]) == ("pending", "2026-01-01T00:05:30Z")


@pytest.mark.parametrize(
    ("delivery", "status"), [("dlv_1", 409), ("dlv_7", 404)], ids=["endpoint gone", "unknown"]
)
def test_what_cannot_be_redelivered_is_refused(
    lantern: Lantern, delivery: str, status: int
) -> None:
    lantern.receive()
    lantern.register()
    lantern.show()
    lantern.control("DELETE", "webhooks/endpoints/ep_1")

    answer = lantern.control("POST", f"webhooks/deliveries/{delivery}/redeliver", {})

    assert answer.status == status
