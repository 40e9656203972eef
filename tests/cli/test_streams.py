"""Standard streams: closed ones, full ones, readers that stop early, and what a verb loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Shell, World

_PYTHON_M = f"{sys.executable} -P -m screentest.mock_server.cli"


def _in_bash(shell: Shell, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=shell.folder,
        env=shell.environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_closed_output_pipe_is_not_a_failure(shell: Shell) -> None:
    done = _in_bash(shell, f"{_PYTHON_M} explain --all | head -1; echo ${{PIPESTATUS[0]}} >&2")

    assert (done.stdout.count("\n"), done.stderr) == (1, "0\n")


def test_verdict_sets_the_exit_code_when_the_report_pipe_is_closed(shell: Shell) -> None:
    key = "sk_" + "live_" + "0123456789abcdef" * 2

    done = _in_bash(shell, f"{_PYTHON_M} doctor | true; echo ${{PIPESTATUS[0]}}", SOME_KEY=key)

    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("words", "code"), [("explain SC102", 0), ("srve", 2), ("doctor", 0)], ids=str
)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_program_without_one_of_its_streams_ends_as_with_it(
    shell: Shell, words: str, code: int, closed: str
) -> None:
    done = _in_bash(shell, f"{_PYTHON_M} {words} {closed}")

    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without room")
def test_full_output_device_is_a_one_line_error(shell: Shell) -> None:
    done = _in_bash(shell, f"{_PYTHON_M} explain --all > /dev/full")

    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


@pytest.mark.parametrize(
    "words",
    [
        ("clock",),
        ("jobs",),
        ("credits",),
        ("fault",),
        ("logs",),
        ("webhooks",),
        ("env",),
        ("snapshot",),
        ("trigger", "ozor", "completed"),
        ("explain", "SC102"),
        ("config",),
        ("--help",),
    ],
    ids=" ".join,
)
def test_client_verb_loads_no_framework_no_validator_and_no_yaml(
    world: World, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Half a second per call is what these cost, in scripts that call us in a loop."""
    script = (
        "import json, sys, atexit\n"
        "atexit.register(lambda: open('loaded', 'w').write(json.dumps(sorted(sys.modules))))\n"
        "from screentest.mock_server.cli.main import main\n"
        f"sys.argv = ['screentest', *{list(words)!r}]\n"
        "main()\n"
    )

    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=world.shell.environment(),
        capture_output=True,
        check=False,
    )

    loaded = set(json.loads((tmp_path / "loaded").read_text()))
    heavy = {"flask", "werkzeug", "yaml", "jsonschema_rs", "granian", "sqlite3", "http.server"}
    assert loaded & heavy == set()
