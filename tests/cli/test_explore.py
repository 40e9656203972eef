"""`screentest explore -- COMMAND`: each run is a process in a world of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from .conftest import Shell
from .exploration_cost import CLIENT, measure

#: Polls without a pause: each of its polls moves the clock to the next change.
_SHELL = """
set -e
videos=$OZOR_BASE_URL/api/v1/videos
key="X-API-Key: $OZOR_API_KEY"
make() {
  curl -sf -H "$key" --json '{"prompt": "A lamp"}' "$videos/generate"
}
made=$(make || make)
video=$(echo "$made" | sed 's/.*"videoId":"\\([^"]*\\)".*/\\1/')
job=$(echo "$made" | sed 's/.*"jobId":"\\([^"]*\\)".*/\\1/')
for _ in 1 2 3 4 5; do
  if curl -sf -H "$key" "$videos/$video/jobs/$job" | grep -q '"completed"'; then exit 0; fi
done
exit 1
"""


def _cells(path: Path) -> dict[str, list[str]]:
    document: Json = json.loads(path.read_text())
    return {it["cell"]: it["verdicts"] for it in document["cells"]}


@pytest.fixture
def client(shell: Shell) -> Shell:
    (shell.folder / "client.py").write_text(CLIENT)
    return shell


def test_cells_are_tried_and_the_exit_code_says_that_one_is_broken(client: Shell) -> None:
    names = ("generateVideo.1:lost", "generateVideo.1:killed", "getJob.1:429", "getJob.1:cut")
    only = [word for name in names for word in ("--only", name)]

    done = client.run(
        "explore", *only, "--report", "json:out.json", "--", sys.executable, "client.py"
    )

    assert done.code == 1
    assert "places that differ" in done.err
    assert _cells(client.folder / "out.json") == {
        "generateVideo.1:lost": ["PAID_TWICE"],
        "generateVideo.1:killed": ["PAID_TWICE"],
        "getJob.1:429": ["TOO_EARLY"],
        "getJob.1:cut": ["RECOVERED"],
    }
    again = f"again: screentest explore --only generateVideo.1:lost -- {sys.executable} client.py"
    assert again in done.out


def test_sleeps_of_python_take_no_time(client: Shell) -> None:
    done = client.run(
        "explore",
        *("--only", "generateVideo.1:stalls", "--report", "json:out.json"),
        *("--", sys.executable, "client.py"),
    )

    (cell,) = json.loads((client.folder / "out.json").read_text())["cells"]
    assert (done.code, cell["verdicts"]) == (0, ["REPORTED"])
    assert 1_790 <= cell["elapsed_s"] <= 1_830
    assert cell["ending"]["detail"] == "exit code 1: it ended as processing"


@pytest.mark.long
def test_same_seed_gives_the_same_table_and_another_process_count_too(client: Shell) -> None:
    tables = [
        client.run("explore", "--runs=8", f"--jobs={jobs}", "--", sys.executable, "client.py").out
        for jobs in (1, 2)
    ]

    assert tables[0] == tables[1]
    assert "8 runs" in tables[0]


@pytest.mark.slow
def test_program_of_twelve_requests_is_explored_within_twenty_seconds(client: Shell) -> None:
    """Of processor time, all processes together: the machine of a test run may be busy."""
    cost = measure(client.folder)

    paid_twice = {"lost", "500-done", "503-done", "json", "killed"}
    assert (cost.requests, cost.runs) == (12, 51)
    assert cost.verdicts("PAID_TWICE") == {f"generateVideo.1:{it}" for it in paid_twice}
    assert cost.processor_s < 20


@pytest.mark.long
def test_baseline_makes_a_broken_cell_known(client: Shell) -> None:
    only = ("--only", "generateVideo.1:lost")
    command = ("--", sys.executable, "client.py")
    first = client.run("explore", *only, "--report", "json:out.json", *command)

    second = client.run(
        "explore", *only, "--baseline", "out.json", "--report", "junit:out.xml", *command
    )

    assert (first.code, second.code) == (1, 0)
    assert "(2)" in second.out
    assert "1 run, 0 broken, 1 known" in second.out
    assert 'skipped="1"' in (client.folder / "out.xml").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_program_in_another_language_is_explored(shell: Shell) -> None:
    (shell.folder / "client.sh").write_text(_SHELL)

    done = shell.run("explore", "--only", "generateVideo.1:lost", "--", "sh", "client.sh")

    assert done.code == 1, done.err
    assert "it spent 2 credits, the undisturbed run 1 credit" in done.out


def test_program_that_does_not_end_is_ended(shell: Shell) -> None:
    (shell.folder / "client.py").write_text("import threading\nthreading.Event().wait()\n")

    done = shell.run("explore", "--timeout=1", "--", sys.executable, "client.py")

    assert done.code == 2
    assert "the undisturbed run does not succeed: more than 1 s of real time" in done.err


@pytest.mark.parametrize(
    ("code", "words", "detail"),
    [
        (2, ("--", sys.executable, "-c", "raise SystemExit('no lamp')"), "exit code 1: no lamp"),
        (2, ("--", sys.executable, "-c", ""), "the program has called no provider"),
        (4, ("--baseline", "client.py", "--", "true"), "client.py is not a report of `explore"),
        (
            2,
            ("--only", "getVideo.1:cut", "--", sys.executable, "client.py"),
            "no place 'getVideo.1'",
        ),
        (127, ("--", "./no-such"), "no command './no-such'"),
    ],
)
def test_mistake_is_told_in_one_line(
    client: Shell, code: int, words: tuple[str, ...], detail: str
) -> None:
    done = client.run("explore", *words)

    assert done.code == code
    assert detail in done.err
    assert "Traceback" not in done.err
