"""A time axis of a drawing: where an instant lies, and which instants get a label."""

from __future__ import annotations

from msgspec import Struct

_S, _MIN, _H, _D = 1_000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(it * _S for it in (1, 2, 5, 10, 15, 30)),
    *(it * _MIN for it in (1, 2, 5, 10, 15, 30)),
    *(it * _H for it in (1, 2, 3, 6, 12)),
    *(it * _D for it in (1, 2, 5, 10, 30, 100, 365)),
)
_TICKS_MAX = 8


class Tick(Struct, frozen=True):
    """A labelled place of an axis."""

    x: float
    label: str


class Axis(Struct, frozen=True):
    """The time from *from_ms* to *to_ms*, drawn from *left* over *width*."""

    from_ms: int
    to_ms: int
    left: float
    width: float

    def x(self, at_ms: int) -> float:
        """The place of an instant; one outside lies at the nearest end."""
        part = (at_ms - self.from_ms) / max(1, self.to_ms - self.from_ms)
        return round(self.left + self.width * min(1.0, max(0.0, part)), 1)

    def ticks(self) -> list[Tick]:
        """Round distances from the beginning."""
        length = max(1, self.to_ms - self.from_ms)
        step = next((it for it in _STEPS if length <= it * _TICKS_MAX), _STEPS[-1])
        count = min(_TICKS_MAX, length // step)
        return [Tick(self.x(self.from_ms + n * step), span(n * step)) for n in range(count + 1)]


def span(length_ms: int) -> str:
    """A length of time in the largest two units that it has, such as `2 min 30 s`."""
    if length_ms < _S:
        return f"{length_ms} ms" if length_ms else "0 s"
    left, parts = length_ms, list[str]()
    for unit, name in ((_D, "d"), (_H, "h"), (_MIN, "min")):
        if left >= unit:
            parts.append(f"{left // unit} {name}")
            left %= unit
    if left >= _S or not parts:
        parts.append(f"{round(left / _S, 1):g} s")
    return " ".join(parts[:2])
