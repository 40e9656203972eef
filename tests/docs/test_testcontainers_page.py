"""The recipes for Python and Java, with a mock of this machine in place of a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_mock import serving
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


@pytest.mark.long
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


#: The signatures of Testcontainers for Java that the recipe uses.
_JAVA = {
    "containers/GenericContainer.java": """
package org.testcontainers.containers;
import org.testcontainers.containers.wait.strategy.HttpWaitStrategy;
public class GenericContainer<SELF extends GenericContainer<SELF>> {
  public GenericContainer(String image) {}
  @SuppressWarnings("unchecked") private SELF self() { return (SELF) this; }
  public SELF withEnv(String name, String value) { return self(); }
  public SELF withExposedPorts(Integer... ports) { return self(); }
  public SELF waitingFor(HttpWaitStrategy strategy) { return self(); }
  public String getHost() { return System.getenv("MOCK_HOST"); }
  public Integer getMappedPort(int port) { return Integer.valueOf(System.getenv("MOCK_PORT")); }
}
""",
    "containers/wait/strategy/HttpWaitStrategy.java": """
package org.testcontainers.containers.wait.strategy;
public class HttpWaitStrategy {
  public HttpWaitStrategy forPort(int port) { return this; }
}
""",
    "containers/wait/strategy/Wait.java": """
package org.testcontainers.containers.wait.strategy;
public class Wait {
  public static HttpWaitStrategy forHttp(String path) { return new HttpWaitStrategy(); }
}
""",
}
_MAIN = """
class Main {
  public static void main(String[] words) throws Exception {
    System.out.println(Screentest.createWorld());
  }
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java compiler")
def test_java_recipe_creates_a_world(tmp_path: Path) -> None:
    (recipe,) = [text for language, text in blocks(PAGE) if language == "java"]
    (token,) = set(re.findall(r'TOKEN = "(.*)"', recipe))
    files = {"Screentest.java": recipe, "Main.java": _MAIN}
    files |= {f"org/testcontainers/{name}": text for name, text in _JAVA.items()}
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    subprocess.run(["javac", "-Xlint:all", "-Werror", *files], cwd=tmp_path, check=True, timeout=60)

    with serving(tmp_path, SCREENTEST_CONTROL_TOKEN=token) as mock:
        host, _, port = mock.url.removeprefix("http://").partition(":")
        printed = subprocess.run(
            ["java", "-cp", ".", "Main"],
            cwd=tmp_path,
            env={**os.environ, "MOCK_HOST": host, "MOCK_PORT": port},
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        ).stdout

    ozor = json.loads(printed)["providers"]["ozor"]
    assert ozor["account"]["api_key"]
    assert ozor["base_url"].startswith(mock.url)
