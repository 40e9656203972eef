"""A `screentest serve` of a test's own, with its output in files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from screentest.specs.json_types import Json

from .conftest import Shell, read_when_there, send

_WAIT_S_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running `serve` with its output in files."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str
    env: dict[str, str] = field(default_factory=dict[str, str])

    def send(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """A call to Ozor, with the key that the mock gave out."""
        headers = {"X-API-Key": self.env["OZOR_API_KEY"], "Content-Type": "application/json"}
        return send(method, self.env["OZOR_BASE_URL"] + path, body, headers)

    def control(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """A control call about the default world."""
        url = f"{self.url}/_screentest/worlds/default{path}"
        return send(method, url, body, {"Content-Type": "application/json"})

    def advance(self, by_ms: int) -> None:
        assert self.control("POST", "/clock/advance", {"by_ms": by_ms})[0] == 200

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, list[str]]:
        """The exit code, and every line that was printed on stderr."""
        self.process.send_signal(how)
        code = self.process.wait(_WAIT_S_MAX)
        return code, (self.folder / "err").read_text().splitlines()


@contextmanager
def serving_mock(shell: Shell, *words: str, **variables: str) -> Generator[Served]:
    """A `serve` with the options *words* that is gone when the block ends."""
    ready = shell.folder / "ready.json"
    with (shell.folder / "out").open("wb") as out, (shell.folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "screentest.mock_server.cli",
                "serve",
                "--port",
                "0",
                "--ready-file",
                str(ready),
                *words,
            ],
            cwd=shell.folder,
            env=shell.environment(**variables),
            stdout=out,
            stderr=err,
        )
    try:
        info = read_when_there(ready)
        yield Served(process, shell.folder, info["url"], info["env"])
    finally:
        process.kill()
        process.wait(_WAIT_S_MAX)
