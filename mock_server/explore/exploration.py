"""The plan of an exploration, its runs, and its results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from screentest.specs.contracts.contract import Contract

from ..kernel.errors import MockError, unknown
from .breaks import Break, breaks_at
from .observation import Cell, Observed, Subject
from .places import Place, distinct, places_of
from .verdicts import Verdict, judge

RUNS_MAX = 300


class Result(Struct, frozen=True):
    """A cell that was tried. *is_known*: the baseline has it with the same verdicts."""

    cell: Cell
    run: Observed
    verdicts: tuple[Verdict, ...]
    is_known: bool = False

    @property
    def is_bad(self) -> bool:
        return any(it.is_bad for it in self.verdicts)


class Exploration(Struct, frozen=True):
    """The undisturbed run, and the outcome of each cell. *left_out* cells were too many."""

    plain: Observed
    results: Sequence[Result]
    left_out: int
    command: str

    @property
    def bad(self) -> list[Result]:
        """The cells that are broken and not known."""
        return [it for it in self.results if it.is_bad and not it.is_known]


class Wishes(Struct, frozen=True):
    """What to try: the cells named in *only*, or all; *pairs* of breaks too; at most *runs_max*."""

    only: tuple[str, ...] = ()
    pairs: bool = False
    runs_max: int = RUNS_MAX
    known: Mapping[str, Collection[str]] = {}


def explore(
    subject: Subject,
    contracts: Mapping[str, Contract],
    wishes: Wishes,
    announce: Callable[[str], None],
) -> Exploration:
    """Run the program of *subject* once undisturbed, then once for each cell.

    *announce* gets one line about the plan before the runs.

    Raises:
        MockError: the undisturbed run fails, calls no provider, or has no cell as asked for.
    """
    plain = subject.run(None)
    if plain.ending.kind != "ok":
        raise MockError(f"the undisturbed run does not succeed: {plain.ending.detail}")
    places = places_of(plain.lines, plain.deliveries, contracts)
    if not places:
        raise MockError("the program has called no provider; does it read the variables?")
    if wishes.only:
        chosen, left_out = [_named(it, places, subject, contracts) for it in wishes.only], 0
    else:
        planned = [Cell(((place, it),)) for place in distinct(places) for it in breaks_at(place)]
        chosen, left_out = planned[: wishes.runs_max], max(0, len(planned) - wishes.runs_max)
    announce(_plan_line(len(plain.lines), chosen, left_out))
    results = _try(subject, plain, chosen, wishes)
    if wishes.pairs and not wishes.only:
        pairs = list(_pairs(results, contracts))
        room = max(0, wishes.runs_max - len(results))
        announce(f"{len(pairs)} pairs, {min(room, len(pairs))} of them within the bound of runs")
        left_out += max(0, len(pairs) - room)
        results += _try(subject, plain, pairs[:room], wishes)
    return Exploration(plain, results, left_out, subject.command)


def _plan_line(requests: int, cells: Sequence[Cell], left_out: int) -> str:
    places = len({it.place.name for it in cells})
    more = f"; {left_out} more are left out, --runs allows them" if left_out else ""
    return f"requests: {requests}, places that differ: {places}, runs: {len(cells)}{more}"


def _try(subject: Subject, plain: Observed, cells: Sequence[Cell], wishes: Wishes) -> list[Result]:
    def one(cell: Cell) -> Result:
        run = subject.run(cell)
        verdicts = judge(plain, run, cell)
        names = {it.name for it in verdicts}
        return Result(cell, run, verdicts, names <= set(wishes.known.get(cell.name, ())))

    if subject.jobs == 1:
        return [one(it) for it in cells]
    with ThreadPoolExecutor(subject.jobs) as pool:
        return list(pool.map(one, cells))


def _pairs(results: Sequence[Result], contracts: Mapping[str, Contract]) -> Iterator[Cell]:
    """A second break after a first one that the program survived.

    Of first breaks after which the program did the same, one is tried.
    """
    tried: set[object] = set()
    for first in results:
        if first.verdicts != (Verdict.RECOVERED,) or first.run.signature in tried:
            continue
        tried.add(first.run.signature)
        places = places_of(first.run.lines, first.run.deliveries, contracts)
        broken = first.cell.place.position_in(first.run.lines)
        later = [it for it in distinct(places) if it.index > broken]
        for place in later:
            for it in breaks_at(place, first.cell.parts[-1]):
                yield Cell((*first.cell.parts, (place, it)))


def _named(
    name: str, places: Sequence[Place], subject: Subject, contracts: Mapping[str, Contract]
) -> Cell:
    """The cell that --only names. The places of a second break are those after the first one.

    Raises:
        MockError: the run has no such place, or it cannot break so.
    """
    parts: list[tuple[Place, Break]] = []
    for part in name.split("+"):
        if parts:
            run = subject.run(Cell(tuple(parts)))
            places = places_of(run.lines, run.deliveries, contracts)
        place_name, _, break_name = part.rpartition(":")
        known = {it.name: it for it in places}
        if place_name not in known:
            raise unknown("place", place_name, known)
        before = parts[-1] if parts else None
        ways = {it.name: it for it in breaks_at(known[place_name], before)}
        if break_name not in ways:
            raise unknown("break", break_name, ways, of=place_name)
        parts.append((known[place_name], ways[break_name]))
    return Cell(tuple(parts))
