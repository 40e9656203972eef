"""`make differential`: a random history gives the same bytes whatever keeps its world.

Each history is played over memory, over a file, and over a database with one process and with three
that take turns. Processes of all but memory are restarted on the way.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from tests.histories import PlayedMock, act
from tests.mock_client import make_world
from tests.postgres.server import PostgresServer
from tests.postgres.sides import Side, memory, over_postgres, sqlite
from tests.postgres.sums import check_sums

_ACTS = 5
_A_RESTART_OF = 40
_PROVIDERS = ("ozor", "oshara", "ulazai", "znapai")
#: Histories between two lines of progress.
_REPORTED_EVERY = 100


@contextmanager
def opened_sides(postgres: PostgresServer, folder: Path) -> Generator[Sequence[Side]]:
    """The same mock in all of its forms."""
    with ExitStack() as stack:
        sides = [memory(), sqlite(folder / "mock.db")]
        sides += [over_postgres(postgres.new_database(), replicas) for replicas in (1, 3)]
        for side in sides:
            stack.callback(side.close)
        yield sides


def compare(sides: Sequence[Side], seeds: Iterable[int]) -> None:
    """Raises unless the histories of *seeds* give the same answers on all *sides*."""
    first, *others = sides
    for seed in seeds:
        expected = _played(first, seed)
        for side in others:
            found = _played(side, seed)
            assert len(found) == len(expected), f"seed {seed} on {side.name}"
            for number, (one, other) in enumerate(zip(expected, found, strict=True)):
                assert other == one, f"answer {number} of seed {seed} on {side.name}"


def _played(side: Side, seed: int) -> Sequence[object]:
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
    for path in ("/events?limit=200", "/requests?limit=200", "/findings?final=true&limit=200"):
        mock.control("GET", path)
    mock.control("POST", "/snapshots", {"name": "end"})
    mock.control("GET", "/snapshots/end")
    side.client.delete(f"/_screentest/worlds/{world.id}")
    return mock.answers


def main() -> None:
    """Compare the histories that the command line names; the first difference ends the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-999", help="such as 100000-199999")
    first, _, last = parser.parse_args().seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    server, started_s = PostgresServer(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder, opened_sides(server, Path(folder)) as sides:
            for begin in range(0, len(seeds), _REPORTED_EVERY):
                part = seeds[begin : begin + _REPORTED_EVERY]
                compare(sides, part)
                seconds = time.monotonic() - started_s
                print(f"seeds {seeds[0]}-{part[-1]}: the same, {seconds:.0f} s", flush=True)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
