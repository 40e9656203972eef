"""What is measured once: many jobs, a file, a shared database, starts and the pytest plugin."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tests.cli import exploration_cost
from tests.plugin import fixture_cost
from tests.postgres.server import NoPostgresError, PostgresServer

from .journeys import open_account
from .loads import (
    CREATE_SHARED,
    JOBS_FEW,
    POLL_FEW,
    POLL_MANY,
    POLL_SHARED,
    Bench,
    Row,
)
from .servers import call, serve_mock

#: Of the jobs that are many, those of a file: it is filled more slowly than memory.
_IN_A_FILE = 4
_STARTS = 5
#: The aim of a start, in seconds.
_START_S = 0.3
_ANSWER_S_MAX = 120.0

#: What was measured, how much it is, and what is aimed at.
Fact = tuple[str, str, str]
Measured = tuple[list[Row], list[Fact]]


def measure_shared(bench: Bench) -> Measured:
    """The mock over a PostgreSQL server on the same machine, which writes nothing to the disk."""
    try:
        server = PostgresServer()
    except NoPostgresError as error:
        print(f"  PostgreSQL: skipped, {error}", file=sys.stderr)
        return [], []
    try:
        with serve_mock("--db", server.new_database(), core=bench.server_core) as mock:
            customer = open_account(mock)
            poll = customer.poll(customer.create())
            return [
                bench.load(POLL_SHARED, poll),
                bench.load(CREATE_SHARED, customer.creation()),
            ], []
    finally:
        server.remove()


def measure_growth(bench: Bench) -> Measured:
    """A poll with few jobs and with many, their memory, and one advance over all of them.

    The clock is stopped, so every job runs until the advance.
    """
    with serve_mock("--clock", "manual", "--keep", "0", core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll([customer.create() for _ in range(JOBS_FEW)][-1])
        rows = [bench.load(POLL_FEW, poll)]
        before_mb = mock.resident_mb()
        jobs = bench.fill(customer, bench.jobs_many)
        each_kb = (mock.resident_mb() - before_mb) * 1024 / jobs
        rows.append(bench.load(POLL_MANY, poll))
        world = f"{mock.url}/_screentest/worlds/default"
        # The answer lists the events that a world keeps; a script begins with the current state.
        effects = jobs * (len(call(f"{world}/jobs?limit=1")["items"][0]["script"]) - 1)
        used_s = mock.processor_s()
        call(
            f"{world}/clock/advance",
            method="POST",
            body=b'{"until": "idle"}',
            headers={"Content-Type": "application/json"},
            wait_s=_ANSWER_S_MAX,
        )
        each_us = (mock.processor_s() - used_s) * 1e6 / effects
    return rows, [
        ("memory of a creation with all its rows, while its job runs", f"{each_kb:.1f} KB", "2 KB"),
        (
            f"an effect, of {effects:,} in one advance over {jobs:,} running jobs, processor time",
            f"{each_us:.0f} µs",
            "15 µs",
        ),
    ]


def measure_file(bench: Bench) -> Measured:
    """A start on a file of many jobs, to the first answer of their world."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mock.db"
        options = ("--db", str(file), "--clock", "manual", "--keep", "0")
        with serve_mock(*options, core=None) as mock:
            customer = open_account(mock)
            poll = customer.poll(customer.create())
            jobs = bench.fill(customer, bench.jobs_many // _IN_A_FILE)
        with serve_mock(*options, core=None) as mock:
            again = mock.environment["OZOR_BASE_URL"] + poll.url.removeprefix(customer.base)
            call(again, headers=customer.headers, wait_s=_ANSWER_S_MAX)
            took_s = mock.processor_s()
            file_of = f"a file of {jobs:,} jobs ({file.stat().st_size / 1e6:.0f} MB)"
            return [], [
                (f"start to first 200, with {file_of}", f"{mock.start_s:.2f} s", "1 s"),
                (
                    f"start to first answer of the world of {file_of}, processor time",
                    f"{took_s:.2f} s",
                    f"{_START_S + jobs / 100_000:.2f} s",
                ),
            ]


def measure_starts(_bench: Bench) -> Measured:
    """From the start of the command to its first 200, several times, and the memory it then has."""
    seconds: list[float] = []
    memory_mb = 0.0
    for _ in range(_STARTS):
        with serve_mock(core=None) as running:
            seconds.append(running.start_s)
            memory_mb = running.resident_mb()
    return [], [
        (
            f"start to first 200 ({_STARTS} starts, {min(seconds):.2f} to {max(seconds):.2f} s)",
            f"{statistics.median(seconds):.2f} s",
            f"{_START_S} s",
        ),
        ("idle memory", f"{memory_mb:.0f} MB", "60 MB"),
    ]


def measure_first_worlds(_bench: Bench) -> Measured:
    """The fixture of the pytest plugin, in processor time, after a run that compiles modules."""
    with tempfile.TemporaryDirectory() as folder:
        python, project = Path(sys.executable), Path(folder)
        fixture_cost.measure(python, project)
        costs = [fixture_cost.measure(python, project) for _ in range(_STARTS)]
    first = statistics.median(it.first for it in costs)
    further = statistics.median(it.test for it in costs)
    return [], [
        ("first world of a pytest run, processor time", f"{first:.0f} ms", "25 ms"),
        ("world of each further test, processor time", f"{further:.2f} ms", "0.8 ms"),
    ]


def measure_exploration(_bench: Bench) -> Measured:
    """`screentest explore` on a client of twelve requests, in processor time of all processes."""
    with tempfile.TemporaryDirectory() as folder:
        cost = exploration_cost.measure(Path(folder))
    what = f"exploring a client of {cost.requests} requests in {cost.runs} runs, processor time"
    return [], [(what, f"{cost.processor_s:.1f} s", "20 s")]
