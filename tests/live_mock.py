"""A real server on a loopback port, for what only a socket can show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from screentest.specs.json_types import Json

_START_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class LiveMock:
    """A running `screentest serve`, with a control client on requests."""

    url: str
    env: dict[str, str]

    def control(self, method: str, path: str, body: Json = None) -> Json:
        answer = requests.request(method, f"{self.url}/_screentest{path}", json=body, timeout=10)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def world(self, **options: Json) -> Json:
        """A new world with a manual clock; its `env` and `providers` say how to reach it."""
        body = {"clock": {"mode": "manual", "now": "2026-01-01T00:00:00Z"}, **options}
        return self.control("POST", "/worlds", body)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMock]:
    """One server for the session; every test makes a world of its own."""
    with serving(tmp_path_factory.mktemp("live")) as mock:
        yield mock


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Generator[LiveMock]:
    """`screentest serve` on a free port, with these *options* and environment *variables*.

    *folder* is for its ready file.
    """
    ready = folder / "ready.json"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "screentest.mock_server.cli",
            "serve",
            "--port",
            "0",
            "--ready-file",
            str(ready),
            *options,
        ],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **variables},
    )
    try:
        info = wait_for_file(ready)
        yield LiveMock(info["url"], info["env"])
    finally:
        server.terminate()
        server.wait(10)


def wait_for_file(ready: Path) -> Json:
    """What a starting server writes into its ready file."""
    ends = time.monotonic() + _START_S_MAX
    while time.monotonic() < ends:
        if ready.exists():
            return json.loads(ready.read_text())
        time.sleep(0.02)
    raise AssertionError(f"the server did not start within {_START_S_MAX:.0f} s")
