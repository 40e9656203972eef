"""A mock behind a real socket, for clients that run in another process."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

from ..loopback import listening
from ..mock_client import MockWorld, make_world

SCRIPT_LASTS_S_MAX = 120


@dataclass(frozen=True, slots=True)
class LiveMock:
    """One mock: *wsgi* reaches it in this process, *origin* from anywhere on this machine."""

    wsgi: WsgiClient
    origin: str

    def world(self) -> MockWorld:
        """A new world in which a poll moves the clock to the next transition."""
        return make_world(self.wsgi, clock={"mode": "auto", "now": "2026-01-01T00:00:00Z"})


@contextmanager
def live_mock() -> Generator[LiveMock]:
    """A mock that listens on a free port of the loopback address until the end of the block."""
    app = create_app(is_server=True)
    with listening(app) as port:
        yield LiveMock(WsgiClient(app), f"http://127.0.0.1:{port}")


def run_script(*command: str | Path, variables: Mapping[str, str]) -> Json:
    """The JSON in the last line that a script prints.

    Of this process' environment only PATH and HOME reach it.
    """
    done = subprocess.run(
        [str(word) for word in command],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables},
        capture_output=True,
        timeout=SCRIPT_LASTS_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])
