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
from compileall import compile_dir
from pathlib import Path

from screentest.specs.files import write_decoded

from .journeys import CONTRACT
from .load import CONNECTIONS, BenchError, Measurement, require_wrk
from .loads import (
    CREATE,
    CREATE_SHARED,
    FLASK,
    POLL,
    POLL_FEW,
    POLL_MANY,
    POLL_SHARED,
    POLL_STREAMS,
    WSGI,
    Bench,
    Row,
    measure_mock,
    measure_peers,
    measure_views,
)
from .once import (
    Fact,
    Measured,
    measure_exploration,
    measure_file,
    measure_first_worlds,
    measure_growth,
    measure_shared,
    measure_starts,
)

#: Measured in rounds, pinned and unpinned.
ROUNDS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    "mock": measure_mock,
    "views": measure_views,
    "peers": measure_peers,
}
#: Measured once, because it is filled first, or measured several times by itself.
ONCE: Mapping[str, Callable[[Bench], Measured]] = {
    "growth": measure_growth,
    "file": measure_file,
    "shared": measure_shared,
    "start": measure_starts,
    "plugin": measure_first_worlds,
    "explore": measure_exploration,
}
#: Load average of one minute up to which nothing else is said to run.
_QUIET = 0.5

#: Where `--write` puts the report in a page.
_MARKS = "<!-- bench: written by make bench -->", "<!-- bench: end -->"
_SOURCES = [
    CONTRACT.parents[2] / it for it in ("contract_tests", "fixtures", "mock_server", "specs")
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
    """The figures of *rows* that are aimed at, where they were measured."""
    unpinned = {row.name: row.seen for row in rows if not row.is_pinned}
    pinned = {row.name: row.seen for row in rows if row.is_pinned}
    best = max(
        (name for name in unpinned if name.startswith(FLASK)),
        key=lambda name: unpinned[name].requests_per_s,
        default="",
    )
    found: list[Fact] = []
    for seen, how, mine, theirs, aim in (
        (unpinned, "unpinned", POLL, "Steady: status poll", "2.0 (floor 1.2)"),
        (unpinned, "unpinned", POLL, best, "2.0 (floor 1.2)"),
        (pinned, "pinned", POLL, WSGI, "0.5 (floor 0.35)"),
        (unpinned, "unpinned", CREATE, "Prism: create", "2.0 (floor 1.3)"),
        (unpinned, "unpinned", CREATE, "Steady: create", "0.6"),
    ):
        if mine in seen and theirs in seen:
            ratio = seen[mine].requests_per_s / seen[theirs].requests_per_s
            what = f"requests/s of '{mine}' to '{theirs}', {how}"
            found.append((what, f"{ratio:.2f} times", aim))
    for mine, theirs, aim in ((POLL_STREAMS, POLL, ""), (POLL_MANY, POLL_FEW, "1.2")):
        if mine in unpinned and theirs in unpinned:
            ratio = unpinned[theirs].requests_per_s / unpinned[mine].requests_per_s
            found.append((f"cost of '{mine}' to '{theirs}'", f"{ratio:.2f} times", aim))
    if CREATE in unpinned:
        found.append((f"p99 of '{CREATE}', unpinned", f"{unpinned[CREATE].p99_ms:.1f} ms", "10 ms"))
    for mine, aim in ((POLL_SHARED, "1,500"), (CREATE_SHARED, "400")):
        if mine in unpinned:
            shown = f"{unpinned[mine].requests_per_s:,.0f} requests/s"
            found.append((f"'{mine}', unpinned", shown, aim))
    return found


def listing(facts: Sequence[Fact]) -> str:
    """The facts as a table in Markdown, each beside what is aimed at."""
    lines = ["| | measured | aim |", "|---|---:|---:|"]
    return "\n".join(lines + [f"| {' | '.join(it)} |" for it in facts])


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
        f" many jobs are {chosen.jobs:,}; rows without pinned figures were measured once."
        f" Load average at the start: {load:.1f}"
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
    parser.add_argument("--seconds", type=int, default=2, help="measured, per row (2)")
    parser.add_argument("--warm", type=int, default=1, help="before that, not measured (1)")
    parser.add_argument("--rounds", type=int, default=3, help="of the rows; the median counts (3)")
    parser.add_argument("--jobs", type=int, default=100_000, help="that are many (100000)")
    parser.add_argument(
        "--only", choices=(*ROUNDS, *ONCE), action="append", help="only these parts; repeatable"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the report into this page")
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> str:
    """Measure what was chosen and return the report."""
    require_wrk()
    # As an installed copy has them: else each start parses a contract that was edited, and compiles
    # modules where the environment forbids to keep them.
    for path in CONTRACT.parents[1].glob("*/*.yaml"):
        write_decoded(path)
    for folder in _SOURCES:
        compile_dir(folder, quiet=2)
    said = circumstances(chosen)
    bench = Bench(chosen.warm, chosen.seconds, chosen.jobs)
    modes = [bench]
    if (os.cpu_count() or 1) > 1:
        modes.append(Bench(chosen.warm, chosen.seconds, chosen.jobs, is_pinned=True))
    wanted = chosen.only or [*ROUNDS, *ONCE]
    # Round by round, so that a busy moment of the machine does not fall on one server alone.
    rows = [
        row
        for _ in range(chosen.rounds)
        for mode in modes
        for name, load in ROUNDS.items()
        if name in wanted
        for row in load(mode)
    ]
    facts: list[Fact] = []
    for name, part in ONCE.items():
        if name in wanted:
            more_rows, more_facts = part(bench)
            rows += more_rows
            facts += more_facts
    shown = middle(rows)
    loads = f"{table(shown)}\n\n" if shown else ""
    return f"{said}\n\n{loads}{listing(comparisons(shown) + facts)}\n"


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
