"""`screentest clock`: show the clock, advance it, or change its mode."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ...kernel.clock import ADVANCE_MAX_MS
from ..client import Mock, world_verb
from ..durations import between_ms, duration_text, read_duration_ms
from ..float_range import Factor
from ..groups import Forward, group
from ..output import fail, show, table

_MODES = ("real", "manual", "warp", "auto", "system")


@group("clock", first="show")
def command() -> None:
    """Show the clock, advance it, or change its mode."""


@command.command("show")
@world_verb
def show_clock(mock: Mock, *, as_json: bool) -> None:
    """Show the mode, the time of the world, and what is due next."""
    show(mock.get("/clock"), _lines, as_json=as_json)


@command.command(
    "advance", cls=Forward, negative="HOW_FAR must not be negative: a clock moves forward"
)
@click.argument("how_far")
@world_verb
def advance(how_far: str, mock: Mock, *, as_json: bool) -> None:
    """Advance the clock, and print the events on the way.

    HOW_FAR is a duration (45s, 2m, 1h30m), `next` (to what is due next), `idle` (until nothing is
    due any more), or an instant such as 2026-01-01T12:00:00Z.
    """
    body = _advance_body(how_far)
    began = mock.get("/clock")["now"]
    moved = mock.post("/clock/advance", body)
    show({**moved, "from": began}, _moved_lines, as_json=as_json)


@command.command("speed", cls=Forward, negative="FACTOR must be a number above 0")
@click.argument("factor", type=Factor(min=0, min_open=True))
@world_verb
def speed(factor: float, mock: Mock, *, as_json: bool) -> None:
    """Run FACTOR times as fast as the machine's clock."""
    body = {"mode": "real", "speed": factor}
    show(mock.patch("/clock", body), _lines, as_json=as_json)


@command.command("mode")
@click.argument("mode", type=click.Choice(_MODES))
@world_verb
def change_mode(mode: str, mock: Mock, *, as_json: bool) -> None:
    """Choose what moves the clock.

    real: the machine's time. manual: only `clock advance`. auto: every poll advances to what is
    due next. system: time.time() of the mock's process.
    """
    show(mock.patch("/clock", {"mode": mode}), _lines, as_json=as_json)


def _advance_body(how_far: str) -> Json:
    if how_far in {"next", "idle"}:
        return {"until": how_far}
    by_ms = read_duration_ms(how_far)
    if by_ms is not None and by_ms > ADVANCE_MAX_MS:
        fail(f"cannot advance by {how_far!r}: a clock moves at most 400 days at a time")
    if by_ms is not None:
        return {"by_ms": by_ms}
    if "T" in how_far:
        return {"to": how_far}
    hint = "write a duration (45s, 2m, 1h30m), next, idle, or an instant (2026-01-01T12:00:00Z)"
    return fail(f"cannot advance by {how_far!r}", hint)


def _lines(clock: Json) -> Iterable[str]:
    speed = clock.get("speed", 1)
    mode = clock["mode"] if speed == 1 else f"{clock['mode']} ×{speed:g}"
    due = clock["next"]
    detail = "nothing is due"
    if due is not None:
        wait = duration_text(between_ms(clock["now"], due["at"]))
        detail = f"next: {due['subject']} {due['type']} in {wait}"
    pending = clock["pending"]
    return [f"{mode}  {clock['now']}  {detail}" + (f"  ({pending} pending)" if pending > 1 else "")]


def _moved_lines(moved: Json) -> Iterable[str]:
    fired, began = moved["fired"], moved["from"]
    counted = f"{len(fired)} event{'' if len(fired) == 1 else 's'}"
    jumped = duration_text(between_ms(began, moved["now"]))
    yield f"advanced {jumped} to {moved['now']}  {counted}"
    yield from table(
        (f"  +{duration_text(between_ms(began, it['at']))}", it["type"], it["subject"])
        for it in fired
    )
