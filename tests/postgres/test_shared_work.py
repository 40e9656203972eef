"""Work that no call does: webhooks, streams that wait, and clocks, over two processes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import Mode
from screentest.mock_server.kernel.webhooks import Attempt
from screentest.mock_server.store.keeper import WallClock
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from tests.mock_client import MockWorld, make_world
from tests.postgres.server import PostgresServer
from tests.ugc_copilot import steps as ugc

pytestmark = pytest.mark.postgres


class Receiver:
    """Takes every webhook, and keeps its id."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.ids.append(environ["HTTP_X_UGC_EVENT_ID"])
        start("200 OK", [("Content-Length", "0")])
        return [b""]


class Killed:
    """A dispatcher of a process that is killed before it sends anything."""

    def send(self, world_id: str, attempts: Sequence[Attempt]) -> None:
        """Lose *attempts*."""

    def wait(self, world_id: str) -> None:
        """Nothing is sent."""


class SlowClock(PostgresKeeper):
    """A process that believes itself to be two minutes in the past."""

    def clock(self, wall_ms: WallClock) -> WallClock:
        now_ms = super().clock(wall_ms)
        return lambda: now_ms() - 120_000


@pytest.fixture
def apps(database: str) -> Iterator[list[Flask]]:
    """Mocks of the test over one database; it closes them."""
    opened: list[Flask] = []
    yield opened
    for app in opened:
        _worlds(app).store.close()


def _worlds(app: Flask) -> Worlds:
    found: Worlds = app.extensions["screentest"]
    return found


def _open(
    apps: list[Flask], keeper: PostgresKeeper, receiver: Receiver, *, mode: Mode = Mode.MANUAL
) -> Flask:
    app = create_app(keeper=keeper, plan=Plan(mode=mode))
    app.extensions["screentest.receivers"]["shop"] = receiver
    apps.append(app)
    return app


def _with_hook(app: Flask) -> MockWorld:
    """A world of *app* with one job whose end is a webhook."""
    world = make_world(Client(app))
    account = world.account("ugc_copilot")
    hook = {"provider": "ugc_copilot", "account": account.id, "url": "wsgi:shop"}
    assert world.control.post(f"{world.path}/webhooks/endpoints", json=hook).status == 201
    ugc.start(account)
    return world


def test_a_webhook_that_is_being_sent_is_left_to_its_process(
    apps: list[Flask], database: str
) -> None:
    receiver = Receiver()
    first, second = (
        _open(apps, PostgresKeeper(database, seconds=monotonic), receiver) for _ in range(2)
    )
    _worlds(first).clocks.set_dispatcher(Killed())
    world = _with_hook(first)
    world.advance_until_idle()

    assert _worlds(second).overdue() == []
    assert receiver.ids == []


def test_a_webhook_of_a_killed_process_is_sent_by_another_under_the_same_id(
    apps: list[Flask], database: str
) -> None:
    """The claim of the process whose clock is behind has expired for the others at once."""
    receiver = Receiver()
    killed = _open(apps, SlowClock(database, seconds=monotonic), receiver)
    other = _open(apps, PostgresKeeper(database, seconds=monotonic), receiver)
    _worlds(killed).clocks.set_dispatcher(Killed())
    world = _with_hook(killed)
    world.advance_until_idle()

    taken = _worlds(other).overdue()
    for found in taken:
        _worlds(other).catch_up(found)

    assert [it.id for it in taken] == [world.id]
    deliveries = MockWorld(Client(other), world.id, world.control).control.get(
        f"{world.path}/webhooks/deliveries"
    )
    (delivery,) = deliveries.json()["items"]
    assert receiver.ids == [delivery["event"]]
    assert delivery["state"] == "delivered"
    # It was given to this process, and to no other.
    assert _worlds(killed).overdue() == []


def test_a_listener_of_one_process_hears_what_the_other_did(
    apps: list[Flask], database: str
) -> None:
    first, second = (
        _open(apps, PostgresKeeper(database, seconds=monotonic), Receiver()) for _ in range(2)
    )
    heard = threading.Event()
    world = make_world(Client(first))
    _worlds(second).get(world.id)
    _worlds(second).clocks.listen(lambda name: heard.set() if name == world.id else None)

    world.advance(1_000)

    assert heard.wait(5)


def test_the_time_of_a_world_never_falls_whatever_process_reads_it(
    apps: list[Flask], database: str
) -> None:
    """The database's clock counts: those of the machines do not."""
    receiver = Receiver()
    first, second = (
        create_app(
            keeper=PostgresKeeper(database, seconds=monotonic),
            plan=Plan(mode=Mode.REAL),
            clock=partial(int, 1_800_000_000_000 + minutes * 60_000),
        )
        for minutes in (-5, 5)
    )
    apps += [first, second]
    seen: list[int] = []

    for _ in range(100):
        for app in (first, second):
            world = _worlds(app).get("default")
            with world.rows.transaction():
                seen.append(_worlds(app).clocks.now_ms(world))

    assert seen == sorted(seen)
    assert seen[-1] - seen[0] < 60_000
    assert receiver.ids == []


def test_parallel_effects_of_two_processes_happen_once(apps: list[Flask], database: str) -> None:
    receiver = Receiver()
    first, second = (
        _open(apps, PostgresKeeper(database, seconds=monotonic), receiver) for _ in range(2)
    )
    world = _with_hook(first)
    other = MockWorld(Client(second), world.id, make_world(Client(second)).control)
    threads = [threading.Thread(target=it.advance_until_idle) for it in (world, other)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(receiver.ids) == 1
    events = world.control.get(f"{world.path}/events").json()["items"]
    assert [it["type"] for it in events].count("job.completed") == 1


def test_a_server_of_a_database_that_is_away_says_that_it_is_not_ready(
    apps: list[Flask], postgres: PostgresServer, database: str
) -> None:
    app = _open(apps, PostgresKeeper(database, seconds=monotonic), Receiver())
    _worlds(app).store.ready()
    postgres.kill()
    try:
        with pytest.raises(Exception, match="could not be kept"):
            _worlds(app).store.ready()
    finally:
        postgres.start()
    _worlds(app).store.ready()
