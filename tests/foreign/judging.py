"""The contract kit against a foreign server on this machine, as `screentest verify` runs it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from screentest.contract_tests.report.text import text_report
from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.verify import Result

from ..tree import ROOT

_HERE = Path(__file__).parent
MEDIA = ROOT / "fixtures" / "media"
_NODE = ROOT / ".cache" / "node" / "package.json"
_PYTHON = ROOT / ".cache" / "foreign" / "bin" / "python"
SPEED = 600.0
_BUDGET = 20_000
_START_S = 20


@contextmanager
def started(program: str, defect: str) -> Generator[str]:
    """The address of a fake that is a program of its own, in the environment of the tier."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    runner = "node" if program.endswith(".mjs") else _PYTHON
    command = [str(it) for it in (runner, _HERE / program, port, SPEED, MEDIA, defect)]
    environment = {**os.environ, "EXPRESS_FROM": str(_NODE)}
    none = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=none, stderr=none) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the fake did not start; make test-foreign installs what it needs")


def judged(provider: str, url: str, **more: Any) -> Result:
    """What the kit finds with two accounts, an empty one and a budget."""
    given: dict[str, Any] = {
        "api_key": "key-one",
        "second_api_key": "key-two",
        "empty_api_key": "key-empty",
        "bearer": "bearer-one" if provider == "ozor" else "",
        "budget": _BUDGET,
        **more,
    }
    options = VerifyOptions(provider, url=url, time_scale=SPEED, **given)
    return run_verify(options, lambda scenario, ran: None)


def text_of(result: Result) -> str:
    """The report, for the message of a failed assertion."""
    return "\n".join(text_report(result))
