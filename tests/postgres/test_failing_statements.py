"""Each statement of a history fails once, one after the other: the call has happened or it has not.

A call that could not be kept is answered 503, and made again it ends like one that never failed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest
from flask import Flask
from werkzeug.test import Client

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import Mode
from screentest.mock_server.store.keeper import Keeper
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.specs.json_types import Json
from tests.postgres.server import PostgresServer
from tests.postgres.sums import check_sums

pytestmark = pytest.mark.postgres

_CONTROL = "/_screentest/worlds/default"
_PLAN = Plan(mode=Mode.MANUAL, now_ms=1_800_000_000_000)


class Trouble:
    """Counts statements, and lets one of them fail."""

    def __init__(self) -> None:
        self.count = 0
        self.at = -1

    def strikes(self) -> bool:
        """Whether the statement that comes now fails."""
        self.count += 1
        return self.count == self.at


class FailingFile(SqliteKeeper):
    """A file on a disk that fails once."""

    def __init__(self, path: Path, trouble: Trouble) -> None:
        super().__init__(path)
        self._connection: Any = _FailingConnection(self._connection, trouble)


class _FailingConnection:
    def __init__(self, connection: sqlite3.Connection, trouble: Trouble) -> None:
        self._connection = connection
        self._trouble = trouble

    def execute(self, statement: str, *values: Any) -> Any:
        # A rollback is what remains after a failure.
        if statement != "ROLLBACK" and self._trouble.strikes():
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)

    def executemany(self, statement: str, values: Any) -> Any:
        if self._trouble.strikes():
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.executemany(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _CutConnection(psycopg.Connection[Any]):
    """A connection that breaks once: before a message reaches the server, or after it did."""

    trouble = Trouble()
    is_late = False

    def wait(self, *arguments: Any, **options: Any) -> Any:
        strikes = self.trouble.strikes()
        if strikes and not self.is_late:
            self.close()
            raise psycopg.OperationalError("the connection was cut")
        answer = super().wait(*arguments, **options)
        if strikes:
            self.close()
            raise psycopg.OperationalError("the answer was lost")
        return answer


def _cut_keeper(url: str, trouble: Trouble, *, is_late: bool) -> PostgresKeeper:
    connections = type("Cut", (_CutConnection,), {"trouble": trouble, "is_late": is_late})
    keeper = type("CutKeeper", (PostgresKeeper,), {"connection_class": connections})
    opened: PostgresKeeper = keeper(url, seconds=monotonic)
    return opened


class _History:
    """The calls of a history, each made until it is kept."""

    def __init__(self, app: Flask) -> None:
        self.worlds: Worlds = app.extensions["screentest"]
        self.http = Client(app)
        env = self.http.get(_CONTROL).get_json()["env"]
        self.headers = {"X-API-Key": env["OZOR_API_KEY"]}
        self.refused = 0

    def call(self, method: str, path: str, body: Json = None, headers: Any = None) -> Json:
        """The answer to a call, which is repeated once if it could not be kept."""
        answer = self.http.open(path, method=method, json=body, headers=headers)
        check_sums(self.worlds.get("default").rows)
        if answer.status_code == 503:
            assert answer.get_json()["code"] == "not_kept"
            assert answer.headers["Retry-After"] == "1"
            self.refused += 1
            answer = self.http.open(path, method=method, json=body, headers=headers)
            check_sums(self.worlds.get("default").rows)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    def play(self) -> Json:
        """What the world has in the end: money, jobs and events."""
        for prompt in ("A lamp", "[[screentest:fail]]"):
            path = "/ozor/api/v1/videos/generate"
            self.call("POST", path, {"prompt": prompt}, self.headers)
        self.call("POST", f"{_CONTROL}/clock/advance", {"until": "next"})
        self.call("GET", "/ozor/api/v1/videos", headers=self.headers)
        self.call("POST", f"{_CONTROL}/accounts", {"provider": "znapai"})
        self.call("POST", f"{_CONTROL}/clock/advance", {"until": "idle"})
        self.call("POST", f"{_CONTROL}/snapshots", {"name": "here"})
        paths = ("accounts/acct_1/ledger", "jobs", "events")
        return [_without_requests(self.call("GET", f"{_CONTROL}/{path}")) for path in paths]


def _without_requests(value: Json) -> Json:
    """*value* without the numbers of requests: one that failed has taken a number."""
    if isinstance(value, dict):
        return {name: _without_requests(it) for name, it in value.items() if name != "request"}
    return [_without_requests(it) for it in value] if isinstance(value, list) else value


def _fail_each(open_keeper: Callable[[int, Trouble], Keeper], *, is_noticed: bool = True) -> None:
    """Play the history once for each of its statements, which fails."""
    expected, statements, number = None, 1, 0
    answers: list[int] = []
    while number <= statements:
        trouble = Trouble()
        app = create_app(keeper=open_keeper(number, trouble), plan=_PLAN, clock=lambda: 0)
        history = _History(app)
        trouble.count, trouble.at = 0, number
        found = history.play()
        if number == 0:
            expected, statements = found, trouble.count
        assert found == expected, f"statement {number} of {statements} failed"
        answers.append(history.refused)
        trouble.at = -1
        history.worlds.store.close()
        number += 1

    assert statements > 30
    assert answers[0] == 0
    assert not is_noticed or sum(answers) > 5, "no failure was noticed"


def test_each_statement_and_commit_of_a_file_fails_once(tmp_path: Path) -> None:
    _fail_each(lambda number, trouble: FailingFile(tmp_path / f"{number}.db", trouble))


@pytest.mark.parametrize("is_late", [False, True], ids=["before it arrives", "after it arrived"])
def test_the_connection_to_the_database_breaks_at_each_message(
    postgres: PostgresServer, *, is_late: bool
) -> None:
    """A commit whose answer was lost has happened once: the keeper asks for its outcome."""
    _fail_each(
        lambda _, trouble: _cut_keeper(postgres.new_database(), trouble, is_late=is_late),
        is_noticed=False,
    )
