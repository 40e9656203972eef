"""`make bench`: one run, one table. wrk loads each server over 16 connections.

Numbers from one run may be compared with each other; numbers from two machines, or from two
moments of a busy one, may not. That is why the yardsticks run beside the mock every time. Each load
runs as a user starts a server (*unpinned*), and with server and wrk on a core each (*pinned*).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from screentest.specs.files import write_decoded

from .journeys import CONTRACT, open_account, peer_requests
from .load import CONNECTIONS, BenchError, Measurement, Request, measure, require_wrk
from .servers import PEERS, Peer, serve_mock, serve_peer, serve_view

STREAMS = 200
JOBS_FEW = 100
STARTS = 5
#: Of two seconds each: a mock that creates fewer than 850 jobs a second has another problem.
_FILL_S = 2
_CREATIONS_PER_S_MIN = 850
#: Load average of one minute up to which nothing else is said to run.
_QUIET = 0.5
#: Blocking threads of the bare Flask view: the best of these is the yardstick.
_FLASK_THREADS = (1, 8, 512)

POLL, CREATE = "screentest: status poll", "screentest: create"
POLL_STREAMS = f"{POLL}, {STREAMS} open streams"
POLL_FEW, POLL_MANY = f"{POLL}, {JOBS_FEW} jobs", f"{POLL}, many jobs"
FLASK, WSGI = "bare Flask view, granian", "plain WSGI, one SQLite read, granian"

#: What was measured, and how much it is.
Fact = tuple[str, str]

#: Where `--write` puts the report in a page.
_MARKS = "<!-- bench: written by make bench -->", "<!-- bench: end -->"


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
        """Warm up, measure, and tell the terminal that something happens."""
        measure(request, seconds=self.warm_s, core=self.client_core)
        row = Row(
            name, self.is_pinned, measure(request, seconds=self.seconds, core=self.client_core)
        )
        how = "pinned" if self.is_pinned else "unpinned"
        print(f"  {name}, {how}: {row.seen.requests_per_s:,.0f} requests/s", file=sys.stderr)
        return row


# --- what is measured ----------------------------------------------------------------------------


def measure_views(bench: Bench) -> Iterator[Row]:
    """The yardsticks that are made of the same parts."""
    views = [(f"{FLASK}, {threads} threads", "flask", threads) for threads in _FLASK_THREADS]
    for name, view, threads in (*views, (WSGI, "wsgi", 1)):
        with serve_view(view, threads, core=bench.server_core) as running:
            yield bench.load(name, Request(running.url + "/jobs/job_1"))


def measure_peer(peer: Peer, bench: Bench) -> Iterator[Row]:
    """A peer that serves the same contract, without state."""
    asked, _ = peer_requests("")
    core, served = bench.server_core, (str(CONTRACT),)
    with serve_peer(peer, served, asked.url, asked.headers, core=core) as running:
        if running is None:
            print(f"  {peer.name}: skipped, it needs npm and {peer.package}", file=sys.stderr)
            return
        poll, creation = peer_requests(running.url)
        yield bench.load(f"{peer.name}: status poll", poll)
        yield bench.load(f"{peer.name}: create", creation)


def measure_peers(bench: Bench) -> Iterator[Row]:
    for peer in PEERS:
        yield from measure_peer(peer, bench)


def measure_mock(bench: Bench) -> Iterator[Row]:
    """The mock itself: alone, and beside open streams."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        yield bench.load(POLL, customer.poll(customer.create()))
        yield bench.load(CREATE, customer.creation())
    yield measure_streams(bench)


def measure_streams(bench: Bench) -> Row:
    """A poll beside many open event streams."""
    with serve_mock(core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll(customer.create())
        with customer.open_streams(STREAMS):
            return bench.load(POLL_STREAMS, poll)


def measure_growth(bench: Bench) -> Iterator[Row]:
    """A poll with few jobs and with many. The clock is stopped, so that few of them are running."""
    with serve_mock("--clock", "manual", "--keep", "0", core=bench.server_core) as mock:
        customer = open_account(mock)
        poll = customer.poll([customer.create() for _ in range(JOBS_FEW)][-1])
        yield bench.load(POLL_FEW, poll)
        jobs = JOBS_FEW
        for _ in range(1 + bench.jobs_many // (_FILL_S * _CREATIONS_PER_S_MIN)):
            if jobs >= bench.jobs_many:
                break
            made = measure(customer.creation(), seconds=_FILL_S, core=bench.client_core)
            if made.errors:
                raise BenchError(f"{made.errors} creations were refused after {jobs:,} jobs")
            jobs += made.requests
        else:
            raise BenchError(f"only {jobs:,} of {bench.jobs_many:,} jobs in time")
        yield bench.load(POLL_MANY, poll)


def measure_starts() -> list[Fact]:
    """From the start of the command to its first 200, several times, and the memory it then has."""
    seconds: list[float] = []
    memory_mb = 0.0
    for _ in range(STARTS):
        with serve_mock(core=None) as running:
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
    """One row for each load, in the order of the first round: the median of every column."""
    named: dict[tuple[str, bool], list[Measurement]] = {}
    for row in rounds:
        named.setdefault((row.name, row.is_pinned), []).append(row.seen)
    return [
        Row(
            *load,
            Measurement(
                requests=round(statistics.median(one.requests_per_s for one in seen)),
                duration_s=1.0,
                p50_ms=statistics.median(one.p50_ms for one in seen),
                p99_ms=statistics.median(one.p99_ms for one in seen),
                errors=sum(one.errors for one in seen),
            ),
        )
        for load, seen in named.items()
    ]


def comparisons(rows: Sequence[Row]) -> list[Fact]:
    """The ratios that are aimed at, where both sides were measured."""
    unpinned = {row.name: row.seen for row in rows if not row.is_pinned}
    pinned = {row.name: row.seen for row in rows if row.is_pinned}
    best = max(
        (name for name in unpinned if name.startswith(FLASK)),
        key=lambda name: unpinned[name].requests_per_s,
        default="",
    )
    found: list[Fact] = []
    for seen, how, mine, theirs in (
        (unpinned, "unpinned", POLL, "Steady: status poll"),
        (unpinned, "unpinned", POLL, best),
        (pinned, "pinned", POLL, WSGI),
        (unpinned, "unpinned", CREATE, "Prism: create"),
        (unpinned, "unpinned", CREATE, "Steady: create"),
    ):
        if mine in seen and theirs in seen:
            ratio = seen[mine].requests_per_s / seen[theirs].requests_per_s
            found.append((f"'{mine}' to '{theirs}', {how}", f"{ratio:.2f} times the requests/s"))
    for mine, theirs in ((POLL_STREAMS, POLL), (POLL_MANY, POLL_FEW)):
        if mine in unpinned and theirs in unpinned:
            ratio = unpinned[theirs].requests_per_s / unpinned[mine].requests_per_s
            found.append((f"'{mine}' to '{theirs}', unpinned", f"{ratio:.2f} times the cost"))
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, which a terminal can show, too."""
    names = [*dict.fromkeys(row.name for row in rows)]
    seen: Mapping[tuple[str, bool], Measurement] = {(it.name, it.is_pinned): it.seen for it in rows}
    width = max(map(len, names))
    head = "requests/s | p50 ms | p99 ms"
    lines = [
        f"| {'':{width}} | unpinned: {head} | pinned: {head} | errors |",
        f"|-{'-' * width}-|-----:|-----:|-----:|-----:|-----:|-----:|-----:|",
    ]
    for name in names:
        cells = [_cells(seen.get((name, is_pinned))) for is_pinned in (False, True)]
        errors = sum(row.seen.errors for row in rows if row.name == name)
        lines.append(f"| {name:{width}} | {' | '.join(cells)} | {errors} |")
    return "\n".join(lines)


def _cells(seen: Measurement | None) -> str:
    if seen is None:
        return " | ".join(["–"] * 3)
    return f"{seen.requests_per_s:>6,.0f} | {seen.p50_ms:>5.2f} | {seen.p99_ms:>6.2f}"


def circumstances(chosen: argparse.Namespace) -> str:
    """What has to stand beside the numbers, or they mean nothing."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} cores, commit {commit or 'unknown'}; {CONNECTIONS} connections,"
        f" {chosen.warm} s warm and {chosen.seconds} s measured, median of {chosen.rounds};"
        f" many jobs are {chosen.jobs:,}, measured once. Load average at the start: {load:.1f}"
        f" ({'the machine was not quiet' if load > _QUIET else 'a quiet machine'})."
    )


def write_into(page: Path, report: str) -> None:
    """Replace the report in *page*, between its two marks.

    Raises:
        BenchError: the marks are missing.
    """
    begins, ends = _MARKS
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begins)}.*?{re.escape(ends)}", re.DOTALL)
    if not pattern.search(text):
        raise BenchError(f"{page} has no lines {begins!r} and {ends!r}")
    written = pattern.sub(lambda _: f"{begins}\n\n{report}\n{ends}", text)
    page.write_text(written, encoding="utf-8")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="measured, per row (5)")
    parser.add_argument("--warm", type=int, default=3, help="before that, not measured (3)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of everything; the median counts (3)"
    )
    parser.add_argument("--jobs", type=int, default=100_000, help="that are many (100000)")
    parser.add_argument(
        "--only",
        choices=("mock", "views", "peers", "growth"),
        action="append",
        help="only these rows",
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the report into this page")
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> str:
    """Measure what was chosen and return the report."""
    require_wrk()
    # As an installed copy has them: a contract that was edited is else parsed at each start.
    for path in CONTRACT.parents[1].glob("*/*.yaml"):
        write_decoded(path)
    said = circumstances(chosen)
    bench = Bench(chosen.warm, chosen.seconds, chosen.jobs)
    modes = [bench]
    if (os.cpu_count() or 1) > 1:
        modes.append(Bench(chosen.warm, chosen.seconds, chosen.jobs, is_pinned=True))
    parts: dict[str, Callable[[Bench], Iterator[Row]]] = {
        "mock": measure_mock,
        "views": measure_views,
        "peers": measure_peers,
    }
    wanted = [name for name in parts if name in (chosen.only or parts)]
    grows = "growth" in (chosen.only or ("growth",))
    # Round by round, so that a busy moment of the machine does not fall on one server alone.
    rounds = [
        row
        for _ in range(chosen.rounds)
        for mode in modes
        for name in wanted
        for row in parts[name](mode)
    ]
    # Once: filling takes longer than all the rest.
    rows = middle([*rounds, *(measure_growth(bench) if grows else ())])
    facts = comparisons(rows) + (measure_starts() if "mock" in wanted else [])
    listed = "\n".join(f"- {what}: {how_much}" for what, how_much in facts)
    return f"{said}\n\n{table(rows)}\n\n{listed}\n"


def main() -> int:
    """Run and print; 2 if something has to be put right first."""
    chosen = options(sys.argv[1:])
    try:
        report = run(chosen)
        print(report)
        if chosen.write:
            write_into(chosen.write, report)
    except BenchError as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
