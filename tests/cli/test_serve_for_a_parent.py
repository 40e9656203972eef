"""`screentest serve` as the child of a program: readiness on stdout, and an end with the parent."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx

from .conftest import Shell

_WAIT_S_MAX = 20.0


def test_child_reports_readiness_in_one_json_line_and_ends_with_standard_input(
    shell: Shell,
) -> None:
    serve = [*(sys.executable, "-P", "-m", "screentest.mock_server.cli", "serve"), "--port=0"]
    child = subprocess.Popen(
        [*serve, "--json", "--exit-on-stdin-eof"],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        ready = json.loads(child.stdout.readline())
        health = httpx.get(f"{ready['control']}/health").json()
        child.stdin.close()
        rest = child.stdout.read()
        code = child.wait(_WAIT_S_MAX)
    finally:
        child.kill()

    assert (ready["pid"], ready["version"]) == (child.pid, health["version"])
    assert ready["env"]["SCREENTEST_URL"] == ready["url"]
    assert ready["env"]["ZNAPAI_BASE_URL"] == f"{ready['url']}/znapai"
    assert ready["env"]["ZNAPAI_API_KEY"].startswith("sk-")
    assert (code, rest) == (0, b"")
