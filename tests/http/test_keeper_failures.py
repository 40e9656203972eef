"""A keeper that fails: 503 in our own words, and nothing has happened."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.store.keeper import ChangeSet, KeeperError, MemoryKeeper
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.mock_server.store.store import Store
from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer, MockWorld, make_world
from tests.ozor import steps

_GENERATE = "/api/v1/videos/generate"
_ADVANCES, _THREADS = 5, 10


class FullDisk(MemoryKeeper):
    """Lets change sets fail while *is_full*, and each of the *numbers* in any case."""

    is_lasting = True

    def __init__(self) -> None:
        self.is_full = False
        self.numbers: set[int] = set()
        self.count = 0

    def commit(self, change_set: ChangeSet) -> None:
        self.count += 1
        if self.is_full or self.count in self.numbers:
            raise KeeperError("database or disk is full")
        list(change_set.written())


class _File(SqliteKeeper):
    """A file that cannot be written while a test asks for it."""

    def turn_read_only(self, how: str) -> None:
        # A file system stays writable while its files are written to. SQLite reports this setting
        # as it reports a read-only file.
        self._connection.execute(f"PRAGMA query_only = {how}")


@pytest.fixture
def disk() -> FullDisk:
    """Where the mock of the test keeps its state."""
    return FullDisk()


@pytest.fixture
def wsgi(disk: FullDisk) -> WsgiClient:
    """A mock of its own: its keeper is made to fail."""
    return WsgiClient(create_app(keeper=disk))


def _fold(ledger: Json) -> dict[str, int]:
    total = {"available": 0, "held": 0, "spent": 0, "granted": 0}
    signs = {
        "grant": (1, 0, 0, 1),
        "withdraw": (-1, 0, 0, -1),
        "hold": (-1, 1, 0, 0),
        "release": (1, -1, 0, 0),
        "capture": (0, -1, 1, 0),
        "charge": (-1, 0, 1, 0),
        "refund": (1, 0, -1, 0),
    }
    for entry in ledger["entries"]:
        for name, sign in zip(total, signs[entry["kind"]], strict=True):
            total[name] += sign * entry["amount"]
    return total


def _create(account: Account) -> Answer:
    return account.client.post(_GENERATE, json={"prompt": "A lamp"})


def test_call_that_cannot_be_kept_is_answered_503_and_takes_nothing(
    ozor: Account, disk: FullDisk
) -> None:
    disk.count = 0
    before = ozor.ledger()
    disk.is_full = True

    refused = _create(ozor)

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "not_kept"
    assert "database or disk is full" in refused.json()["detail"]
    assert ozor.ledger() == before
    assert ozor.world.requests()[-1]["response"]["status"] == 503
    disk.is_full = False
    assert _create(ozor).status == 200


def test_control_call_that_cannot_be_kept_is_answered_503(ozor: Account, disk: FullDisk) -> None:
    disk.count = 0
    disk.is_full = True

    refused = ozor.world.control.post(f"{ozor.world.path}/clock/advance", json={"by_ms": 1_000})

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["code"] == "not_kept"
    disk.is_full = False
    moved = ozor.world.control.post(f"{ozor.world.path}/clock/advance", json={"by_ms": 1_000})
    assert moved.json()["now"] == "2026-01-01T00:00:01Z"


def test_polls_are_answered_while_nothing_can_be_kept(ozor: Account, disk: FullDisk) -> None:
    made = steps.generate(ozor)
    disk.is_full = True

    answers = {steps.job(ozor, made)["status"] for _ in range(300)}

    assert answers == {"queued"}


@pytest.mark.parametrize("number", range(1, 13))
def test_sums_are_the_fold_of_the_ledger_whichever_change_set_fails(
    ozor: Account, disk: FullDisk, number: int
) -> None:
    """Each change set of the same history fails once; what was refused is tried again."""
    disk.count = 0
    disk.numbers = {number}
    failures = 0
    for _ in range(4):
        while (answer := _create(ozor)).status == 503:
            failures += 1
        assert answer.status == 200
        path = f"{ozor.world.path}/clock/advance"
        while (moved := ozor.world.control.post(path, json={"by_ms": 30_000})).status == 503:
            failures += 1
        assert moved.status == 200
        ledger = ozor.ledger()
        sums = {name: ledger[name] for name in ("available", "held", "spent", "granted")}
        assert sums == _fold(ledger)

    assert failures == (1 if disk.count >= number else 0)
    ozor.world.advance_until_idle()
    assert ozor.ledger()["spent"] == 4


def test_advances_at_the_same_time_add_up(world: MockWorld) -> None:
    def advance() -> None:
        for _ in range(_ADVANCES):
            body = {"by_ms": 1_000}
            assert world.control.post(f"{world.path}/clock/advance", json=body).status == 200

    threads = [threading.Thread(target=advance) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    now = world.control.get(f"{world.path}/clock").json()["now"]
    assert now == "2026-01-01T00:00:50Z"


def test_a_deleted_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "mock.db"
    wsgi = WsgiClient(create_app(database=path))
    account = make_world(wsgi, clock={"mode": "manual"}).account("ozor")
    assert _create(account).status == 200

    path.unlink()

    refused = _create(account)
    assert refused.status == 503
    assert "was deleted or replaced while it was in use" in refused.json()["detail"]


def test_a_file_that_becomes_read_only_while_it_is_in_use_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mock.db"
    keeper = _File(path)
    account = make_world(WsgiClient(create_app(keeper=keeper))).account("ozor", credits=10)
    assert _create(account).status == 200
    before = account.ledger()

    keeper.turn_read_only("ON")
    refused, ready = _create(account), account.world.control.get("/ready")

    assert (refused.status, refused.headers["retry-after"], ready.status) == (503, "1", 503)
    assert "attempt to write a readonly database" in refused.json()["detail"]
    assert account.ledger() == before
    keeper.turn_read_only("OFF")
    assert _create(account).status == 200
    keeper.close()
    again = create_app(database=path).extensions["screentest"].get(account.world.id)
    assert [it.available for it in again.rows.accounts.of_world() if it.id == account.id] == [8]


def test_a_keeper_of_a_closed_file_keeps_nothing(tmp_path: Path) -> None:
    """A thread that is late when the server stops gets 503 and not an answer that is lost."""
    keeper = SqliteKeeper(tmp_path / "mock.db")
    store = Store(keeper)
    rows = store.add("w")
    keeper.close()

    with pytest.raises(KeeperError, match="closed database"):
        keeper.commit(ChangeSet(rows.id, 1, False, []))
