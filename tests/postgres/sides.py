"""One mock in several forms: over memory, a file or a database, as one process or as three."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

from flask import Flask
from werkzeug.test import Client

from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.app import create_app
from screentest.mock_server.store.keeper import Keeper, WallClock
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from tests.histories import Wall


class TestTimeKeeper(PostgresKeeper):
    """A keeper whose time is the test's, and not the database's."""

    __test__ = False

    def clock(self, wall_ms: WallClock) -> WallClock:
        return wall_ms


class Side:
    """A mock of *replicas* processes that take turns, each call to the next one."""

    def __init__(self, name: str, open_keeper: Callable[[], Keeper] | None, replicas: int) -> None:
        """*open_keeper* None is memory, which a restart would empty."""
        self.name = name
        self.wall = Wall()
        self._open_keeper = open_keeper
        self._apps = [self._open() for _ in range(replicas)]
        self._turn = 0
        self.client = Client(self._call)

    def _open(self) -> Flask:
        keeper = self._open_keeper() if self._open_keeper is not None else None
        return create_app(keeper=keeper, clock=self.wall)

    def _call(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self._turn += 1
        return self._apps[self._turn % len(self._apps)](environ, start)

    @property
    def worlds(self) -> Worlds:
        """The worlds of the process whose turn it was."""
        found: Worlds = self._apps[self._turn % len(self._apps)].extensions["screentest"]
        return found

    def restart(self) -> None:
        """End one of the processes, and begin another in its place."""
        if self._open_keeper is not None:
            index = self._turn % len(self._apps)
            self._apps[index].extensions["screentest"].store.close()
            self._apps[index] = self._open()

    def close(self) -> None:
        """End all processes."""
        for app in self._apps:
            app.extensions["screentest"].store.close()


def memory() -> Side:
    """The mock as most tests use it."""
    return Side("memory", None, 1)


def sqlite(path: Path) -> Side:
    """A mock over the file at *path*."""
    return Side("sqlite", lambda: SqliteKeeper(path), 1)


def over_postgres(url: str, replicas: int) -> Side:
    """A mock of *replicas* processes over the database at *url*."""
    return Side(f"postgres {replicas}", lambda: TestTimeKeeper(url, seconds=monotonic), replicas)
