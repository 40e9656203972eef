"""Tables, transactions and keepers against plain lists that are scanned."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from screentest.mock_server.store.keeper import ChangeSet, KeeperError, MemoryKeeper
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.mock_server.store.store import Store
from screentest.mock_server.store.surroundings import NotKeptError
from screentest.mock_server.store.working_set import WorkingSet

from .plain_lists import CHANGES, RARE, PlainLists, answers_of_lists, answers_of_tables, begin

_TRANSACTIONS = 60


class UndoneError(Exception):
    """Raised to undo a change."""


class Moody(MemoryKeeper):
    """Fails as often as a test asks for."""

    is_lasting = True

    def __init__(self) -> None:
        self.fails = False

    def commit(self, change_set: ChangeSet) -> None:
        if self.fails:
            raise KeeperError("no space left on device")
        list(change_set.written())


def _transact(rng: Random, lists: PlainLists, rows: WorkingSet) -> PlainLists:
    """One transaction with some attempts in it; what the lists are after it."""
    after = lists.copy()
    is_undone = rng.random() < 0.3
    with suppress(UndoneError), rows.transaction():
        for _ in range(rng.randint(0, 4)):
            rng.choice(RARE if rng.random() < 0.01 else CHANGES)(rng, after, rows)
            if rng.random() < 0.2:
                _attempt(rng, after, rows)
        if is_undone:
            raise UndoneError
    return lists if is_undone else after


def _attempt(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    """Something that is undone alone, inside of a transaction that goes on."""
    given_up = lists.copy()
    with suppress(UndoneError), rows.attempt():
        for _ in range(rng.randint(1, 3)):
            rng.choice(CHANGES)(rng, given_up, rows)
        raise UndoneError
    assert answers_of_tables(rows) == answers_of_lists(lists)


@pytest.mark.parametrize("seed", range(40))
def test_every_query_answers_as_a_scan_of_lists_would(seed: int) -> None:
    rng, rows = Random(seed), Store().add("w")
    lists = begin(rows)

    for _ in range(_TRANSACTIONS):
        lists = _transact(rng, lists, rows)
        assert answers_of_tables(rows) == answers_of_lists(lists)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_keeper_cannot_keep_has_not_happened(seed: int) -> None:
    keeper = Moody()
    rng, rows = Random(seed), Store(keeper).add("w")
    lists = begin(rows)

    for _ in range(_TRANSACTIONS):
        keeper.fails = rng.random() < 0.3
        version = rows.version
        try:
            lists = _transact(rng, lists, rows)
        except NotKeptError:
            assert keeper.fails
            assert rows.version == version
        # Journal lines change no answer, so they may wait for a keeper that works again.
        assert answers_of_tables(rows) == answers_of_lists(lists)


@pytest.mark.parametrize("seed", range(20))
def test_a_file_gives_back_what_was_kept(tmp_path: Path, seed: int) -> None:
    rng, path = Random(seed), tmp_path / "mock.db"
    store = Store(SqliteKeeper(path))
    lists = begin(store.add("w"))

    for _ in range(6):
        (rows,) = store.worlds()
        for _ in range(_TRANSACTIONS // 6):
            lists = _transact(rng, lists, rows)
        store.close()
        store = Store(SqliteKeeper(path))
        (rows,) = store.worlds()
        assert all(store.holder(key.digest) == ("w", key) for key in lists.keys)
        with rows.transaction():
            assert answers_of_tables(rows) == answers_of_lists(lists)
        assert all(store.holder(key.digest) == ("w", key) for key in lists.keys)
    store.close()
