"""What the exploration of a client of twelve requests costs, in processor time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from screentest.specs.json_types import Json

#: Repeats what fails, and waits for its video for half an hour at most.
CLIENT = """
import json, os, sys, time, urllib.error, urllib.request
BASE = os.environ["OZOR_BASE_URL"] + "/api/v1/videos"
HEADERS = {"X-API-Key": os.environ["OZOR_API_KEY"], "Content-Type": "application/json"}
def call(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    for pause in (1, 2, 4, None):
        try:
            request = urllib.request.Request(BASE + path, data, HEADERS)
            return json.load(urllib.request.urlopen(request, timeout=5))
        except (OSError, ValueError):
            if pause is None:
                raise
            time.sleep(pause)
made = call("/generate", {"prompt": "A lamp"})
job = f"/{made['videoId']}/jobs/{made['jobId']}"
ends = time.monotonic() + 1800
while (status := call(job)["status"]) != "completed":
    if status == "failed" or time.monotonic() > ends:
        sys.exit("it ended as " + status)
    time.sleep(10)
print("done")
"""
_SECONDS_MAX = 300


@dataclass(frozen=True)
class Cost:
    """The *requests* of the client, its *cells* with their verdicts, and the cost of all runs."""

    requests: int
    cells: Sequence[Json]
    processor_s: float

    @property
    def runs(self) -> int:
        return len(self.cells)

    def verdicts(self, first: str) -> set[str]:
        """The names of the cells whose worst verdict is *first*."""
        return {it["cell"] for it in self.cells if it["verdicts"][0] == first}


def measure(folder: Path) -> Cost:
    """Explore a client with two runs at a time; *folder* takes its files."""
    program, report = folder / "client.py", folder / "out.json"
    # Polls so often that it has twelve requests with this seed.
    program.write_text(CLIENT.replace("time.sleep(10)", "time.sleep(4)"))
    before = getrusage(RUSAGE_CHILDREN)
    words = ["explore", "--seed=7", "--provider=ozor", "--jobs=2", f"--report=json:{report}"]
    subprocess.run(
        [
            *(sys.executable, "-m", "screentest.mock_server.cli"),
            *words,
            *("--", sys.executable, str(program)),
        ],
        capture_output=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    after = getrusage(RUSAGE_CHILDREN)
    document = json.loads(report.read_text())
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(document["undisturbed"]["requests"], document["cells"], used_s)
