"""How often and how much at once: sliding rate windows and caps on running jobs."""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.behaviour import RateWindow


def wait_s(window: RateWindow, hits_ms: Sequence[int], now_ms: int) -> int:
    """Whole seconds until one more call fits into *window*; 0 when it fits now.

    *hits_ms* are the accepted calls younger than the window, oldest first. Waiting exactly that
    long is enough, one second less is not.
    """
    if len(hits_ms) < window.limit:
        return 0
    frees_ms = hits_ms[len(hits_ms) - window.limit] + window.per_ms
    return max(1, -(-(frees_ms - now_ms) // 1_000))
