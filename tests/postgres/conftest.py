"""The PostgreSQL server of this folder's tests: one for the run, one database for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from time import monotonic

import pytest
from flask import Flask

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import Mode
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from tests.postgres.server import NoPostgresError, PostgresServer

MakeReplica = Callable[..., Flask]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server. Where none can be started, the tests are skipped, but fail in CI."""
    try:
        server = PostgresServer()
    except NoPostgresError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgres: PostgresServer, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; an indirect parameter is its encoding."""
    return postgres.new_database(getattr(request, "param", "UTF8"))


@pytest.fixture
def make_replica(database: str) -> Iterator[MakeReplica]:
    """Makes mocks that keep their worlds in *database*."""
    made: list[Flask] = []

    def make(mode: Mode = Mode.MANUAL, *, is_server: bool = False) -> Flask:
        keeper = PostgresKeeper(database, seconds=monotonic)
        plan = Plan(mode=mode, now_ms=1_800_000_000_000)
        made.append(create_app(keeper=keeper, plan=plan, is_server=is_server))
        return made[-1]

    yield make
    for app in made:
        app.extensions["screentest"].store.close()
