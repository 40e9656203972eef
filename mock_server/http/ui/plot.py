"""The credits of an account over the time of its world, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ...kernel.ledger import Movement
from ...kernel.rows import Entry
from .axis import Axis, Tick

WIDTH, HEIGHT = 960, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 48, 16, 32
#: The drawing is not wide enough to show more corners than this.
_POINTS_MAX = 800

NAMES = ("available", "held", "spent")
_SIGNS = {it.label: it.signs for it in Movement}


class Plot(Struct, frozen=True):
    """A stepped line for each of `NAMES`, as SVG paths, with the labels of both axes."""

    lines: Mapping[str, str]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[tuple[float, int]]


def sums_after(entries: Sequence[Entry]) -> list[tuple[int, tuple[int, int, int]]]:
    """(instant, what is available, held and spent) after each of *entries*."""
    available = held = spent = 0
    found: list[tuple[int, tuple[int, int, int]]] = []
    for entry in entries:
        _, to_available, to_held, to_spent = _SIGNS[entry.kind]
        available += to_available * entry.amount
        held += to_held * entry.amount
        spent += to_spent * entry.amount
        found.append((entry.at_ms, (available, held, spent)))
    return found


def plot(entries: Sequence[Entry], now_ms: int) -> Plot | None:
    """The drawing of *entries*, oldest first; None when there are none."""
    points = sums_after(entries)
    if not points:
        return None
    step = max(1, len(points) // _POINTS_MAX)
    kept = [*points[:-1:step], points[-1]]
    axis = Axis(
        kept[0][0], max(now_ms, kept[-1][0], kept[0][0] + 1_000), _LEFT, WIDTH - _LEFT - _RIGHT
    )
    highest = max(1, *(max(sums) for _, sums in kept))
    span = HEIGHT - _TOP - _BOTTOM

    def y(amount: float) -> float:
        return round(HEIGHT - _BOTTOM - span * amount / highest, 1)

    lines: dict[str, str] = {}
    for place, name in enumerate(NAMES):
        path = f"M{axis.x(kept[0][0])} {y(kept[0][1][place])}"
        for at_ms, sums in kept[1:]:
            path += f"H{axis.x(at_ms)}V{y(sums[place])}"
        lines[name] = f"{path}H{axis.x(axis.to_ms)}"
    y_ticks = range(0, highest + 1, -(-highest // 4))
    return Plot(lines, axis.ticks(), [(y(it), it) for it in y_ticks])
