"""The machine's clocks. Only `http` reads them; everything below gets the time as an argument.

The functions of `time` are held in tuples: tools that freeze time replace them in every module that
has them as an attribute, and a frozen test must not stop the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Seconds = Callable[[], float]

_TIME = (time.time,)
_MONOTONIC = (time.monotonic,)


class Wall:
    """The machine's time in milliseconds since 1970, which never goes back and never stops.

    When the machine's clock is set back, this one goes on as if it had not been.
    """

    def __init__(self, time_s: Seconds, monotonic_s: Seconds) -> None:
        self._time_s = time_s
        self._monotonic_s = monotonic_s
        self._last = time_s(), monotonic_s()

    def __call__(self) -> int:
        last_s, then_s = self._last
        passed_s = self._monotonic_s()
        now_s = max(self._time_s(), last_s + passed_s - then_s)
        self._last = now_s, passed_s
        return int(now_s * 1_000)


wall_ms = Wall(_TIME[0], _MONOTONIC[0])


def system_ms() -> int:
    """The time that programs of this process read; tools that freeze time change it."""
    return int(time.time() * 1_000)


def monotonic_s() -> float:
    """Seconds of a clock that never goes back; the zero has no meaning."""
    return _MONOTONIC[0]()
