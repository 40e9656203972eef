"""The Python recipe of the page runs, with the entry point of the image in place of a container."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.pages import DOCS, blocks
from tests.tree import ROOT

PAGE = DOCS / "testcontainers.md"

#: The methods of testcontainers that the recipe uses. The port of the container is a free one here.
_CONTAINERS = """
import json, os, pathlib, re, subprocess, sys, time, urllib.request
import testcontainers.core.wait_strategies as strategies
class DockerContainer:
    def __init__(self, image):
        assert image == "screentest"
        self.env, self.ready = {}, pathlib.Path("ready.json").absolute()
    def with_env(self, name, value):
        self.env[name] = value
        return self
    def with_exposed_ports(self, port):
        self.port = port
        return self
    def waiting_for(self, strategy):
        self.strategy = strategy
        return self
    def __enter__(self):
        words = json.loads(os.environ["ENTRY_POINT"])
        words[words.index(str(self.port))] = "0"
        words += ["--ready-file", str(self.ready)]
        program = [sys.executable, "-P", "-m", "screentest.mock_server.cli", *words[1:]]
        self.process = subprocess.Popen(program, env={**os.environ, **self.env})
        while not self.ready.exists():
            assert self.process.poll() is None
            time.sleep(0.02)
        self.mapped = int(json.loads(self.ready.read_text())["url"].rpartition(":")[2])
        assert self.strategy.port == self.port
        urllib.request.urlopen(f"http://127.0.0.1:{self.mapped}{self.strategy.path}")
        return self
    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(20) == 0
    def get_container_host_ip(self):
        return "127.0.0.1"
    def get_exposed_port(self, port):
        return self.mapped
"""
_STRATEGIES = """
class HttpWaitStrategy:
    def __init__(self, port, path):
        self.port, self.path = port, path
"""


def test_python_recipe_orders_a_video_in_a_world_of_its_own(tmp_path: Path) -> None:
    (recipe,) = [text for language, text in blocks(PAGE) if language == "python"]
    core = tmp_path / "testcontainers" / "core"
    core.mkdir(parents=True)
    core.joinpath("container.py").write_text(_CONTAINERS)
    core.joinpath("wait_strategies.py").write_text(_STRATEGIES)
    (tmp_path / "test_recipe.py").write_text(recipe)
    entry_point = re.search(r"^ENTRYPOINT (.*)$", (ROOT / "deploy/Containerfile").read_text(), re.M)
    assert entry_point is not None

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_recipe.py"],
        cwd=tmp_path,
        env={**os.environ, "ENTRY_POINT": entry_point[1], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr
