"""The journal is a ring: what falls out of it unseen is never put into words."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.store.journal_rows import JOURNAL_MAX
from screentest.mock_server.store.sqlite import Store

WORLD = "w"


class Line:
    """A line of the journal that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def document(self) -> bytes:
        self.made += 1
        return b'{"id":"req"}'


@pytest.fixture
def store() -> Store:
    return Store()


def add(store: Store, number: int, line: Line, world: str = WORLD) -> None:
    with store.request():
        store.add_journal(world, (number, 0, "p", "op", 200), line.document)


def numbers(store: Store, *, after: int = 0) -> list[int]:
    with store.request():
        return [seq for seq, _ in store.journal(WORLD, after=after, limit=JOURNAL_MAX, filters={})]


def test_a_line_is_made_when_somebody_looks_and_once(store: Store) -> None:
    line = Line()
    add(store, 1, line)
    assert line.made == 0

    assert numbers(store) == [1]
    assert numbers(store) == [1]
    assert line.made == 1


def test_lines_that_fall_out_of_the_ring_unseen_are_never_made(store: Store) -> None:
    first, later = Line(), Line()
    add(store, 1, first)
    for number in range(2, JOURNAL_MAX + 2):
        add(store, number, later)

    assert numbers(store, after=JOURNAL_MAX - 1) == [JOURNAL_MAX, JOURNAL_MAX + 1]
    assert len(numbers(store)) == JOURNAL_MAX
    assert (first.made, later.made) == (0, JOURNAL_MAX)


def test_lines_of_many_worlds_together_are_bounded(store: Store) -> None:
    mine, others = Line(), Line()
    for number in range(1, 3_001):
        add(store, number, mine)
    for number in range(1, 9_001):
        add(store, number, others, world=f"w_{number % 3}")

    assert mine.made == 3_000
    assert len(numbers(store)) == 3_000


def test_a_file_has_the_line_as_soon_as_what_it_tells_of(tmp_path: Path) -> None:
    store, line = Store(tmp_path / "mock.db"), Line()
    add(store, 1, line)
    assert line.made == 0

    with store.request():
        store.save_world(WORLD, 1, {})
        store.add_journal(WORLD, (2, 0, "p", "op", 201), line.document)

    assert line.made == 2
    store.close()
