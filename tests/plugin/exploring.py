"""What the tests of `screentest.explore` share: the marks of the cells, and a patient wait."""

from __future__ import annotations

import time
from typing import Any

from screentest.mock_server.explore.exploration import Exploration

from .corpus.wire import OPEN, Api


def verdicts(exploration: Exploration) -> dict[str, str]:
    """The marks of the cells, by name."""
    return {
        it.cell.name: "".join(verdict.mark for verdict in it.verdicts) for it in exploration.results
    }


def wait(own: Api, made: Any, pause_s: float = 10.0, deadline_s: float = 1_800.0) -> None:
    ends_s = time.monotonic() + deadline_s
    while time.monotonic() < ends_s:
        status = own.status(made)
        if status not in OPEN:
            if status in {"completed", "success"}:
                return
            raise RuntimeError(f"the video ended as {status}")
        time.sleep(pause_s)
    raise TimeoutError("the video has not ended")
