"""A job over the time of its world, as shapes: states, and what happened while they lasted."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from screentest.specs.behaviour.lifecycles import Kind

from .axis import Axis, Tick

WIDTH = 960
_LEFT, _RIGHT = 96, 48
#: The width of a final state, which has no end.
_END_WIDTH = 10.0
#: A bar that is narrower has no room for its name.
_LABEL_WIDTH = 56.0


class Mark(Struct, frozen=True):
    """Something that happened at *at_ms*, in the lane *lane*. *tone* chooses its colour."""

    at_ms: int
    lane: str
    label: str
    tone: str = "plain"
    link: str = ""


class Bar(Struct, frozen=True):
    """A state from *x* over *width*. A state that the job has not reached *is_ahead*."""

    x: float
    width: float
    state: str
    kind: str
    is_ahead: bool
    has_label: bool


class Dot(Struct, frozen=True):
    """A mark at *x*, *y*."""

    x: float
    y: int
    mark: Mark


class Lane(Struct, frozen=True):
    """A row of marks with its name."""

    name: str
    y: int


class Timeline(Struct, frozen=True):
    """The drawing. *now_x* is None while the present lies outside of it."""

    height: int
    bars: Sequence[Bar]
    lanes: Sequence[Lane]
    dots: Sequence[Dot]
    ticks: Sequence[Tick]
    now_x: float | None


def timeline(
    steps: Sequence[tuple[int, str, Kind]], marks: Sequence[Mark], now_ms: int
) -> Timeline:
    """The drawing of a job whose states begin at the instants of *steps*."""
    begin = steps[0][0]
    end = max([steps[-1][0], *(it.at_ms for it in marks), begin + 1_000])
    axis = Axis(begin, end + (end - begin) // 20, _LEFT, WIDTH - _LEFT - _RIGHT)
    bars: list[Bar] = []
    for number, (at_ms, state, kind) in enumerate(steps):
        is_last = number == len(steps) - 1
        x = axis.x(at_ms)
        width = _END_WIDTH if is_last else axis.x(steps[number + 1][0]) - x
        bars.append(
            Bar(x, round(width, 1), state, kind.value, at_ms > now_ms, width >= _LABEL_WIDTH)
        )
    lanes = [Lane(name, 92 + 34 * n) for n, name in enumerate(dict.fromkeys(m.lane for m in marks))]
    rows = {lane.name: lane.y for lane in lanes}
    dots = [Dot(axis.x(it.at_ms), rows[it.lane], it) for it in marks]
    is_inside = axis.from_ms <= now_ms <= axis.to_ms
    return Timeline(
        96 + 34 * len(lanes), bars, lanes, dots, axis.ticks(), axis.x(now_ms) if is_inside else None
    )
