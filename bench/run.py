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

from .journeys import CONTRACT, Customer, open_account, prism_requests
from .load import CONNECTIONS, BenchError, Measurement, Request, measure, require_wrk
from .servers import prism_command, serve_mock, serve_prism, serve_view

STREAMS = 200
JOBS_FEW = 100
JOBS_MANY = 100_000
STARTS = 5
#: Of two seconds each. The row says how many jobs there were when they did not suffice.
_FILL_ROUNDS_MAX = 30


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


def measure_mock(bench: Bench, facts: list[tuple[str, str]]) -> Iterator[Row]:
    """The mock itself; what is not a rate goes into *facts*."""
    with serve_mock(core=bench.server_core) as mock:
        facts.append(("idle memory", f"{mock.resident_mb():.0f} MB"))
        customer = open_account(mock)
        poll = bench.load("screentest: status poll", customer.poll(customer.create()))
        yield poll
        yield bench.load("screentest: create", customer.creation())
    streamed = measure_streams(bench)
    yield streamed
    facts.append(_ratio(streamed, poll))
    few, many = measure_growth(bench)
    yield from (few, many)
    facts.append(_ratio(many, few))


def measure_streams(bench: Bench) -> Row:
    """A poll beside many open event streams."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll(customer.create())
        with customer.open_streams(STREAMS):
            return bench.load(f"screentest: status poll, {STREAMS} open streams", poll)


def measure_growth(bench: Bench) -> tuple[Row, Row]:
    """A poll with few jobs and with many; the clock stands, or the many would all be running."""
    with serve_mock("--clock", "manual", core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll([customer.create() for _ in range(JOBS_FEW)][-1])
        few = bench.load(f"screentest: status poll, {JOBS_FEW} jobs", poll)
        jobs = _fill(customer, bench)
        return few, bench.load(f"screentest: status poll, {jobs:,} jobs", poll)


def _fill(customer: Customer, bench: Bench) -> int:
    """Create until there are the many jobs, or the time for it is over; how many there are."""
    have = JOBS_FEW
    for _ in range(_FILL_ROUNDS_MAX):
        if have >= JOBS_MANY:
            break
        have += measure(customer.creation(), seconds=2, core=bench.client_core).requests
    return have


def _ratio(row: Row, reference: Row) -> tuple[str, str]:
    times = row.seen.p99_ms / reference.seen.p99_ms
    return f"p99 of '{row.name}'", f"{times:.1f} times that of '{reference.name}'"


def measure_starts(bench: Bench) -> tuple[str, str]:
    """From the start of the command to its first 200, several times."""
    seconds: list[float] = []
    for _ in range(STARTS):
        with serve_mock(core=bench.server_core) as running:
            seconds.append(running.start_s)
    return (
        "start to first 200",
        f"{statistics.median(seconds):.2f} s"
        f" (of {STARTS}: {min(seconds):.2f} to {max(seconds):.2f} s)",
    )


# --- how it is told ------------------------------------------------------------------------------


def table(rows: Sequence[Row], facts: Sequence[tuple[str, str]]) -> str:
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
        f" {CONNECTIONS} connections, {bench.warm_s} s warm and {bench.seconds} s measured;"
        f" load average {load}."
    )


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="measured, per row (10)")
    parser.add_argument("--warm", type=int, default=5, help="before that, not measured (5)")
    parser.add_argument(
        "--only", choices=("mock", "views", "prism"), action="append", help="only these rows"
    )
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> str:
    """Measure what was chosen and return the report."""
    require_wrk()
    two_cores = (os.cpu_count() or 1) > 1
    bench = Bench(chosen.warm, chosen.seconds, 0 if two_cores else None, 1 if two_cores else None)
    facts: list[tuple[str, str]] = []
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "mock": lambda: measure_mock(bench, facts),
        "views": lambda: measure_views(bench),
        "prism": lambda: measure_prism(bench),
    }
    wanted = chosen.only or list(parts)
    rows = [row for name in parts if name in wanted for row in parts[name]()]
    if "mock" in wanted:
        facts.append(measure_starts(bench))
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
