"""The loads that are measured in rounds: those of the mock and those of its yardsticks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .journeys import CONTRACT, Customer, open_account, peer_requests
from .load import BenchError, Measurement, Request, measure
from .servers import PEERS, Peer, serve_mock, serve_peer, serve_view

STREAMS = 200
JOBS_FEW = 100
#: Of two seconds each: a mock that creates fewer than 500 jobs a second has another problem.
_FILL_S = 2
_CREATIONS_PER_S_MIN = 500
#: Blocking threads of the bare Flask view: the best of these is the yardstick.
_FLASK_THREADS = (1, 8, 512)

POLL, CREATE = "screentest: status poll", "screentest: create"
POLL_STREAMS = f"{POLL}, {STREAMS} open streams"
POLL_FEW, POLL_MANY = f"{POLL}, {JOBS_FEW} jobs", f"{POLL}, many jobs"
POLL_SHARED, CREATE_SHARED = f"{POLL}, PostgreSQL", f"{CREATE}, PostgreSQL"
FLASK, WSGI = "bare Flask view, granian", "plain WSGI, one SQLite read, granian"


@dataclass(frozen=True, slots=True)
class Row:
    """One load: its name, whether it was pinned, and what came back."""

    name: str
    is_pinned: bool
    seen: Measurement


@dataclass(frozen=True, slots=True)
class Bench:
    """How long to load, how many jobs are many, and whether to pin server and wrk."""

    warm_s: int
    seconds: int
    jobs_many: int
    is_pinned: bool = False

    @property
    def server_core(self) -> int | None:
        return 0 if self.is_pinned else None

    @property
    def client_core(self) -> int | None:
        return 1 if self.is_pinned else None

    def load(self, name: str, request: Request) -> Row:
        """Warm up, measure, and print the result for who waits at the terminal."""
        measure(request, seconds=self.warm_s, core=self.client_core)
        row = Row(
            name, self.is_pinned, measure(request, seconds=self.seconds, core=self.client_core)
        )
        how = "pinned" if self.is_pinned else "unpinned"
        print(f"  {name}, {how}: {row.seen.requests_per_s:,.0f} requests/s", file=sys.stderr)
        return row

    def fill(self, customer: Customer, jobs: int) -> int:
        """Create *jobs* jobs or some more, and return how many.

        Raises:
            BenchError: a creation is refused, or they take too long.
        """
        made = 0
        for _ in range(1 + jobs // (_FILL_S * _CREATIONS_PER_S_MIN)):
            if made >= jobs:
                return made
            seen = measure(customer.creation(), seconds=_FILL_S, core=self.client_core)
            if seen.errors:
                raise BenchError(f"{seen.errors} creations were refused after {made:,} jobs")
            made += seen.requests
        if made < jobs:
            raise BenchError(f"only {made:,} of {jobs:,} jobs in time")
        return made


# --- yardsticks ----------------------------------------------------------------------------------


def measure_views(bench: Bench) -> Iterator[Row]:
    """The yardsticks that are made of the same parts."""
    views = [(f"{FLASK}, {threads} threads", "flask", threads) for threads in _FLASK_THREADS]
    for name, view, threads in (*views, (WSGI, "wsgi", 1)):
        with serve_view(view, threads, core=bench.server_core) as running:
            yield bench.load(name, Request(running.url + "/jobs/job_1"))


def measure_peers(bench: Bench) -> Iterator[Row]:
    """The mock servers from npm."""
    for peer in PEERS:
        yield from _measure_peer(peer, bench)


def _measure_peer(peer: Peer, bench: Bench) -> Iterator[Row]:
    asked, _ = peer_requests("")
    core, served = bench.server_core, (str(CONTRACT),)
    with serve_peer(peer, served, asked.url, asked.headers, core=core) as running:
        if running is None:
            print(f"  {peer.name}: skipped, it needs npm and {peer.package}", file=sys.stderr)
            return
        poll, creation = peer_requests(running.url)
        yield bench.load(f"{peer.name}: status poll", poll)
        yield bench.load(f"{peer.name}: create", creation)


# --- the mock ------------------------------------------------------------------------------------


def measure_mock(bench: Bench) -> Iterator[Row]:
    """The mock itself: alone, and beside open streams."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        yield bench.load(POLL, customer.poll(customer.create()))
        yield bench.load(CREATE, customer.creation())
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll(customer.create())
        with customer.open_streams(STREAMS):
            yield bench.load(POLL_STREAMS, poll)
