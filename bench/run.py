"""`make bench`: one run, one table. Server on one core, wrk with 16 connections on the other.

Numbers from one run may be compared with each other; numbers from two machines, or from two
moments of a busy one, may not. That is why the yardsticks run beside the mock every time.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .journeys import CONTRACT, open_account, prism_requests
from .load import CONNECTIONS, BenchError, Measurement, Request, measure, require_wrk
from .servers import prism_command, serve_mock, serve_prism, serve_view

STREAMS = 200
JOBS_FEW = 100
JOBS_MANY = 100_000
STARTS = 5
#: Of two seconds each: a mock that creates fewer than 850 jobs a second has another problem.
_FILL_ROUNDS_MAX = 60

POLL = "screentest: status poll"
POLL_STREAMS = f"{POLL}, {STREAMS} open streams"
POLL_FEW = f"{POLL}, {JOBS_FEW} jobs"
POLL_MANY = f"{POLL}, {JOBS_MANY:,} jobs"

#: What was measured, and how much it is.
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    seen: Measurement


@dataclass(frozen=True, slots=True)
class Bench:
    """How long to load, and on which cores."""

    warm_s: int
    seconds: int
    rounds: int
    server_core: int | None
    client_core: int | None

    def load(self, name: str, request: Request) -> Row:
        """Warm up, measure, and tell the terminal that something happens."""
        measure(request, seconds=self.warm_s, core=self.client_core)
        row = Row(name, measure(request, seconds=self.seconds, core=self.client_core))
        print(f"  {name}: {row.seen.requests_per_s:,.0f} requests/s", file=sys.stderr)
        return row


# --- what is measured ----------------------------------------------------------------------------


def measure_views(bench: Bench) -> Iterator[Row]:
    """The yardsticks."""
    names = {"flask": "bare Flask view", "wsgi": "plain WSGI, one SQLite read"}
    for server in ("granian", "waitress"):
        for view, name in names.items():
            with serve_view(server, view, core=bench.server_core) as running:
                yield bench.load(f"{name}, {server}", Request(running.url + "/jobs/job_1"))


def measure_prism(bench: Bench) -> Iterator[Row]:
    """The peer that serves the same contract, without state."""
    command = prism_command()
    if command is None:
        print("  Prism: skipped, it needs npm and @stoplight/prism-cli", file=sys.stderr)
        return
    asked, _ = prism_requests("")
    with serve_prism(
        command, CONTRACT, asked.url, asked.headers, core=bench.server_core
    ) as running:
        poll, creation = prism_requests(running.url)
        yield bench.load("Prism: status poll", poll)
        yield bench.load("Prism: create", creation)


def measure_mock(bench: Bench) -> Iterator[Row]:
    """The mock itself: alone, beside open streams, and with many jobs."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        yield bench.load(POLL, customer.poll(customer.create()))
        yield bench.load("screentest: create", customer.creation())
    yield measure_streams(bench)
    yield from measure_growth(bench)


def measure_streams(bench: Bench) -> Row:
    """A poll beside many open event streams."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll(customer.create())
        with customer.open_streams(STREAMS):
            return bench.load(POLL_STREAMS, poll)


def measure_growth(bench: Bench) -> Iterator[Row]:
    """A poll with few jobs and with many. The clock is stopped, so that few of them are running."""
    with serve_mock("--clock", "manual", core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll([customer.create() for _ in range(JOBS_FEW)][-1])
        yield bench.load(POLL_FEW, poll)
        jobs = JOBS_FEW
        for _ in range(_FILL_ROUNDS_MAX):
            if jobs >= JOBS_MANY:
                break
            jobs += measure(customer.creation(), seconds=2, core=bench.client_core).requests
        else:
            raise BenchError(f"only {jobs:,} jobs after {_FILL_ROUNDS_MAX} rounds of 2 s")
        yield bench.load(POLL_MANY, poll)


def measure_starts(bench: Bench) -> list[Fact]:
    """From the start of the command to its first 200, several times, and the memory it then has."""
    seconds: list[float] = []
    memory_mb = 0.0
    for _ in range(STARTS):
        with serve_mock(core=bench.server_core) as running:
            seconds.append(running.start_s)
            memory_mb = running.resident_mb()
    return [
        (
            "start to first 200",
            f"{statistics.median(seconds):.2f} s"
            f" ({STARTS} starts, {min(seconds):.2f} to {max(seconds):.2f} s)",
        ),
        ("idle memory", f"{memory_mb:.0f} MB"),
    ]


# --- the table ----------------------------------------------------------------------------------


def middle(rounds: Sequence[Row]) -> list[Row]:
    """One row for each name, in the order of the first round: the median of every column."""
    named: dict[str, list[Measurement]] = {}
    for row in rounds:
        named.setdefault(row.name, []).append(row.seen)
    return [
        Row(
            name,
            Measurement(
                requests=round(statistics.median(one.requests_per_s for one in seen)),
                duration_s=1.0,
                p50_ms=statistics.median(one.p50_ms for one in seen),
                p99_ms=statistics.median(one.p99_ms for one in seen),
                errors=sum(one.errors for one in seen),
            ),
        )
        for name, seen in named.items()
    ]


def comparisons(rows: Sequence[Row]) -> list[Fact]:
    """How the slowest hundredth moves with load that is not ours."""
    p99_ms = {row.name: row.seen.p99_ms for row in rows}
    return [
        (f"p99 of '{name}'", f"{p99_ms[name] / p99_ms[reference]:.1f} times that of '{reference}'")
        for name, reference in ((POLL_STREAMS, POLL), (POLL_MANY, POLL_FEW))
        if name in p99_ms
    ]


def table(rows: Sequence[Row], facts: Sequence[Fact]) -> str:
    """Everything as Markdown, which a terminal can show, too."""
    names = [row.name for row in rows]
    width = max(map(len, names))
    lines = [
        f"| {'':{width}} | requests/s | p50 ms | p99 ms | errors |",
        f"|-{'-' * width}-|-----------:|-------:|-------:|-------:|",
    ]
    lines += [
        f"| {row.name:{width}} | {row.seen.requests_per_s:>10,.0f} | {row.seen.p50_ms:>6.2f}"
        f" | {row.seen.p99_ms:>6.2f} | {row.seen.errors:>6} |"
        for row in rows
    ]
    lines += ["", *(f"- {what}: {how_much}" for what, how_much in facts)]
    return "\n".join(lines)


def circumstances(bench: Bench) -> str:
    """What has to stand beside the numbers, or they mean nothing."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cores = "server and wrk pinned to one each" if bench.server_core is not None else "not pinned"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} cores ({cores}), commit {commit or 'unknown'};"
        f" {CONNECTIONS} connections, {bench.warm_s} s warm and {bench.seconds} s measured,"
        f" median of {bench.rounds}; load average {load}."
    )


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="measured, per row (10)")
    parser.add_argument("--warm", type=int, default=5, help="before that, not measured (5)")
    parser.add_argument(
        "--rounds", type=int, default=1, help="of everything; the median counts (1)"
    )
    parser.add_argument(
        "--only", choices=("mock", "views", "prism"), action="append", help="only these rows"
    )
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> str:
    """Measure what was chosen and return the report."""
    require_wrk()
    two_cores = (os.cpu_count() or 1) > 1
    bench = Bench(
        chosen.warm,
        chosen.seconds,
        chosen.rounds,
        0 if two_cores else None,
        1 if two_cores else None,
    )
    parts: dict[str, Callable[[Bench], Iterator[Row]]] = {
        "mock": measure_mock,
        "views": measure_views,
        "prism": measure_prism,
    }
    wanted = [name for name in parts if name in (chosen.only or parts)]
    # Round by round, so that a busy moment of the machine does not fall on one server alone.
    rounds = [row for _ in range(bench.rounds) for name in wanted for row in parts[name](bench)]
    rows = middle(rounds)
    facts = comparisons(rows) + (measure_starts(bench) if "mock" in wanted else [])
    return f"{circumstances(bench)}\n\n{table(rows, facts)}\n"


def main() -> int:
    """Run and print; 2 if something has to be put right first."""
    chosen = options(sys.argv[1:])
    try:
        report = run(chosen)
    except BenchError as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    print(report)
    if chosen.markdown:
        chosen.markdown.write_text(report, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
