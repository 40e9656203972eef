"""Webhooks as a receiver and the control API see them, inside this process."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

from ..lantern.lantern import FILM_MS, Lantern, Received, Receiver, contract, make_lantern
from ..mock_client import HOUR_MS, MINUTE_MS, MockWorld, make_world


@pytest.fixture
def lantern() -> Lantern:
    return make_lantern()


# --- What arrives ---------------------------------------------------------------------------------


def test_shown_film_is_delivered(lantern: Lantern) -> None:
    hook = lantern.receive()
    secret = lantern.register()["secret"]

    film = lantern.show()

    (got,) = hook.received
    assert got.event == {
        "id": got.headers["lantern-id"],
        "type": "film.shown",
        "created": 1_767_225_610,
        "film": film,
        "line": "a fox crosses the snow",
        "data": {"at": "2026-01-01T00:00:10Z"},
    }
    assert got.is_signed_with(secret)
    assert got.headers["content-type"] == "application/json"
    assert (got.headers["lantern-type"], got.headers["lantern-attempt"]) == ("film.shown", "1")


def test_torn_film_is_delivered_with_the_reason(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()

    lantern.start("[[screentest:fail=moths]]")
    lantern.world.advance(FILM_MS)

    (got,) = hook.received
    assert (got.event["type"], got.event["data"]) == ("film.torn", {"why": "moths"})


def test_signature_time_is_the_wall_clocks_and_payload_time_the_worlds(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    before = int(time.time())

    lantern.show()

    (got,) = hook.received
    assert before <= int(got.headers["lantern-time"]) <= int(time.time())
    assert datetime.fromtimestamp(got.event["created"], UTC).year == 2026


def test_receiver_that_asks_at_once_finds_the_film_shown(lantern: Lantern) -> None:
    hook, seen = lantern.receive(), list[tuple[str, str]]()
    lantern.register()

    def ask(got: Received) -> None:
        detail = lantern.client.get(f"/films/{got.event['film']}").json()
        clock = lantern.control("GET", "clock").json()
        seen.append((detail["state"], clock["now"]))

    hook.react = ask

    lantern.show()

    assert seen == [("shown", "2026-01-01T00:00:10Z")]


def test_endpoint_hears_only_what_it_asked_for(lantern: Lantern) -> None:
    torn, everything = lantern.receive(name="torn"), lantern.receive(name="all")
    lantern.register("wsgi:torn", "film.torn")
    lantern.register("wsgi:all")

    lantern.show()

    assert (len(torn.received), len(everything.received)) == (0, 1)


def test_no_endpoint_hears_of_another_accounts_films(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    stranger = lantern.world.account("lantern", credits=100)

    stranger.client.post("/films", json={"line": "not yours"})
    lantern.world.advance(FILM_MS)

    assert hook.received == []


# --- Retries --------------------------------------------------------------------------------------


def test_nine_hours_of_retries_run_in_under_a_second(lantern: Lantern) -> None:
    hook = lantern.receive(500, 500, 500, 500, 500)
    lantern.register()
    lantern.start()
    began = time.perf_counter()

    fired = lantern.world.advance(9 * HOUR_MS)

    assert time.perf_counter() - began < 1
    assert [(it["at"], it["type"]) for it in fired if it["type"].startswith("webhook")] == [
        ("2026-01-01T00:00:10Z", "webhook.failed"),
        ("2026-01-01T00:01:10Z", "webhook.failed"),
        ("2026-01-01T00:06:10Z", "webhook.failed"),
        ("2026-01-01T00:36:10Z", "webhook.failed"),
        ("2026-01-01T02:36:10Z", "webhook.failed"),
        ("2026-01-01T08:36:10Z", "webhook.delivered"),
    ]
    assert len({got.body for got in hook.received}) == 1
    assert len({got.headers["lantern-id"] for got in hook.received}) == 1
    assert [got.headers["lantern-attempt"] for got in hook.received] == list("123456")
    assert [it["state"] for it in lantern.deliveries()] == ["delivered"]


@pytest.mark.parametrize("status", [302, 500])
def test_sixth_failure_is_the_last(lantern: Lantern, status: int) -> None:
    """A redirect is a failure too, and is not followed."""
    hook = lantern.receive(*[status] * 9)
    lantern.register()
    lantern.start()

    lantern.world.advance(48 * HOUR_MS)

    assert len(hook.received) == 6
    assert [it["state"] for it in lantern.deliveries()] == ["exhausted"]


@pytest.mark.parametrize("step_ms", [30_000, 7 * MINUTE_MS, HOUR_MS])
def test_many_small_moves_do_what_one_long_one_does(step_ms: int) -> None:
    def story(step_ms: int) -> tuple[list[Json], list[bytes]]:
        lantern = make_lantern()
        hook = lantern.receive(500, 500, 500, 500, 500)
        lantern.register()
        lantern.start()
        lantern.start()
        fired: list[Json] = []
        for _ in range(9 * HOUR_MS // step_ms + 1):
            fired += lantern.world.advance(step_ms)
        return fired, [got.body for got in hook.received]

    assert story(step_ms) == story(10 * HOUR_MS)


def test_nothing_is_sent_while_the_clock_does_not_move(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    film = lantern.start()

    for _ in range(20):
        lantern.client.get(f"/films/{film}")

    assert hook.received == []


def test_until_idle_waits_for_the_last_retry(lantern: Lantern) -> None:
    lantern.receive(*[500] * 6)
    lantern.register()
    lantern.start()

    lantern.world.advance_until_idle()

    clock = lantern.control("GET", "clock").json()
    assert (clock["now"], clock["pending"]) == ("2026-01-01T08:36:10Z", 0)


def test_until_next_goes_to_the_next_attempt(lantern: Lantern) -> None:
    lantern.receive(500)
    lantern.register()
    lantern.show()

    due = lantern.control("GET", "clock").json()["next"]
    fired = lantern.world.advance_to_next()

    assert due == {"at": "2026-01-01T00:01:10Z", "type": "webhook.attempt", "subject": "dlv_1"}
    assert [(it["at"], it["type"]) for it in fired] == [
        ("2026-01-01T00:01:10Z", "webhook.delivered")
    ]


def test_receiver_that_crashes_is_asked_again(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()

    def crash(_: Received) -> None:
        if len(hook.received) == 1:
            raise RuntimeError("out of lamp oil")

    hook.react = crash

    lantern.show()
    lantern.world.advance(MINUTE_MS)

    (delivery,) = lantern.deliveries()
    first, second = delivery["attempts"]
    assert (first["status"], first["error"]) == (None, "RuntimeError: out of lamp oil")
    assert (second["status"], delivery["state"]) == (200, "delivered")


# --- Faults ---------------------------------------------------------------------------------------


def test_dropped_event_never_arrives_and_the_next_does(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    lantern.fault("webhook_drop")

    lantern.show()
    second = lantern.show()

    assert [got.event["film"] for got in hook.received] == [second]
    assert [it["state"] for it in lantern.deliveries()] == ["dropped", "delivered"]


def test_doubled_event_arrives_three_times_with_one_id(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    lantern.fault("webhook_duplicate", attributes={"copies": 3})

    lantern.show()
    lantern.show()

    ids = [got.headers["lantern-id"] for got in hook.received]
    assert len(ids) == 4
    assert ids.count(ids[0]) == 3


def test_reordered_event_is_overtaken(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    lantern.fault("webhook_reorder", attributes={"delay_ms": 5_000})

    first = lantern.start()
    lantern.world.advance(1_000)
    second = lantern.start()
    lantern.world.advance(FILM_MS)

    assert [got.event["film"] for got in hook.received] == [second, first]


def test_reordered_event_waits_for_the_next_however_late_that_comes(lantern: Lantern) -> None:
    """It used to leave five seconds later, and jobs seldom end so close to each other."""
    hook = lantern.receive()
    lantern.register()
    lantern.fault("webhook_reorder")

    first = lantern.start()
    lantern.world.advance(109_000)
    second = lantern.start()
    lantern.world.advance(FILM_MS)

    assert [got.event["film"] for got in hook.received] == [second, first]


def test_reordered_event_that_nothing_follows_is_sent_all_the_same(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    lantern.fault("webhook_reorder", attributes={"delay_ms": 30_000})

    lantern.start()
    lantern.world.advance(39_999)  # the film takes 10 seconds
    early = len(hook.received)
    lantern.world.advance(1)

    assert (early, len(hook.received)) == (0, 1)


def test_forged_attempt_is_followed_by_an_honest_one(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    secret = lantern.register()["secret"]
    lantern.fault("webhook_bad_signature", where={"operation": "createFilm"})

    lantern.show()
    lantern.world.advance(MINUTE_MS)

    assert [got.is_signed_with(secret) for got in hook.received] == [False, True]


@pytest.mark.parametrize("where", [{"event": "film.shown"}, {"endpoint": "ep_1"}])
def test_fault_may_name_an_event_or_an_endpoint(lantern: Lantern, where: Json) -> None:
    first, second = lantern.receive(name="first"), lantern.receive(name="second")
    lantern.register("wsgi:first")
    lantern.register("wsgi:second", "film.torn")
    lantern.fault("webhook_drop", where=where, times=None)

    lantern.show()
    lantern.start("[[screentest:fail]]")
    lantern.world.advance(FILM_MS)

    kinds = [[got.event["type"] for got in hook.received] for hook in (first, second)]
    assert kinds == [["film.torn"] if "event" in where else [], ["film.torn"]]


def test_fault_on_another_account_leaves_this_one_alone(lantern: Lantern) -> None:
    hook = lantern.receive()
    lantern.register()
    other = lantern.world.account("lantern").id
    lantern.fault("webhook_drop", where={"account": other}, times=None)

    lantern.show()

    assert len(hook.received) == 1


# --- Worlds and restarts --------------------------------------------------------------------------


def test_same_seed_sends_the_same_bytes() -> None:
    def bodies() -> tuple[str, list[bytes]]:
        lantern = make_lantern()
        hook = lantern.receive(500)
        secret = lantern.register()["secret"]
        lantern.start("one")
        lantern.start("[[screentest:fail]]")
        lantern.world.advance_until_idle()
        return secret, [got.body for got in hook.received]

    assert bodies() == bodies()


def test_reset_forgets_endpoints_and_what_was_pending(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    lantern.register()
    lantern.show()

    lantern.control("POST", "reset", {})
    lantern.world.advance(24 * HOUR_MS)

    assert len(hook.received) == 1
    assert lantern.deliveries() == []


def test_world_that_is_reset_by_a_receiver_is_left_alone(lantern: Lantern) -> None:
    hook = lantern.receive(500)
    lantern.register()
    hook.react = lambda _: lantern.control("POST", "reset", {})

    lantern.show()

    assert lantern.deliveries() == []


def test_attempt_that_a_crash_cut_off_is_made_again(tmp_path: Path) -> None:
    """A dispatcher that never reports acts like a process that ends while it sends."""
    path = tmp_path / "mock.db"
    first = create_app(contracts=[contract()], database=path)
    worlds = first.extensions["screentest"]
    lost: list[str] = []

    class Dying:
        def send(self, world_id: str, attempts: list[object]) -> None:
            lost.append(world_id)

        def wait(self, world_id: str) -> None:
            pass

    worlds.clocks.set_dispatcher(Dying())
    world = make_world(WsgiClient(first))
    first.extensions["screentest.receivers"]["hook"] = Receiver()
    account = world.account("lantern")
    endpoint = {"provider": "lantern", "url": "wsgi:hook", "account": account.id}
    world.control.post(f"{world.path}/webhooks/endpoints", json=endpoint)
    account.client.post("/films", json={"line": "a fox"})
    world.advance(FILM_MS)
    worlds.store.close()

    second = create_app(contracts=[contract()], database=path)
    hook = second.extensions["screentest.receivers"]["hook"] = Receiver()
    again = MockWorld(WsgiClient(second), world.id, world.control)
    again.wsgi.post(f"/_screentest/worlds/{world.id}/clock/advance", json={"by_ms": 0})
    second.extensions["screentest"].store.close()

    assert lost == [world.id]
    assert [got.event["type"] for got in hook.received] == ["film.shown"]
