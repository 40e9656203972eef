"""The command as a shell runs it, and a world of the running mock for it to mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from screentest.specs.json_types import Json
from tests.live_mock import LiveMock

from .forks import can_fork, run_forked

_START_S_MAX = 30.0
_COMMAND_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs `screentest`, in a folder and with variables of its own."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *words: str, **variables: str) -> Answer:
        if can_fork(variables):
            return self._forked(words, variables)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "screentest.mock_server.cli", *words],
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=_COMMAND_S_MAX,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def _forked(self, words: tuple[str, ...], variables: Mapping[str, str]) -> Answer:
        environment = self.environment(**variables)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "run")
            code = run_forked(words, self.folder, environment, out, _COMMAND_S_MAX)
            return Answer(code, *(out.with_suffix(it).read_text() for it in (".out", ".err")))

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: it for name, it in os.environ.items() if not name.startswith("SCREENTEST_")}
        return {**kept, **self.variables, **variables}


@dataclass(frozen=True, slots=True)
class World:
    """A world of the shared mock, its clock moved by hand; the shell means this world."""

    url: str
    id: str
    env: Mapping[str, str]
    shell: Shell

    def run(self, *words: str) -> Answer:
        return self.shell.run(*words)

    def send(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """A call to the provider with a key header, as a client makes it."""
        headers = {"X-API-Key": self.env["OZOR_API_KEY"], "Content-Type": "application/json"}
        return send(method, self.env["OZOR_BASE_URL"] + path, body, headers)

    def start_job(self) -> str:
        """The id of a new job of thirty seconds or so."""
        status, body = self.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})
        assert status == 200
        return str(body["jobId"])


def send(
    method: str, url: str, body: Json = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Json]:
    """Status and JSON of one call, whatever the status is."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder that knows of no mock."""
    return Shell(tmp_path)


@pytest.fixture
def world(live: LiveMock, tmp_path: Path) -> World:
    """A world of the test's own."""
    made = live.world(seed=7)
    variables = {"SCREENTEST_URL": live.url, "SCREENTEST_WORLD": made["id"]}
    return World(live.url, made["id"], made["env"], Shell(tmp_path, variables))


def read_when_there(path: Path) -> Json:
    """The JSON in *path*, once it exists."""
    ends = time.monotonic() + _START_S_MAX
    while time.monotonic() < ends:
        if path.exists():
            return json.loads(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written within {_START_S_MAX:.0f} s")
