"""A history gives the same bytes on memory, SQLite and PostgreSQL, over one process and three."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.postgres.differential import compare, opened_sides
from tests.postgres.server import PostgresServer
from tests.postgres.sides import Side

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def sides(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Side]]:
    with opened_sides(postgres, tmp_path_factory.mktemp("differential")) as opened:
        yield opened


@pytest.mark.parametrize("hundred", range(20))
def test_a_history_is_the_same_with_every_keeper(sides: Sequence[Side], hundred: int) -> None:
    """2,000 histories in all."""
    compare(sides, range(100 * hundred, 100 * (hundred + 1)))


@pytest.mark.slow
@pytest.mark.parametrize("thousand", range(100))
def test_a_hundred_thousand_histories_are_the_same_with_every_keeper(
    sides: Sequence[Side], thousand: int
) -> None:
    """`make differential ARGS="--seeds 100000-100999"` plays a part of them."""
    compare(sides, range(1_000 * (thousand + 100), 1_000 * (thousand + 101)))
