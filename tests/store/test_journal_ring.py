"""The journal is a ring: a line that leaves it unread is never put into words."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.store.history_tables import JOURNAL_MAX, PLAIN_MAX, Line
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.mock_server.store.store import Store
from screentest.mock_server.store.working_set import WorkingSet

from .plain_lists import begin


class Text:
    """The text of a journal line, which counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return b'{"id":"req"}'


@pytest.fixture
def rows() -> WorkingSet:
    return Store().add("w")


def add(rows: WorkingSet, number: int, text: Text) -> None:
    with rows.transaction():
        rows.journal.add(Line(number, 0, "p", "op", 200, text))


def numbers(rows: WorkingSet, *, after: int = 0) -> list[int]:
    with rows.transaction():
        found = rows.journal.page(after=after, limit=JOURNAL_MAX, filters={})
    return [seq for seq, _ in found]


def test_a_line_is_made_when_it_is_read_and_once(rows: WorkingSet) -> None:
    text = Text()
    add(rows, 1, text)
    assert text.made == 0

    assert numbers(rows) == [1]
    assert numbers(rows) == [1]
    assert text.made == 1


def test_lines_that_leave_the_ring_unread_are_never_made(rows: WorkingSet) -> None:
    first, later = Text(), Text()
    add(rows, 1, first)
    for number in range(2, JOURNAL_MAX + 2):
        add(rows, number, later)

    assert numbers(rows, after=JOURNAL_MAX - 1) == [JOURNAL_MAX, JOURNAL_MAX + 1]
    assert len(numbers(rows)) == JOURNAL_MAX
    assert (first.made, later.made) == (0, JOURNAL_MAX)


def test_lines_of_many_worlds_together_are_bounded() -> None:
    store, text = Store(), Text()
    worlds = [store.add(f"w{number}") for number in range(4)]
    for number in range(1, 6_001):
        for rows in worlds:
            add(rows, number, text)

    plain = 4 * 6_000 - text.made
    assert PLAIN_MAX // 2 < plain < PLAIN_MAX + 4 * 256


def test_a_file_has_the_line_as_soon_as_the_next_change(tmp_path: Path) -> None:
    rows, text = Store(SqliteKeeper(tmp_path / "mock.db")).add("w"), Text()
    begin(rows)
    add(rows, 1, text)
    assert text.made == 0

    with rows.transaction():
        rows.count("video")
        rows.journal.add(Line(2, 0, "p", "op", 201, text))

    assert text.made == 2


def test_a_file_has_every_line_once_it_is_closed(tmp_path: Path) -> None:
    store, text = Store(SqliteKeeper(tmp_path / "mock.db")), Text()
    rows = store.add("w")
    begin(rows)
    for number in (1, 2, 3):
        add(rows, number, text)

    store.close()

    (again,) = Store(SqliteKeeper(tmp_path / "mock.db")).worlds()
    with again.transaction():
        assert numbers(again) == [1, 2, 3]
        assert again.journal.last_seq == 3
