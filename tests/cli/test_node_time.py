"""Programs in Node.js whose sleeps move the clock of their world: `explore`, `run --clock warp`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from screentest.mock_server.cli.running.sleeping import following_sleeps
from screentest.mock_server.kernel.clock import parse_rfc3339
from tests.live_mock import LiveMock

from .conftest import Shell

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")

#: Polls every five seconds for ten minutes at most, with a deadline for each request.
_CLIENT = """
const headers = { "X-API-Key": process.env.OZOR_API_KEY, "Content-Type": "application/json" };
const base = process.env.OZOR_BASE_URL + "/api/v1/videos";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function call(path, body) {
  for (let pause = 1_000; ; pause *= 2) {
    try {
      const method = body ? "POST" : "GET";
      const signal = AbortSignal.timeout(10_000);
      const options = { method, headers, signal, body: JSON.stringify(body) };
      const answer = await fetch(base + path, options);
      if (!answer.ok) throw new Error(String(answer.status));
      return await answer.json();
    } catch (error) {
      if (pause > 4_000) throw error;
      await sleep(pause);
    }
  }
}
const { videoId, jobId } = await call("/generate", { prompt: "A lamp" });
const ends = Date.now() + 180_000;
for (;;) {
  const { status } = await call(`/${videoId}/jobs/${jobId}`);
  if (status === "completed") break;
  if (status === "failed") throw new Error("it failed");
  if (Date.now() > ends) throw new Error("it has not ended after three minutes");
  await sleep(5_000);
}
"""


class Place:
    """A world whose clock programs in Node.js move."""

    def __init__(self, live: LiveMock, folder: Path) -> None:
        self._live = live
        self._folder = folder
        self._world = live.world(clock={"mode": "auto"})

    def run(self, program: str) -> str:
        """What *program* prints."""
        variables = {**self._world["env"], "SCREENTEST_URL": self._live.url}
        following = following_sleeps(self._folder, self._world["id"], variables)
        done = subprocess.run(
            ["node", "--input-type=module", "-e", program],
            env={**os.environ, **variables, **following},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def passed_s(self) -> float:
        """How far the clock of the world has moved."""
        world = self._live.control("GET", f"/worlds/{self._world['id']}")
        now, began = (_seconds(it) for it in (world["clock"]["now"], self._world["clock"]["now"]))
        return now - began


def _seconds(instant: str) -> float:
    return parse_rfc3339(instant) / 1_000


@pytest.fixture
def place(live: LiveMock, tmp_path: Path) -> Place:
    return Place(live, tmp_path)


@pytest.mark.parametrize(
    ("program", "printed", "passed_s"),
    [
        ("setTimeout(() => console.log('rings'), 600_000)", "rings\n", 600.0),
        ("setTimeout(() => console.log('rings'), 600_000).unref()", "", 0.0),
        ("", "", 0.0),
        (
            "let n = 0; const it = setInterval(() => ++n === 3 && clearInterval(it), 60_000);"
            "process.on('exit', () => console.log(n))",
            "3\n",
            180.0,
        ),
        (
            "import { setTimeout as sleep } from 'node:timers/promises';"
            "await Promise.all([sleep(50_000), sleep(50_000), sleep(20_000)]); console.log('both')",
            "both\n",
            50.0,
        ),
        (
            "const began = Date.now(); setTimeout(() => console.log(Date.now() - began), 7_000)",
            "7000\n",
            7.0,
        ),
        (
            "import { execFileSync } from 'node:child_process';"
            "execFileSync(process.execPath, ['-e', 'setTimeout(() => {}, 30_000)'])",
            "",
            30.0,
        ),
    ],
    ids=["a timer", "an unreferenced timer", "no timer", "ticks", "at once", "dates", "a child"],
)
def test_timers_move_the_clock_and_end_with_the_program(
    place: Place, program: str, printed: str, passed_s: float
) -> None:
    assert place.run(program) == printed
    assert place.passed_s() == passed_s


def test_deadline_of_a_request_does_not_move_the_clock(place: Place) -> None:
    program = """
    const deadline = setTimeout(() => console.log("too late"), 30_000);
    const headers = { "X-API-Key": process.env.OZOR_API_KEY };
    const answer = await fetch(process.env.OZOR_BASE_URL + "/api/v1/videos", { headers });
    await answer.text();
    clearTimeout(deadline);
    """

    assert place.run(program) == ""
    assert place.passed_s() == 0.0


@pytest.mark.long
def test_client_that_polls_every_five_seconds_for_minutes_is_explored_in_seconds(
    shell: Shell,
) -> None:
    (shell.folder / "client.mjs").write_text(_CLIENT)
    names = ("generateVideo.1:stalls", "generateVideo.1:lost", "getJob.1:429")
    only = [word for name in names for word in ("--only", name)]
    began_s = time.monotonic()

    done = shell.run(
        "explore", *only, "--provider=ozor", "--report", "json:out.json", "--", "node", "client.mjs"
    )

    stalled, lost, early = json.loads((shell.folder / "out.json").read_text())["cells"]
    assert done.code == 1, done.err
    assert (stalled["verdicts"], stalled["elapsed_s"]) == (["REPORTED"], 185.0)
    detail = "exit code 1: Error: it has not ended after three minutes"
    assert stalled["ending"]["detail"] == detail
    assert (lost["verdicts"], early["verdicts"]) == (["PAID_TWICE"], ["TOO_EARLY"])
    # Three minutes of polling, four times over.
    assert time.monotonic() - began_s < 60


_SLEEPS_IN_NODE = "const a = Date.now(); setTimeout(() => console.log(Date.now() - a), 600_000)"
_SLEEPS_IN_PYTHON = "import time; a = time.time(); time.sleep(600); print(int(time.time() - a), 0)"


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("node", "-e", _SLEEPS_IN_NODE), "600000\n"),
        ((sys.executable, "-c", _SLEEPS_IN_PYTHON), "600 0\n"),
    ],
    ids=["node", "python"],
)
def test_sleeps_take_no_time_in_a_run_with_the_clock_warp(
    shell: Shell, words: tuple[str, ...], printed: str
) -> None:
    done = shell.run("run", "--clock=warp", "--", *words)

    assert (done.code, done.out) == (0, printed)
