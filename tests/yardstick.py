"""How slow this machine is now, so that limits of processor time hold on a busy one.

Other programs take a machine's caches and share its cores, and so make even the processor time of a
test longer. A fixed piece of work at the same time shows by how much.
"""

from __future__ import annotations

import json
import time

#: The processor time of `_work` on a machine that does nothing else.
_QUIET_S = 0.05
_TURNS = 3


def slowness() -> float:
    """By how much the fixed work takes longer now than on a quiet machine; 1 at least."""
    return max(1.0, min(_took_s() for _ in range(_TURNS)) / _QUIET_S)


def _took_s() -> float:
    began_s = time.process_time()
    _work()
    return time.process_time() - began_s


def _work() -> None:
    """Decode and sort some megabytes, which do not fit into a core's own cache."""
    rows = [{"id": f"job_{number}", "at": number, "tags": ["a", "b"]} for number in range(20_000)]
    decoded = json.loads(json.dumps(rows))
    decoded.sort(key=lambda row: (row["at"] % 7, row["id"]))
