"""A world's clock: integer milliseconds since 1970, forward only.

The caller passes the wall time, and the clock converts it to the world's time. It never reads the
machine's clock, so every rule of the mock is a function of (rows, now).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.errors import nearest

from .errors import MockError

#: Later than anything.
NEVER_MS = 2**62
DAY_MS = 24 * 60 * 60 * 1_000
#: Longer jumps than any documented lifetime needs; Stripe's test clocks stop at two years.
ADVANCE_MAX_MS = 400 * DAY_MS
#: A job that schedules its next step without a delay would otherwise never end an advance.
FIRES_PER_ADVANCE_MAX = 100_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPEED_MAX = 1_000_000.0


class Mode(Enum):
    """What moves a clock."""

    REAL = "real"  # follows the machine, times a speed
    MANUAL = "manual"  # only `advance`
    WARP = "warp"  # only `advance`, which the sleeps of the client call
    AUTO = "auto"  # a poll jumps to the next transition
    SYSTEM = "system"  # follows `time.time()`, as freezegun and time-machine replace it

    @property
    def is_frozen(self) -> bool:
        """Whether only a call advances the clock."""
        return self in {Mode.MANUAL, Mode.WARP}


class Clock(Struct, frozen=True, gc=False):
    """The world's time is *base_ms* at wall time *wall_ms*; in mode `real` it runs at *speed*."""

    mode: Mode
    base_ms: int
    wall_ms: int
    speed: float = 1.0

    def now_ms(self, wall_ms: int) -> int:
        """The world's time at wall time *wall_ms*."""
        if self.mode is Mode.REAL:
            # The machine's clock can be set back; the world's cannot.
            return self.base_ms + max(0, int((wall_ms - self.wall_ms) * self.speed))
        if self.mode is Mode.SYSTEM:
            # A program may freeze its time before the world began; a world's time never goes back.
            return max(self.base_ms, wall_ms)
        return self.base_ms

    def wall_wait_ms(self, until_ms: int, wall_ms: int) -> int | None:
        """Real milliseconds until the world's *until_ms*; None if only a call gets there."""
        if self.mode is not Mode.REAL and self.mode is not Mode.SYSTEM:
            return None
        speed = self.speed if self.mode is Mode.REAL else 1.0
        # One more, as both sides are rounded down: a waiter that wakes early would wait again.
        return max(0, int((until_ms - self.now_ms(wall_ms)) / speed) + 1)

    def wall_ms_of(self, at_ms: int) -> int | None:
        """The wall time of the world's *at_ms*; None if only an act gets there."""
        if self.mode is Mode.REAL:
            return self.wall_ms + int((at_ms - self.base_ms) / self.speed) + 1
        return at_ms if self.mode is Mode.SYSTEM else None

    @property
    def own_speed(self) -> float:
        """How fast time passes for a client that waits; 0 if it does not pass."""
        if self.mode is Mode.REAL:
            return self.speed
        return 1.0 if self.mode in {Mode.SYSTEM, Mode.WARP} else 0.0

    def at(self, now_ms: int, wall_ms: int) -> Clock:
        """The same clock with the time *now_ms* at this wall time; *now_ms* must not go back."""
        assert now_ms >= self.base_ms, (now_ms, self.base_ms)
        return replace(self, base_ms=now_ms, wall_ms=wall_ms)


def check_speed(speed: float) -> float:
    """*speed* as a factor of real time.

    Raises:
        MockError: *speed* is 0 or less, or more than a million.
    """
    if not 0 < speed <= _SPEED_MAX:
        raise MockError(f"speed {speed!r} must be above 0 and at most {_SPEED_MAX:.0f}")
    return float(speed)


def read_clock(text: str) -> tuple[Mode, float]:
    """Mode and speed of `real`, `real:20`, `manual`, `auto` or `system`.

    Raises:
        MockError: the mode is unknown, or the speed is not a positive number.
    """
    word, colon, factor = text.partition(":")
    modes = {mode.value: mode for mode in Mode}
    if word not in modes or (colon and word != "real"):
        close = nearest(word, modes)
        hint = f"; did you mean {close[0]!r}?" if close and not colon else ""
        raise MockError(
            f"clock {text!r} must be one of {', '.join(modes)}, or real:SPEED{hint}",
            code="invalid_field",
        )
    try:
        return modes[word], check_speed(float(factor)) if colon else 1.0
    except ValueError:
        raise MockError(
            f"clock speed {factor!r} is not a number; write real:20", code="invalid_field"
        ) from None


def rfc3339(at_ms: int) -> str:
    """`2026-01-01T00:00:00Z`, with milliseconds unless they are 0."""
    whole, rest = divmod(at_ms, 1_000)
    return f"{_to_the_second(whole)}.{rest:03d}Z" if rest else f"{_to_the_second(whole)}Z"


def rfc3339_microseconds(at_ms: int) -> str:
    """`2026-01-01T00:00:00.042000Z`, as Python's frameworks print it."""
    whole, rest = divmod(at_ms, 1_000)
    return f"{_to_the_second(whole)}.{rest:03d}000Z"


# Many polls fall into the same second, and `strftime` is slow.
@lru_cache(maxsize=4_096)
def _to_the_second(at_s: int) -> str:
    return (_EPOCH + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%S")


class Notations(dict[str, int | str | None]):
    """One instant in the notations that providers use, each made when it is needed.

    `ms` and `s` count since 1970; `iso` is RFC 3339, `iso_s` without milliseconds, and `iso_us`
    with six decimals. All are null for None.
    """

    __slots__ = ("_at_ms",)

    def __init__(self, at_ms: int | None) -> None:
        super().__init__()
        self._at_ms = at_ms

    def __missing__(self, name: str) -> int | str | None:
        write, at_ms = _NOTATIONS[name], self._at_ms
        value = self[name] = None if at_ms is None else write(at_ms)
        return value


_NOTATIONS: Mapping[str, Callable[[int], int | str]] = {
    "ms": lambda at_ms: at_ms,
    "s": lambda at_ms: at_ms // 1_000,
    "iso": rfc3339,
    "iso_s": lambda at_ms: rfc3339(at_ms // 1_000 * 1_000),
    "iso_us": rfc3339_microseconds,
}


def parse_rfc3339(text: str) -> int:
    """Milliseconds since 1970 of an instant such as `2026-01-01T00:00:00Z`.

    Raises:
        MockError: *text* is not an RFC 3339 instant with a time zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    # Without a time zone the instant would depend on the machine.
    if instant is None or instant.tzinfo is None:
        raise MockError(
            f"{text!r} is not an instant; write it like 2026-01-01T00:00:00Z", code="invalid_field"
        )
    return (instant - _EPOCH) // timedelta(milliseconds=1)
