"""A command as the subject of an exploration: each run is a process in a world of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json

from ...explore.observation import (
    Cell,
    Ending,
    Observed,
    Start,
    arrange,
    bound_in,
    is_lost,
    observe,
)
from ...kernel.clock import parse_rfc3339
from ..client import send
from .processes import environment_with, program_path
from .sleeping import following_sleeps

_LOOK_EVERY_S = 0.01
#: Bounds are checked so often: each check reads the whole journal.
_CHECK_EVERY_S = 0.5
#: Node.js prints an exception with all its fields.
_OUTPUT_MAX = 64_000
#: The first line of an exception, where the last line is the version of Node.js.
_NODE_ERROR = re.compile(r"^\w*Error\b.*", re.MULTILINE)


class Control:
    """The control API of the mock at *url*, by operation."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._operations = load_controls().operations

    def __call__(self, operation: str, body: Json = None, *, query: str = "", **path: str) -> Json:
        found = self._operations[operation]
        known = {name: quote(value, safe="") for name, value in path.items()}
        tail = f"?{query}" if query else ""
        return send(self._url, found.method, found.path.format(**known) + tail, body)


class Program:
    """A command as the subject of an exploration; each run is a process in a world of its own."""

    def __init__(
        self,
        arguments: Sequence[str],
        url: str,
        site: Path,
        world: Json,
        timeout_s: float,
        jobs: int,
    ) -> None:
        self.jobs = jobs
        self.command = f"screentest explore --only {{cell}} -- {shlex.join(arguments)}"
        self._arguments = [program_path(arguments[0]), *arguments[1:]]
        self._url = url
        self._site = site
        self._world = world
        self._timeout_s = timeout_s
        self._control = Control(url)
        self._is_over = threading.Event()

    def stop(self) -> None:
        """End the runs that go on."""
        self._is_over.set()

    def run(self, cell: Cell | None) -> Observed:
        """What the program does with the breaks of *cell* in a new world."""
        control = self._control
        world = control("createWorld", self._world)
        name = world["id"]
        # A new world has nothing else that a run could be credited with.
        start = Start(now_ms=parse_rfc3339(world["clock"]["now"]))
        if cell is not None:
            arrange(control, name, cell, is_warped=False)
        is_killed = cell is not None and cell.kill is not None
        ending = self._ending(world, start, is_killed=is_killed)
        found = observe(control, name, start, ending, cell)
        control("deleteWorld", world=name)
        return found

    def _ending(self, world: Json, start: Start, *, is_killed: bool) -> Ending:
        """How the program ends; one that *is_killed* is started again after its end."""
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(world),
                start_new_session=True,
            )
            try:
                bound = self._watch(child, world["id"], start, is_killed=is_killed)
            finally:
                _kill(child)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_MAX))
            said = output.read().decode(errors="replace").strip()
        if bound == "killed":
            return self._ending(world, start, is_killed=False)
        if bound:
            return Ending("stopped", bound)
        if child.returncode == 0:
            return Ending("ok")
        last = said.rpartition("\n")[2]
        if last.startswith("Node.js v"):
            last = (_NODE_ERROR.findall(said) or [last])[-1]
        return Ending("failed", f"exit code {child.returncode}: {last}")

    def _watch(
        self, child: subprocess.Popen[bytes], world: str, start: Start, *, is_killed: bool
    ) -> str:
        """Wait for the end of *child*. The bound at which it has to be ended, or an empty text."""
        began, checked = time.monotonic(), time.monotonic()
        while child.poll() is None:
            now = time.monotonic()
            if self._is_over.is_set():
                return "interrupted"
            if now - began > self._timeout_s:
                return f"more than {self._timeout_s:g} s of real time"
            if is_killed and is_lost(self._control, world):
                return "killed"
            if now - checked > _CHECK_EVERY_S:
                checked = now
                bound = bound_in(self._control, world, start)
                if bound:
                    return bound
            time.sleep(_LOOK_EVERY_S)
        return ""

    def _environment(self, world: Json) -> Mapping[str, str]:
        variables = {**world["env"], "SCREENTEST_URL": self._url}
        return environment_with(
            {**variables, **following_sleeps(self._site, world["id"], variables)}
        )


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End *child* and what it has started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (OSError, AttributeError):
        child.kill()
    child.wait()
