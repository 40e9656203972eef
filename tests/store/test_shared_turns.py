"""Calls of one process to a world of a shared keeper: those that wait share its transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from screentest.mock_server.kernel.rows import Counter
from screentest.mock_server.store.history_tables import Line
from screentest.mock_server.store.keeper import ChangeSet, KeeperError, MemoryKeeper
from screentest.mock_server.store.store import Store
from screentest.mock_server.store.surroundings import NotKeptError
from screentest.mock_server.store.working_set import WorkingSet

from .plain_lists import begin


class _SharedKeeper(MemoryKeeper):
    """Writes down which change sets it is given, and can be away."""

    is_shared = True
    is_lasting = True

    def __init__(self) -> None:
        self.kept: list[list[str]] = []
        self.is_away = False

    def commit(self, change_set: ChangeSet) -> None:
        if self.is_away:
            raise KeeperError("away")
        self.kept.append([f"{table} {key}" for table, key, _ in change_set.written()])


class _Lock:
    """A lock that says when a thread waits for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.is_awaited = threading.Event()

    def acquire(self, *, blocking: bool = True) -> bool:
        if blocking:
            self.is_awaited.set()
        return self._lock.acquire(blocking=blocking)

    def release(self) -> None:
        self._lock.release()


@pytest.fixture
def keeper() -> _SharedKeeper:
    return _SharedKeeper()


@pytest.fixture
def rows(keeper: _SharedKeeper) -> WorkingSet:
    made = Store(keeper).add("w")
    begin(made)
    keeper.kept.clear()
    return made


def _note(rows: WorkingSet, number: int) -> None:
    rows.journal.add(Line(number, 0, "p", "op", 200, b"{}"))


def _one_after_the_other(
    rows: WorkingSet, first: Callable[[], None], second: Callable[[], None]
) -> list[Exception]:
    """What *first* and *second* raise; the second one waits for the world while *first* has it."""
    lock, errors = _Lock(), list[Exception]()
    rows.lock = cast("Any", lock)

    def call(work: Callable[[], None]) -> None:
        try:
            with rows.transaction():
                work()
        except NotKeptError as error:
            errors.append(error)

    waiting = threading.Thread(target=call, args=(second,))

    def begin_second() -> None:
        first()
        waiting.start()
        lock.is_awaited.wait()

    call(begin_second)
    waiting.join()
    return errors


def test_reads_that_wait_for_each_other_are_kept_together(
    rows: WorkingSet, keeper: _SharedKeeper
) -> None:
    _one_after_the_other(rows, lambda: _note(rows, 1), lambda: _note(rows, 2))
    with rows.transaction():
        _note(rows, 3)

    assert keeper.kept == [["journal 1", "journal 2"], ["journal 3"]]


def test_a_call_that_changes_something_is_kept_at_once(
    rows: WorkingSet, keeper: _SharedKeeper
) -> None:
    _one_after_the_other(rows, lambda: rows.counters.put(Counter("n", 1)), lambda: _note(rows, 1))

    assert keeper.kept == [["counter n"], ["journal 1"]]


def test_a_change_takes_the_reads_before_it_along(rows: WorkingSet, keeper: _SharedKeeper) -> None:
    _one_after_the_other(rows, lambda: _note(rows, 1), lambda: rows.counters.put(Counter("n", 1)))

    assert keeper.kept == [["journal 1", "counter n"]]


def test_a_read_is_kept_when_the_call_after_it_fails(
    rows: WorkingSet, keeper: _SharedKeeper
) -> None:
    def fail() -> None:
        rows.counters.put(Counter("n", 1))
        raise NotKeptError("no")

    _one_after_the_other(rows, lambda: _note(rows, 1), fail)

    assert keeper.kept == [["journal 1"]]
    assert "n" not in rows.counters.rows


def test_a_world_is_loaded_again_when_what_was_left_to_the_next_call_is_not_kept(
    rows: WorkingSet, keeper: _SharedKeeper
) -> None:
    keeper.is_away = True

    errors = _one_after_the_other(rows, lambda: _note(rows, 1), lambda: _note(rows, 2))

    assert [type(it) for it in errors] == [NotKeptError]
    assert (rows.is_loaded, [*rows.journal.rows]) == (False, [])
