"""One causal clock per world: jobs, windows, addresses and retries move together, or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import time_machine
from freezegun import freeze_time
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import parse_rfc3339
from screentest.specs.json_types import Json
from tests.mock_client import (
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    START,
    Account,
    MockWorld,
    make_world,
)
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc
from tests.yardstick import slowness

_RETRIES_MS = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS]
_MEASURED_TRIES = 5
#: Of the processor's time, the best of the tries: a machine that is busy makes none of them faster.
_STORY_S_MAX = 0.1


class Broken:
    """A receiver that never takes anything."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.calls += 1
        start("503 Service Unavailable", [("Content-Length", "0")])
        return [b""]


def _ninth_hour(wsgi: WsgiClient, receiver: str) -> Json:
    """Everything that a day can bring, on one clock; what was seen, by name."""
    world = make_world(wsgi)
    control, seen = world.control, dict[str, Json]()
    # A window of a minute: ten go, the eleventh waits for it to slide.
    renders = world.account("ugc_copilot", credits=100_000, tier="business")
    seen["window"] = [ugc.try_start(renders).status for _ in range(11)][-2:]
    world.advance(MINUTE_MS)
    seen["window slid"] = ugc.try_start(renders).status

    # A job ends; its delivery is retried for nine hours.
    detail = world.account("ugc_copilot")
    hook = {"provider": "ugc_copilot", "account": detail.id, "url": f"wsgi:{receiver}"}
    assert control.post(f"{world.path}/webhooks/endpoints", json=hook).status == 201
    job = ugc.start(detail).replace("/", "_")
    world.advance(10 * HOUR_MS)
    seen["job"] = control.get(f"{world.path}/jobs/{job}").json()["state"]
    (delivery,) = control.get(f"{world.path}/webhooks/deliveries").json()["items"]
    tries = [datetime.fromisoformat(it["at"]) for it in delivery["attempts"]]
    seen["retries"] = [
        round((later - earlier).total_seconds() * 1_000) for earlier, later in pairwise(tries)
    ]
    seen["delivery"] = delivery["state"]

    # An address of an hour, one of a day.
    studio = world.account("ozor")
    made = ozor_steps.generate(studio)
    world.advance_until_idle()
    ozor_steps.export(studio, made["videoId"])
    world.advance_until_idle()
    long = ozor_steps.video(studio, made["videoId"])["downloadUrl"]
    short = oshara.finished(world.account("oshara"))["processed_video_url"]
    statuses: dict[str, list[int]] = {"short": [], "long": []}
    for wait_ms in (0, HOUR_MS, 23 * HOUR_MS):
        world.advance(wait_ms)
        statuses["short"].append(studio.client.follow(short, headers={"Range": "bytes=0-9"}).status)
        statuses["long"].append(studio.client.follow(long, headers={"Range": "bytes=0-9"}).status)
    return {**seen, **statuses}


def test_a_day_of_everything_passes_on_one_clock_in_a_blink() -> None:
    app = create_app()
    app.extensions["screentest.receivers"]["broken"] = Broken()
    wsgi = WsgiClient(app)
    _ninth_hour(wsgi, "broken")  # contracts are compiled and files read on first use
    durations_s: list[float] = []
    seen: Json = None

    for _ in range(_MEASURED_TRIES):
        started = time.process_time()
        seen = _ninth_hour(wsgi, "broken")
        durations_s.append(time.process_time() - started)

    assert seen == {
        "window": [200, 429],
        "window slid": 200,
        "job": "succeeded",
        "retries": _RETRIES_MS,
        "delivery": "exhausted",
        "short": [206, 403, 403],
        "long": [206, 206, 403],
    }
    assert min(durations_s) < _STORY_S_MAX * slowness(), durations_s


def _freezegun() -> AbstractContextManager[Any]:
    return freeze_time("2031-05-05T05:05:05Z")


def _time_machine() -> AbstractContextManager[Any]:
    return time_machine.travel(datetime(2031, 5, 5, 5, 5, 5, tzinfo=UTC), tick=False)


def _story(clock: Json) -> bytes:
    """A short life in a mock of its own, whose machine's clock ticks: the bytes of its journal."""
    ticks_ms = count(1_767_225_600_000, 250)
    app = create_app(clock=lambda: next(ticks_ms))
    app.extensions["screentest.receivers"]["broken"] = Broken()
    world = make_world(WsgiClient(app), clock=clock)
    account, caller = world.account("ozor"), world.account("ugc_copilot")
    hook = {"provider": "ugc_copilot", "account": caller.id, "url": "wsgi:broken"}
    assert world.control.post(f"{world.path}/webhooks/endpoints", json=hook).status == 201
    submitted = ozor_steps.generate(account)
    ugc.start(caller)
    for _ in range(3):
        ozor_steps.job(account, submitted)
    world.advance(10 * HOUR_MS)
    exported = ozor_steps.export(account, submitted["videoId"])
    world.advance_until_idle()
    account.client.get("/api/v1/vidoes")
    deliveries = world.control.get(f"{world.path}/webhooks/deliveries").json()["items"]
    detail = [(it["state"], [attempt["at"] for attempt in it["attempts"]]) for it in deliveries]
    journal = world.control.get(f"{world.path}/requests").content
    return journal + json.dumps([detail, exported, account.ledger()]).encode()


@pytest.mark.parametrize("frozen", [_freezegun, _time_machine])
@pytest.mark.parametrize(
    "clock",
    [
        {"mode": "manual", "now": "2026-01-01T00:00:00Z"},
        {"mode": "auto", "now": "2026-01-01T00:00:00Z"},
        {"mode": "real", "now": "2026-01-01T00:00:00Z", "speed": 20},
        {"mode": "real"},
    ],
    ids=lambda it: f"{it['mode']} {it.get('now', 'by the machine')}",
)
def test_frozen_time_changes_nothing_of_a_world_that_has_its_own(
    clock: Json, frozen: Callable[[], AbstractContextManager[Any]]
) -> None:
    free = _story(clock)

    with frozen():
        detail = _story(clock)

    assert detail == free
    assert b"2031" not in detail


def test_real_clock_runs_on_while_the_test_has_frozen_its_own(wsgi: WsgiClient) -> None:
    with freeze_time("2031-05-05T05:05:05Z"):
        world = make_world(wsgi, clock={"mode": "real", "speed": 1_000_000})
        first = world.control.get(f"{world.path}/clock").json()["now"]
        later = [world.control.get(f"{world.path}/clock").json()["now"] for _ in range(20)][-1]

    assert not first.startswith("2031")
    assert later > first


def test_system_clock_follows_freezegun(wsgi: WsgiClient) -> None:
    with freeze_time("2026-03-01T00:00:00Z") as frozen:
        account = make_world(wsgi, clock={"mode": "system"}).account("ozor")
        submitted = ozor_steps.generate(account)
        before = ozor_steps.job(account, submitted)["status"]
        frozen.tick(600)
        after = ozor_steps.job(account, submitted)["status"]
        now = account.world.control.get(f"{account.world.path}/clock").json()["now"]

    assert (before, after, now) == ("queued", "completed", "2026-03-01T00:10:00Z")


def test_system_clock_follows_time_machine(wsgi: WsgiClient) -> None:
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as traveller:
        account = make_world(wsgi, clock={"mode": "system"}).account("ozor")
        submitted = ozor_steps.generate(account)
        traveller.shift(600)
        after = ozor_steps.job(account, submitted)["status"]

    assert after == "completed"


@pytest.mark.parametrize("tool", ["freezegun", "time_machine"])
def test_system_clock_takes_no_notice_of_steps_back(wsgi: WsgiClient, tool: str) -> None:
    """What has happened stays; the world waits until its time comes again."""
    if tool == "freezegun":
        with freeze_time("2026-03-01T00:00:00Z") as frozen:
            shown = _back_and_forth(wsgi, frozen.move_to)
    else:
        with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as traveller:
            shown = _back_and_forth(wsgi, traveller.move_to)

    assert shown == ["completed", "2026-03-01T00:10:00Z", "completed", "2026-03-01T00:10:00Z"]


def _back_and_forth(wsgi: WsgiClient, move_to: Callable[[datetime], None]) -> list[str]:
    account = make_world(wsgi, clock={"mode": "system"}).account("ozor")
    submitted = ozor_steps.generate(account)
    shown: list[str] = []
    for minute in (10, 5):
        move_to(datetime(2026, 3, 1, 0, minute, tzinfo=UTC))
        shown.append(ozor_steps.job(account, submitted)["status"])
        clock = account.world.control.get(f"{account.world.path}/clock").json()
        shown.append(clock["now"])
    return shown


def test_system_clock_is_not_advanced_by_a_call(wsgi: WsgiClient) -> None:
    world = make_world(wsgi, clock={"mode": "system"})

    answer = world.control.post(f"{world.path}/clock/advance", json={"by_ms": 1})

    assert (answer.status, answer.json()["code"]) == (409, "follows_system")


def test_auto_clock_jumps_to_the_next_step_with_each_poll(wsgi: WsgiClient) -> None:
    account = make_world(wsgi, clock={"mode": "auto", "now": "2026-01-01T00:00:00Z"}).account(
        "ozor"
    )
    submitted = ozor_steps.generate(account)

    states = [ozor_steps.job(account, submitted)["status"] for _ in range(4)]

    assert states[-1] == "completed"


def test_advance_in_two_parts_is_one_advance(wsgi: WsgiClient) -> None:
    def fired(*parts_ms: int) -> list[Json]:
        world = make_world(wsgi)
        ozor_steps.generate(world.account("ozor"))
        return [event for part_ms in parts_ms for event in world.advance(part_ms)]

    assert fired(7 * SECOND_MS, 593 * SECOND_MS) == fired(600 * SECOND_MS)


def test_next_and_idle_stop_where_they_say(ozor: Account) -> None:
    ozor_steps.generate(ozor)
    due = ozor.world.control.get(f"{ozor.world.path}/clock").json()["next"]

    (first,) = ozor.world.advance_to_next()
    rest = ozor.world.advance_until_idle()
    clock = ozor.world.control.get(f"{ozor.world.path}/clock").json()

    assert first == due
    assert rest[-1]["type"] == "job.completed"
    assert (clock["next"], clock["pending"], ozor.world.advance_to_next()) == (None, 0, [])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"by_ms": 400 * 24 * HOUR_MS + 1}, "at most 34560000000"),
        ({"by_ms": -1}, "at least 0"),
        ({"to": "2025-12-31T23:59:59Z"}, "a clock moves forward only"),
        ({"to": "2027-03-01T00:00:00Z"}, "at most 400 days"),
        ({"to": "tomorrow"}, "an instant from 1970 to 2999 such as 2026-01-01T00:00:00Z"),
        ({"until": "noon"}, "one of 'next', 'idle'"),
        ({}, "expected at least 1 field, got 0"),
        ({"by_ms": 1, "to": "2026-01-02T00:00:00Z"}, "expected at most 1 field, got 2"),
        ({"until": "next", "to": "2026-01-02T00:00:00Z"}, "expected at most 1 field, got 2"),
        ({"by_ms": 1, "until": "idle"}, "'next'"),
    ],
)
def test_clock_refuses_to_go_elsewhere(world: MockWorld, body: Json, detail: str) -> None:
    answer = world.control.post(f"{world.path}/clock/advance", json=body)

    assert answer.status == 422
    assert detail in answer.json()["detail"]


def test_clock_keeps_its_instant_when_its_mode_changes(world: MockWorld) -> None:
    world.advance(HOUR_MS)

    clocks = [world.change("clock", {"mode": mode})["now"] for mode in ("auto", "manual")]

    assert clocks == ["2026-01-01T01:00:00Z"] * 2


@pytest.mark.parametrize("body", [{"by_ms": 0}, {"until": "next"}, {"until": "idle"}])
def test_clock_that_passes_what_is_next_while_it_is_asked_goes_on_from_there(body: Json) -> None:
    """At a million times real time, an hour is gone between two looks at the clock."""
    ticks_ms = count(1_767_225_600_000, 4)
    wsgi = WsgiClient(create_app(clock=lambda: next(ticks_ms)))
    world = make_world(wsgi, clock={"mode": "real", "speed": 1_000_000})
    ozor_steps.generate(world.account("ozor"))

    answer = world.control.post(f"{world.path}/clock/advance", json=body)

    assert answer.status == 200, answer.text


def test_poll_that_moves_the_clock_is_journaled_at_the_time_it_moved_to() -> None:
    world = make_world(WsgiClient(create_app()), clock={"mode": "auto", "now": START})
    account = world.account("ozor")
    made = ozor_steps.generate(account)

    account.client.get(f"/api/v1/videos/{made['videoId']}/jobs/{made['jobId']}")

    now = world.control.get(f"{world.path}/clock").json()["now"]
    assert now != START
    assert world.requests()[-1]["at"] == now


def test_mode_can_name_the_speed_as_the_command_line_does(wsgi: WsgiClient) -> None:
    control = make_world(wsgi).control

    made = control.post("/worlds", json={"clock": {"mode": "real:60"}}).json()
    changed = control.patch(f"/worlds/{made['id']}/clock", json={"mode": "real:2.5"}).json()

    assert (made["clock"]["mode"], made["clock"]["speed"]) == ("real", 60)
    assert (changed["mode"], changed["speed"]) == ("real", 2.5)


@pytest.mark.parametrize(
    ("clock", "says"),
    [
        ({"mode": "real:60", "speed": 2}, "names the speed"),
        ({"mode": "real:"}, "write real:20"),
        ({"mode": "manual:3"}, "or real:SPEED"),
        ({"mode": "real:0"}, "must be above 0"),
    ],
)
def test_mode_with_a_wrong_speed_is_refused(wsgi: WsgiClient, clock: Json, says: str) -> None:
    refused = make_world(wsgi).control.post("/worlds", json={"clock": clock})

    assert refused.status == 422
    assert says in refused.json()["detail"]


def test_advance_to_the_next_event_can_be_bounded(wsgi: WsgiClient) -> None:
    account = make_world(wsgi).account("ozor")
    control, path = account.world.control, f"{account.world.path}/clock/advance"
    ozor_steps.generate(account)
    due_ms = parse_rfc3339(control.get(f"{account.world.path}/clock").json()["next"]["at"])
    begun_ms = parse_rfc3339(START)

    before = control.post(path, json={"until": "next", "by_ms": 1}).json()
    reached = control.post(path, json={"until": "next", "by_ms": 3_600_000}).json()
    control.post(path, json={"until": "idle"})
    idle = control.post(path, json={"until": "next", "by_ms": 5_000}).json()

    assert (parse_rfc3339(before["now"]), before["fired"]) == (begun_ms + 1, [])
    assert parse_rfc3339(reached["now"]) == due_ms
    assert [it["type"] for it in reached["fired"]] == ["job.running"]
    assert idle["fired"] == []
