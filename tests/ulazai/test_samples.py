"""The two published samples, unchanged but for base address and key, over real HTTP.

They sleep 30 seconds between polls. The world's clock runs a thousand times as fast, and so do the
sleeps, by a module that Python and Node.js load before the sample.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

from ..loopback import listening
from ..mock_client import MockWorld, make_world

SAMPLES: Traversable = files("tests").joinpath("ulazai", "samples")
SPEED = 1_000
ENDS_WITHIN_S = 60
FAST_PYTHON = f"""
import time
sleep = time.sleep
time.sleep = lambda seconds: sleep(seconds / {SPEED})
"""
FAST_NODE = f"""
const later = globalThis.setTimeout;
globalThis.setTimeout = (act, ms, ...rest) => later(act, ms / {SPEED}, ...rest);
"""

needs_node = pytest.mark.skipif(
    shutil.which("npm") is None, reason="npm is not installed; apt-get install npm"
)


@dataclass(frozen=True, slots=True)
class Service:
    """A world of a mock that listens on a port."""

    world: MockWorld
    base_url: str
    key: str

    def fill_in(self, sample: str) -> str:
        """The text of *sample* with its two placeholders replaced."""
        text = SAMPLES.joinpath(sample).read_text()
        assert text.count("YOUR_API_KEY") == text.count("https://ulazai.com/api/v1") == 1
        text = text.replace("https://ulazai.com/api/v1", self.base_url)
        return text.replace("YOUR_API_KEY", self.key)

    def fail_next(self) -> None:
        """The next task fails."""
        path = f"{self.world.path}/faults"
        order = {"type": "job_failure", "where": {"provider": "ulazai"}}
        assert self.world.control.post(path, json=order).status == 201

    @property
    def tasks(self) -> list[Json]:
        items: list[Json] = self.world.control.get(f"{self.world.path}/jobs").json()["items"]
        return items

    @property
    def statuses(self) -> list[int]:
        """Of every provider call, in order."""
        return [line["response"]["status"] for line in self.world.requests(provider="ulazai")]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Client, int]]:
    """The mock on a free port, and a way to its control API."""
    app = create_app()
    with listening(app) as port:
        yield Client(app), port


@pytest.fixture(params=["accelerated", "auto"])
def service(request: pytest.FixtureRequest, server: tuple[Client, int]) -> Iterator[Service]:
    """A world whose clock runs a thousand times as fast, or jumps at every poll."""
    wsgi, port = server
    clocks = {"accelerated": {"mode": "real", "speed": SPEED}, "auto": {"mode": "auto"}}
    world = make_world(wsgi, clock=clocks[request.param])
    account = world.account("ulazai")
    yield Service(world, f"http://127.0.0.1:{port}/w/{world.id}/ulazai/api/v1", account.api_key)
    assert world.control.delete(world.path).status == 204


def run_python(service: Service, folder: Path) -> subprocess.CompletedProcess[str]:
    """The end of the Python sample."""
    (folder / "sitecustomize.py").write_text(FAST_PYTHON)
    sample = folder / "sample.py"
    sample.write_text(service.fill_in("poll.py.txt"))
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return run([sys.executable, str(sample)], environment)


def run_node(service: Service, folder: Path) -> subprocess.CompletedProcess[str]:
    """The end of the Node.js sample; *folder* has axios."""
    (folder / "fast.cjs").write_text(FAST_NODE)
    sample = folder / "sample.cjs"
    sample.write_text(service.fill_in("poll.js.txt"))
    return run(["node", "--require", str(folder / "fast.cjs"), str(sample)], dict(os.environ))


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment.pop(name, None)
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False
    )


@pytest.fixture(scope="module")
def axios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node.js finds axios."""
    folder = tmp_path_factory.mktemp("axios")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "axios@1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.clause("UL-001", "UL-002", "UL-076")
def test_python_sample_gets_its_video(service: Service, tmp_path: Path) -> None:
    ended = run_python(service, tmp_path)

    task = service.tasks[0]["id"]
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Video ready: http://127.0.0.1:")
    assert ended.stdout.endswith(f"/sora/videos/{task}.mp4\n")
    assert service.statuses[0] == 201
    assert set(service.statuses[1:]) == {200}


@pytest.mark.clause("UL-069", "UL-076")
def test_python_sample_polls_as_often_as_the_clock_makes_it(
    service: Service, tmp_path: Path
) -> None:
    """Every 30 s of two to three minutes, or once where a poll moves the clock."""
    run_python(service, tmp_path)

    polls = len(service.statuses) - 1

    is_auto = service.world.control.get(f"{service.world.path}/clock").json()["mode"] == "auto"
    assert polls == 1 if is_auto else 2 <= polls <= 7


@pytest.mark.clause("UL-078")
def test_python_sample_breaks_on_the_documented_failed_body(
    service: Service, tmp_path: Path
) -> None:
    service.fail_next()

    ended = run_python(service, tmp_path)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "KeyError: 'data'"


@pytest.mark.clause("UL-078")
def test_python_sample_sees_the_failure_when_the_body_has_data(
    service: Service, tmp_path: Path
) -> None:
    service.world.choose(ulazai__failed_body="failed_with_data")
    service.fail_next()

    ended = run_python(service, tmp_path)

    assert (ended.returncode, ended.stdout) == (0, "Generation failed\n")


@pytest.mark.slow
@pytest.mark.npm
@needs_node
@pytest.mark.clause("UL-001", "UL-002", "UL-077")
def test_node_sample_gets_its_video(service: Service, axios: Path) -> None:
    ended = run_node(service, axios)

    task = service.tasks[0]["id"]
    assert (ended.returncode, ended.stderr) == (0, "")
    started, ready = ended.stdout.splitlines()
    assert started == f"Generation started: {task}"
    assert ready.startswith("Video ready: http://127.0.0.1:")
    assert ready.endswith(f"/sora/videos/{task}.mp4")


@pytest.mark.slow
@pytest.mark.npm
@needs_node
@pytest.mark.clause("UL-078")
def test_node_sample_breaks_on_the_documented_failed_body(service: Service, axios: Path) -> None:
    service.fail_next()

    ended = run_node(service, axios)

    assert ended.returncode == 1
    assert "TypeError: Cannot read properties of undefined (reading 'status')" in ended.stderr


@pytest.mark.slow
@pytest.mark.npm
@needs_node
@pytest.mark.clause("UL-078")
def test_node_sample_sees_the_failure_when_the_body_has_data(service: Service, axios: Path) -> None:
    service.world.choose(ulazai__failed_body="failed_with_data")
    service.fail_next()

    ended = run_node(service, axios)

    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "Generation failed"
