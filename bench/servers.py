"""Starts one server at a time, on a core of its own where asked for, and stops it again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .load import BenchError, pinned

_ROOT = Path(__file__).resolve().parent.parent
_PEERS = _ROOT / "bench" / ".peers"

_LOOK_EVERY_S = 0.002
_START_S_MAX = 60.0
_STOP_S_MAX = 10.0
#: Of what a server said before it failed.
_LINES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has answered once. *start_s* is from its start to that first answer."""

    url: str
    pid: int
    start_s: float
    environment: Mapping[str, str]

    def resident_mb(self) -> float:
        """Memory of the process and its children that is really in use, in MB."""
        pids = [self.pid, *_children(self.pid)]
        # Proportional, or a page that two processes share would be counted twice.
        return sum(_proportional_kb(pid) for pid in pids) / 1024

    def processor_s(self) -> float:
        """Processor time that all threads of the process have used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [child for each in listed.split() for child in (int(each), *_children(int(each)))]


def _proportional_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def call(
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    wait_s: float = 10.0,
) -> Any:
    """Send one request, wait for its JSON answer for *wait_s* at most, and decode it.

    Raises:
        BenchError: the answer is an error.
    """
    request = urllib.request.Request(
        url, data=body or None, method=method, headers=dict(headers or {})
    )
    try:
        with urllib.request.urlopen(request, timeout=wait_s) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise BenchError(f"{method} {url}: {error.code} {error.read().decode()}") from error


def _has_answered(url: str, headers: Mapping[str, str]) -> bool:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=dict(headers)), timeout=5
        ) as answer:
            return bool(answer.status == 200)
    except OSError:  # refused, reset, or a status outside 2xx
        return False


def free_port() -> int:
    """A port of the loopback interface that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(
    command: Sequence[str], core: int | None, variables: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*pinned(core), *command],
            cwd=_ROOT,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            yield process
        except BenchError as problem:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise BenchError("\n".join([str(problem), *lines[-_LINES_SHOWN:]])) from problem
        finally:
            # Steady's program is a child of its launcher, which does not end it.
            for child in _children(process.pid) if process.poll() is None else ():
                os.kill(child, signal.SIGTERM)
            process.terminate()
            try:
                process.wait(_STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _look_until_it_answers(
    process: subprocess.Popen[bytes], url: str, headers: Mapping[str, str], began: float
) -> float:
    """Seconds from *began* to the first 200 of *url*."""
    while (waited_s := time.perf_counter() - began) < _START_S_MAX:
        if _has_answered(url, headers):
            return time.perf_counter() - began
        if process.poll() is not None:
            break
        time.sleep(_LOOK_EVERY_S)
    raise BenchError(f"{process.args!r} did not answer {url} within {waited_s:.0f} s")


@contextmanager
def serve_view(view: str, threads: int, *, core: int | None) -> Generator[Running]:
    """One of the two views of `bench.views`, on granian with *threads* blocking threads."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    command = (sys.executable, "-m", "bench.views", view, str(threads), str(port))
    with _process(command, core) as process:
        start_s = _look_until_it_answers(process, url + "/jobs/job_1", {}, began)
        yield Running(url, process.pid, start_s, {})


@contextmanager
def serve_mock(*options: str, core: int | None) -> Generator[Running]:
    """`screentest serve` on a free port."""
    command = Path(sys.executable).parent / "screentest"
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        arguments = ("serve", "--port", "0", "--ready-file", str(ready), *options)
        began = time.perf_counter()
        with _process([str(command), *arguments], core) as process:
            while not ready.exists() and process.poll() is None:
                if time.perf_counter() - began > _START_S_MAX:
                    break
                time.sleep(_LOOK_EVERY_S)
            if not ready.exists():
                raise BenchError(f"{command} {' '.join(arguments)} wrote no ready file")
            detail = json.loads(ready.read_text(encoding="utf-8"))
            start_s = _look_until_it_answers(process, detail["control"] + "/health", {}, began)
            yield Running(detail["url"], detail["pid"], start_s, detail["env"])


@dataclass(frozen=True, slots=True)
class Peer:
    """A mock server from npm that serves an OpenAPI document without state."""

    name: str
    package: str
    command: str
    words: tuple[str, ...]

    def install(self) -> Path | None:
        """Its command, installed on first use; None where Node.js or the package is missing."""
        command = _PEERS / "node_modules" / ".bin" / self.command
        if not command.exists() and shutil.which("npm"):
            _PEERS.mkdir(parents=True, exist_ok=True)
            quiet = ("--silent", "--no-audit", "--no-fund")
            subprocess.run(
                ["npm", "install", *quiet, "--prefix", str(_PEERS), self.package],
                check=False,
                env={**os.environ, "CI": "true"},
            )
        return command if command.exists() else None


PEERS = (
    # The newest one that runs on Node.js 20, which is what Debian has.
    Peer("Prism", "@stoplight/prism-cli@5.14.2", "prism", ("mock", "--host", "127.0.0.1", "-p")),
    Peer("Steady", "@stdy/cli@0.22.2", "steady", ("-q", "--host", "127.0.0.1", "-p")),
)


@contextmanager
def serve_peer(
    peer: Peer,
    arguments: Sequence[str],
    path: str,
    headers: Mapping[str, str],
    *,
    core: int | None,
    variables: Mapping[str, str] | None = None,
) -> Generator[Running | None]:
    """*peer* with *arguments*, ready when *path* answers 200; None where it cannot be installed."""
    command = peer.install()
    if command is None:
        yield None
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = [str(command), *peer.words, str(port), *arguments]
    with serve_command(words, url, path, headers, core=core, variables=variables) as running:
        yield running


@contextmanager
def serve_command(
    command: Sequence[str],
    url: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    core: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> Generator[Running]:
    """*command*, which serves *url*, ready when *path* answers 200."""
    began = time.perf_counter()
    with _process(command, core, variables) as process:
        start_s = _look_until_it_answers(process, url + path, headers or {}, began)
        yield Running(url, process.pid, start_s, {})
