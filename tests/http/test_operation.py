"""Operating a server: alive, ready, metrics, and what a stop leaves to the next server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.engine import outbox
from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.guard import Guard
from screentest.mock_server.store.keeper import KeeperError, MemoryKeeper
from screentest.specs.json_types import Json
from tests.http.receiver import receiving
from tests.mock_client import Account, Client, MockWorld, make_world
from tests.ozor import steps as ozor
from tests.ugc_copilot import steps as ugc

_TOKEN = "0123456789abcdef"


class _Away(MemoryKeeper):
    """A keeper whose database is away."""

    def ready(self) -> None:
        raise KeeperError("the database does not answer")


def _server(**options: object) -> tuple[Flask, Client]:
    app = create_app(is_server=True, **options)  # type: ignore[arg-type]  # any of them
    return app, Client(WsgiClient(app), "/_screentest")


def _samples(control: Client) -> dict[tuple[str, ...], float]:
    """Each sample of the metrics by its name and the values of its labels, by label."""
    answer = control.get("/metrics")
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (it.name, *(it.labels[label] for label in sorted(it.labels))): it.value
        for family in text_string_to_metric_families(answer.text)
        for it in family.samples
    }


def _poll_twice(wsgi: WsgiClient) -> None:
    """A creation, two polls of it, and two calls that are refused."""
    account = make_world(wsgi).account("ozor", credits=1_000)
    path = ozor.job_path(ozor.generate(account))
    for _ in range(2):
        assert account.client.get(path).status == 200
    assert account.client.post(ozor.GENERATE, json={}).status == 400
    assert account.client.get("/nowhere").status == 404


# --- Alive and ready ------------------------------------------------------------------------------


def test_a_server_is_alive_and_ready() -> None:
    _, control = _server()

    assert control.get("/health").json()["status"] == "ok"
    assert control.get("/ready").json()["status"] == "ready"


def test_a_server_whose_keeper_is_away_is_alive_and_not_ready() -> None:
    _, control = _server(keeper=_Away())

    ready = control.get("/ready")

    assert control.get("/health").status == 200
    assert (ready.status, ready.json()["code"]) == (503, "not_kept")
    assert ready.headers["retry-after"] == "1"
    assert "the database does not answer" in ready.json()["detail"]


# --- Metrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize("remembers", [True, False])
def test_metrics_count_requests_jobs_and_worlds(*, remembers: bool) -> None:
    app, control = _server(remembers=remembers)
    _poll_twice(WsgiClient(app))

    seen = _samples(control)

    requests = {key[1:]: it for key, it in seen.items() if key[0] == "screentest_requests_total"}
    assert requests == {
        ("generateVideo", "ozor", "200"): 1,
        ("generateVideo", "ozor", "400"): 1,
        ("getJob", "ozor", "200"): 2,
        ("", "ozor", "404"): 1,
    }
    polls = "screentest_request_duration_seconds_count", "getJob", "ozor"
    bucket = "screentest_request_duration_seconds_bucket", "+Inf", "getJob", "ozor"
    assert seen[polls] == seen[bucket] == 2
    assert seen["screentest_worlds",] == 2
    assert (seen["screentest_jobs",], seen["screentest_jobs_running",]) == (1, 1)
    assert seen["screentest_keeper_duration_seconds_count", "commit", "kept"] >= 2
    assert seen["screentest_streams_open",] == 0


def test_metrics_count_what_was_dropped_as_history() -> None:
    app, control = _server(keep=10)
    world = make_world(WsgiClient(app))
    account = world.account("ozor", credits=10_000)
    for _ in range(20):
        ozor.generate(account)
        world.advance_until_idle()

    seen = _samples(control)

    assert seen["screentest_dropped_resources",] >= 20
    assert seen["screentest_jobs",] + seen["screentest_dropped_resources",] >= 20


def test_metrics_count_the_attempts_of_webhooks() -> None:
    app, control = _server()
    world = make_world(WsgiClient(app))
    account = world.account("ugc_copilot", credits=1_000)
    with receiving() as receiver:
        receiver.script = [500]
        _finish_a_video(world, account, receiver.url)

        seen = _samples(control)

    assert seen["screentest_webhook_attempts_total", "refused"] == 1
    assert seen["screentest_webhook_deliveries_waiting",] == 1


def _finish_a_video(world: MockWorld, account: Account, url: str) -> None:
    body = {"provider": "ugc_copilot", "account": account.id, "url": url}
    made = world.control.post(f"{world.path}/webhooks/endpoints", json=body)
    assert made.status == 201, made.text
    ugc.start(account)
    while not any(it["type"].startswith("webhook") for it in world.advance_to_next()):
        pass


def test_metrics_need_the_token_that_probes_do_not_need() -> None:
    _, control = _server(guard=Guard(token=_TOKEN))

    statuses = [control.get(path).status for path in ("/health", "/ready", "/metrics")]

    assert statuses == [200, 200, 401]


def test_a_mock_inside_a_program_has_no_metrics() -> None:
    control = Client(WsgiClient(create_app()), "/_screentest")

    answer = control.get("/metrics")

    assert (answer.status, answer.json()["code"]) == (501, "not_a_server")


# --- What a stop leaves ---------------------------------------------------------------------------


def test_deliveries_that_were_not_sent_are_sent_once_by_the_next_server(tmp_path: Path) -> None:
    """The first server stops while two of six deliveries are being sent."""
    database = tmp_path / "worlds.db"
    is_closing = threading.Event()

    def wait(_: object) -> None:
        is_closing.wait(10.0)

    with receiving() as receiver:
        receiver.react = wait
        app, _ = _server(database=database)
        world = make_world(WsgiClient(app), clock={"mode": "real"}, pace="instant")
        account = world.account("ugc_copilot", credits=10_000, tier="business")
        body = {"provider": "ugc_copilot", "account": account.id, "url": receiver.url}
        assert world.control.post(f"{world.path}/webhooks/endpoints", json=body).status == 201
        for _ in range(6):
            ugc.start(account)
        _wait_until(lambda: _claimed(app, world) == 6)
        threading.Timer(0.2, is_closing.set).start()
        app.extensions["screentest.due_timer"].close()

        app.extensions["screentest.dispatcher"].close(5.0)
        sent_by_the_first = len(receiver.received)
        app.extensions["screentest"].store.close()

        again, _ = _server(database=database)
        received = receiver.wait_for(6)
        _wait_until(lambda: all(it["state"] == "delivered" for it in _deliveries(world, again)))

    assert 1 <= sent_by_the_first <= 4
    assert len({json.loads(it.body)["id"] for it in received}) == len(received) == 6
    numbers = [[a["number"] for a in it["attempts"]] for it in _deliveries(world, again)]
    assert numbers == [[1]] * 6


def _claimed(app: Flask, world: MockWorld) -> int:
    """Deliveries that the dispatcher has; the control API would wait until they are sent."""
    rows = app.extensions["screentest"].get(world.id).rows
    with rows.transaction():
        return sum(it.ticket is not None for it in outbox.deliveries(rows))


def _deliveries(world: MockWorld, app: Flask | None = None) -> list[Json]:
    control = world.control if app is None else Client(WsgiClient(app), "/_screentest")
    items: list[Json] = control.get(f"{world.path}/webhooks/deliveries").json()["items"]
    return items


def _wait_until(holds: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + 10.0
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.02)
