"""Every code block about the contract kit runs, and what a page shows is what is printed."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live_mock import wait_for_file
from tests.pages import DOCS, ROOT, blocks, pattern

PAGE = DOCS / "contract-checks.md"
BIN = Path(sys.executable).parent
#: The programs that a page starts in a terminal of their own.
SERVERS = ("screentest serve", "screentest record")

pytestmark = pytest.mark.slow


class Terminals:
    """A reader's shell, and the programs that go on in other terminals meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
        self.servers: list[subprocess.Popen[bytes]] = []
        self.ports: dict[str, str] = {}

    def run(self, command: str) -> str:
        """What *command* prints; the variables that it sets stay set."""
        if command.startswith(SERVERS):
            self._start(command)
            return ""
        after = self.folder / "environment"
        script = f"{self._moved(command)}\nstatus=$?; env -0 > {after}; exit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        pairs = (it.partition("=") for it in after.read_text().split("\0") if it)
        self.environment = {name: value for name, _, value in pairs}
        after.unlink()
        return done.stdout

    def _start(self, command: str) -> None:
        """Start a server on a port that is free, and wait until it answers."""
        words = shlex.split(self._expanded(command))
        if words[1] == "serve":
            ready = self.folder / "ready.json"
            self._open([*words, "--port", "0", "--ready-file", str(ready)])
            self.environment["SCREENTEST_URL"] = wait_for_file(ready)["url"]
            ready.unlink()
            return
        place, port = words.index("--port") + 1, _free_port()
        self.ports[words[place]] = words[place] = str(port)
        self._open(words)
        _wait_for_port(port)

    def _open(self, words: list[str]) -> None:
        self.servers.append(
            subprocess.Popen(
                words, env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL
            )
        )

    def _expanded(self, command: str) -> str:
        return re.sub(r"\$(\w+)", lambda it: self.environment[it[1]], command)

    def _moved(self, command: str) -> str:
        """*command* with the ports of this run instead of those of the page."""
        for old, new in self.ports.items():
            command = command.replace(f":{old}/", f":{new}/")
        return command

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
            server.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(port: int) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"no server listens on port {port}")


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    opened = Terminals(tmp_path)
    yield opened
    opened.close()


def _check_console(terminals: Terminals, text: str) -> None:
    """Run each command, and look for the shown lines in what it prints, in order."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.strip().splitlines()
        printed = iter(terminals.run(command).splitlines())
        for line in shown:
            if line != "…":
                assert any(fnmatchcase(it, pattern(line)) for it in printed), f"{command}: {line}"


def _check_workflow(terminals: Terminals, steps: list[Any]) -> None:
    """Run the commands of a workflow, with a mock in place of the provider."""
    commands = [step["run"] for step in steps if "run" in step]
    assert re.search(r"^pip install ['\"].*screentest.*\[contract\]['\"]$", commands[0])
    for command in commands[1:]:
        here = command.replace("https://ozor.ai --live", '"$OZOR_BASE_URL" --time-scale 60')
        here = here.replace("$OZOR_KEY", "$OZOR_API_KEY")
        terminals.environment["SCREENTEST_API_KEY"] = terminals.environment["OZOR_API_KEY"]
        assert "kept, 0 broken" in terminals.run(here)


def test_every_block_of_the_page_does_what_it_says(terminals: Terminals) -> None:
    found = blocks(PAGE)

    for language, text in found:
        if language == "console":
            _check_console(terminals, text)
        elif language == "text":
            assert text in (ROOT / "specs/ozor/clauses.yaml").read_text()
        else:
            assert language == "python"
            (terminals.folder / "test_ulazai.py").write_text(text)

    assert {language for language, _ in found} == {"console", "python", "text"}


def test_the_workflow_of_the_readme_runs(terminals: Terminals) -> None:
    (workflow,) = [text for language, text in blocks(ROOT / "README.md") if language == "yaml"]
    terminals.run("screentest serve --quiet --clock real:60")
    terminals.run('eval "$(screentest env)"')

    _check_workflow(terminals, yaml.safe_load(workflow))
