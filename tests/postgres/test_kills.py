"""Processes that are killed at any moment: what was acknowledged is there, and happened once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest
from flask import Flask

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import Mode
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from tests.postgres.server import PostgresServer
from tests.postgres.victims import Victim, check_world, pause, warm_up

pytestmark = pytest.mark.postgres

_PLAN = Plan(mode=Mode.MANUAL, now_ms=1_800_000_000_000, credits={"ozor": 1_000_000})
_FEW, _MANY = 20, 200


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up(create_app(plan=_PLAN))


def _over_file(path: Path) -> Flask:
    return create_app(database=path, plan=_PLAN)


def _over_database(url: str) -> Flask:
    return create_app(keeper=PostgresKeeper(url, seconds=monotonic), plan=_PLAN)


def _check(app: Flask, acknowledged: list[str]) -> None:
    worlds = app.extensions["screentest"]
    check_world(worlds.get("default").rows, acknowledged)
    worlds.store.close()


def _kill_over_file(path: Path, count: int) -> None:
    draw, acknowledged = Random(count), list[str]()
    for seed in range(count):
        victim = Victim(lambda: _over_file(path), seed)
        victim.wait_until_busy()
        pause(draw)
        acknowledged += victim.kill()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) > count
    _check(_over_file(path), acknowledged)


def _kill_over_database(server: PostgresServer, count: int) -> None:
    """Two processes; one of them is killed, or both, or their connections, or the database."""
    url, draw, acknowledged = server.new_database(), Random(count), list[str]()
    _over_database(url).extensions["screentest"].store.close()
    victims = [Victim(lambda: _over_database(url), seed) for seed in (0, 1)]
    for seed in range(2, count + 2):
        for victim in victims:
            victim.wait_until_busy()
        pause(draw)
        match draw.randrange(5):
            case 0:
                server.break_connections()
            case 1:
                server.kill()
                server.start()
            case _:
                """The process alone."""
        index = draw.randrange(2)
        acknowledged += victims[index].kill()
        victims[index] = Victim(lambda: _over_database(url), seed)
    for victim in victims:
        victim.wait_until_busy()
        acknowledged += victim.kill()
    assert len(acknowledged) > count
    _check(_over_database(url), acknowledged)


def test_what_a_file_acknowledged_outlives_twenty_kills(tmp_path: Path) -> None:
    _kill_over_file(tmp_path / "mock.db", _FEW)


def test_what_a_database_acknowledged_outlives_twenty_kills(postgres: PostgresServer) -> None:
    _kill_over_database(postgres, _FEW)


@pytest.mark.slow
def test_what_a_file_acknowledged_outlives_two_hundred_kills(tmp_path: Path) -> None:
    _kill_over_file(tmp_path / "mock.db", _MANY)


@pytest.mark.slow
def test_what_a_database_acknowledged_outlives_two_hundred_kills(postgres: PostgresServer) -> None:
    _kill_over_database(postgres, _MANY)


@pytest.mark.slow
def test_a_database_that_is_away_for_half_a_minute_is_used_again(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    app = _over_database(url)
    http = app.test_client()
    postgres.kill()
    back = threading.Timer(30, postgres.start)
    back.start()
    statuses: list[int] = []
    while back.is_alive():
        statuses.append(http.get("/_screentest/worlds/default").status_code)
        sleep(0.5)

    back.join()

    assert set(statuses) <= {200, 503}
    assert statuses[0] == 503
    sleep(2)
    assert http.get("/_screentest/worlds/default").status_code == 200
    app.extensions["screentest"].store.close()
