"""Worlds of a file: each is loaded when it is first used, and the keeper is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.kernel.rows import Key
from screentest.mock_server.store.keeper import ChangeSet, KeeperError, MemoryKeeper, Operation
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.mock_server.store.store import Store
from screentest.mock_server.store.surroundings import NotKeptError
from tests.store.plain_lists import begin

_KEY = Key("d" * 64, "acct_1", "ozor", "k1", "key", "first", "sk", True, 0, 1)


def _file_of_two_worlds(path: Path) -> None:
    store = Store(SqliteKeeper(path))
    for name in ("a", "b"):
        begin(store.add(name))
    with store.worlds()[1].transaction() as rows:
        rows.keys.put(_KEY)
    store.close()


def test_a_world_is_loaded_with_its_first_transaction(tmp_path: Path) -> None:
    _file_of_two_worlds(tmp_path / "mock.db")
    store = Store(SqliteKeeper(tmp_path / "mock.db"))
    first, second = store.worlds()
    assert (first.is_loaded, second.is_loaded, first.world.id) == (False, False, "a")

    with first.transaction():
        accounts = [it.id for it in first.accounts.of_world()]

    assert accounts == ["acct_1", "acct_2"]
    assert (first.is_loaded, second.is_loaded) == (True, False)
    store.close()


def test_a_key_is_found_in_a_world_that_is_not_loaded(tmp_path: Path) -> None:
    _file_of_two_worlds(tmp_path / "mock.db")
    store = Store(SqliteKeeper(tmp_path / "mock.db"))

    assert store.holder(_KEY.digest) == ("b", _KEY)
    assert store.holder("0" * 64) is None
    assert not any(it.is_loaded for it in store.worlds())
    store.close()


def test_what_prepares_a_loaded_world_is_kept_and_runs_once(tmp_path: Path) -> None:
    _file_of_two_worlds(tmp_path / "mock.db")
    for expected in (1, 2):
        store = Store(SqliteKeeper(tmp_path / "mock.db"))
        store.on_load(lambda rows: rows.count("loaded"))
        rows = store.worlds()[0]
        for _ in range(2):
            with rows.transaction():
                assert rows.counters.rows["loaded"].value == expected
        store.close()


def test_a_world_that_cannot_be_prepared_is_loaded_again(tmp_path: Path) -> None:
    _file_of_two_worlds(tmp_path / "mock.db")
    store = Store(SqliteKeeper(tmp_path / "mock.db"))
    rows, reasons = store.worlds()[0], [RuntimeError("out of luck")]

    def prepare(_: object) -> None:
        if reasons:
            raise reasons.pop()

    store.on_load(prepare)
    with pytest.raises(RuntimeError, match="out of luck"), rows.transaction():
        pass
    assert not rows.is_loaded

    with rows.transaction():
        assert len(rows.accounts.of_world()) == 2
    store.close()


class _Away(MemoryKeeper):
    """A keeper that is never there."""

    def commit(self, change_set: ChangeSet) -> None:
        raise KeeperError("away")

    def ready(self) -> None:
        raise KeeperError("away")


def test_the_operations_of_a_keeper_are_counted_and_timed() -> None:
    ticks = iter(range(100))
    store, heard = Store(_Away(), seconds=lambda: next(ticks)), list[tuple[str, float, bool]]()
    store.stats.listen(lambda *operation: heard.append(operation))

    with pytest.raises(NotKeptError, match="away"):
        begin(store.add("w"))
    with pytest.raises(NotKeptError, match="away"):
        store.ready()

    assert store.stats.operations == {"commit": Operation(1, 1, 1.0)}
    assert heard == [("commit", 1.0, False)]


def test_a_file_is_ready_until_it_is_gone(tmp_path: Path) -> None:
    store = Store(SqliteKeeper(tmp_path / "mock.db"))
    store.ready()

    (tmp_path / "mock.db").unlink()

    with pytest.raises(NotKeptError, match="deleted or replaced"):
        store.ready()
