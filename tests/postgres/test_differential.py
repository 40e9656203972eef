"""A history gives the same bytes on memory, SQLite and PostgreSQL, over one process and three."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import pytest
from _pytest.fixtures import SubRequest

from screentest.specs.json_types import Json
from tests.histories import PlayedMock, act
from tests.mock_client import make_world
from tests.postgres.server import PostgresServer
from tests.postgres.sides import Side, memory, over_postgres, sqlite
from tests.postgres.sums import check_sums

pytestmark = pytest.mark.postgres

_ACTS = 5
_A_RESTART_OF = 40
#: These findings compare a call with earlier ones, which each process remembers for itself.
_OVER_CALLS = {"SC201", "SC202", "SC205", "SC207"}
_PROVIDERS = ("ozor", "oshara", "ulazai", "znapai")


@pytest.fixture(scope="module", params=[1, 3], ids=["one process", "three processes"])
def sides(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, request: SubRequest
) -> Iterator[list[Side]]:
    """The same mock over memory, over a file, and over a database with one process or three."""
    path = tmp_path_factory.mktemp("differential") / "mock.db"
    opened = [memory(), sqlite(path), over_postgres(postgres.new_database(), request.param)]
    yield opened
    for side in opened:
        side.close()


def _played(side: Side, seed: int) -> list[object]:
    """Everything that the mock says in the history of *seed*."""
    draw = Random(seed)
    provider = draw.choice(_PROVIDERS)
    world = make_world(side.client, clock={"mode": draw.choice(("manual", "real", "auto"))})
    accounts = {provider: [world.account(provider, credits=100_000) for _ in range(2)]}
    mock = PlayedMock(side.wall, world, accounts)
    for _ in range(_ACTS):
        if draw.random() * _A_RESTART_OF < 1:
            side.restart()
        act(mock, draw)
        check_sums(side.worlds.get(world.id).rows)
    for path in ("/events?limit=200", "/requests?limit=200"):
        mock.control("GET", path)
    mock.control("POST", "/snapshots", {"name": "end"})
    mock.control("GET", "/snapshots/end")
    side.client.delete(f"/_screentest/worlds/{world.id}")
    return [_comparable(*answer) for answer in mock.answers]


def _comparable(status: int, headers: object, content: bytes) -> object:
    """An answer without what each process remembers for itself."""
    if not any(name in content for name in (b'"next_cursor"', b'"size_bytes"', b'{"sha256"')):
        return status, headers, content
    lines = [json.loads(line) for line in content.splitlines()]
    return status, [_without_findings(it) for it in lines]


def _without_findings(value: Json) -> Json:
    if isinstance(value, dict):
        # The size and the digest of a snapshot tell of findings too.
        kept = {
            name: _without_findings(it)
            for name, it in value.items()
            if name not in {"size_bytes", "sha256"}
        }
        return {name: it for name, it in kept.items() if (name, it) != ("findings", [])}
    if isinstance(value, list):
        return [
            _without_findings(it)
            for it in value
            if not (isinstance(it, dict) and it.get("code") in _OVER_CALLS)
        ]
    return value


def _compare(sides: list[Side], seed: int) -> None:
    first, *others = sides
    expected = _played(first, seed)
    for side in others:
        found = _played(side, seed)
        assert len(found) == len(expected), f"seed {seed} on {side.name}"
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            assert other == one, f"answer {number} of seed {seed} on {side.name}"


@pytest.mark.parametrize("hundred", range(10))
def test_a_history_is_the_same_with_every_keeper(sides: list[Side], hundred: int) -> None:
    """2,000 histories in all: 1,000 for one process, and 1,000 for three that take turns."""
    for seed in range(100 * hundred, 100 * (hundred + 1)):
        _compare(sides, seed)


@pytest.mark.slow
@pytest.mark.parametrize("thousand", range(50))
def test_a_hundred_thousand_histories_are_the_same_with_every_keeper(
    sides: list[Side], thousand: int
) -> None:
    for seed in range(1_000 * (thousand + 100), 1_000 * (thousand + 101)):
        _compare(sides, seed)
