"""Two worlds side by side: settings, readings, counts, and where their requests part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from msgspec import Struct

from ...engine.world import World
from ...kernel.clock import rfc3339
from .view import View

#: Requests of each world that are compared, from the first that its journal keeps.
_REQUESTS_MAX = 1_000


class Row(Struct, frozen=True):
    """One fact of both worlds."""

    name: str
    here: str
    there: str


def comparison(view: View) -> Mapping[str, object]:
    """The facts of this world and of the one that the query field `with` names."""
    others = [it.id for it in view.worlds.all() if it.id != view.world.id]
    chosen = view.args.get("with") or next(iter(others), None)
    if chosen is None:
        return {"others": others, "other": None}
    other = view.worlds.get(chosen)
    here, there = dict(_facts(view, view.world)), dict(_facts(view, other))
    rows = [Row(it, here.get(it, "–"), there.get(it, "–")) for it in {**here, **there}]
    return {
        "others": others,
        "other": other.id,
        "rows": rows,
        "differing": sum(it.here != it.there for it in rows),
        "parting": _parting(view.world, other),
    }


def _facts(view: View, world: World) -> Iterator[tuple[str, str]]:
    with world.rows.transaction() as rows:
        view.worlds.clocks.settle(world)
        now_ms, settings = view.worlds.clocks.now_ms(world), world.settings
        yield "time", rfc3339(now_ms)
        yield "clock", f"{world.clock.mode.value} ×{world.clock.speed:g}"
        yield "seed", str(world.seed)
        yield "pace", f"{settings.pace:g}"
        yield from sorted((f"reading {name}", it) for name, it in settings.choices.items())
        for account in rows.accounts.of_world():
            sums = f"{account.available} available, {account.held} held, {account.spent} spent"
            yield f"credits of {account.provider} {account.id}", sums
        jobs = rows.resources.jobs(before_seq=None, limit=_REQUESTS_MAX)
        instant = view.worlds.clocks.instant
        states = Counter(
            f"jobs of {it.provider} that are {instant(world, it.provider).state(it)}" for it in jobs
        )
        yield from ((name, str(count)) for name, count in sorted(states.items()))
        yield "requests", str(world.requests)
        yield "faults", str(len(rows.documents.of("fault")))


def _parting(here: World, there: World) -> tuple[int, str, str] | None:
    """The first request in which the worlds differ: its number, and what each received."""
    for number, (mine, theirs) in enumerate(zip_longest(_calls(here), _calls(there)), 1):
        if mine != theirs:
            return number, mine or "no request", theirs or "no request"
    return None


def _calls(world: World) -> list[str]:
    with world.rows.transaction() as rows:
        found = rows.journal.newest(before=None, limit=_REQUESTS_MAX, fits=lambda _: True)
    return [
        f"{line['provider']} {line['operation'] or line['request']['method']}"
        f" {line['response']['status']}"
        for _, line in reversed(found)
    ]
