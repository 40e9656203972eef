"""The machine's clocks. Only `http` reads them; everything below gets the time as an argument.

The functions of `time` are held in tuples: tools that freeze time replace them in every module that
has them as an attribute, and a frozen test must not stop the server.
"""

from __future__ import annotations

import time

_TIME = (time.time,)
_MONOTONIC = (time.monotonic,)


def wall_ms() -> int:
    """The machine's time in milliseconds since 1970."""
    return int(_TIME[0]() * 1_000)


def system_ms() -> int:
    """The time that programs of this process read; tools that freeze time change it."""
    return int(time.time() * 1_000)


def monotonic_s() -> float:
    """Seconds of a clock that never goes back; the zero has no meaning."""
    return _MONOTONIC[0]()
