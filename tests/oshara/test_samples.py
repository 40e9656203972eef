"""The published calls and the polling function, unchanged but for host, token and files.

The function waits five seconds between polls. A module that Node.js loads before it moves the
world's clock by as much instead, so that it sees what it would see in the provider's time.
"""

from __future__ import annotations

import json as jsonlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

from ..loopback import listening
from ..mock_client import Account, make_world
from . import steps

SAMPLES = Path(__file__).parent / "samples"
HOST = "https://api.oshara.ai"
ENDS_WITHIN_S = 60
#: Instead of waiting five seconds, advance the world by them. Other timers are Node.js's own.
ADVANCE_NODE = """
const waits = [];
const later = globalThis.setTimeout;
globalThis.setTimeout = (act, ms, ...rest) =>
  ms === 5000 ? advance(act, ms) : later(act, ms, ...rest);
const advance = async (act, ms) => {
  waits.push(ms);
  await fetch(process.env.CLOCK, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ by_ms: ms }),
  });
  act();
};
globalThis.report = outcome => console.log(JSON.stringify({ outcome, waits }));
"""
ASK_NODE = """
waitForVideo(process.env.JOB, process.env.TOKEN).then(
  url => report({ url }),
  error => report({ error: error.message }),
);
"""


@dataclass(frozen=True, slots=True)
class Service:
    """An account in a world of a mock that listens on a port."""

    account: Account
    origin: str

    @property
    def base_url(self) -> str:
        return self.origin + self.account.client.base

    @property
    def clock_url(self) -> str:
        return f"{self.origin}/_screentest/worlds/{self.account.world.id}/clock/advance"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Client, int]]:
    """The mock on a free port, and a way to its control API."""
    app = create_app()
    with listening(app) as port:
        yield Client(app), port


@pytest.fixture
def service(server: tuple[Client, int]) -> Iterator[Service]:
    """A world with a manual clock."""
    wsgi, port = server
    world = make_world(wsgi)
    yield Service(world.account("oshara"), f"http://127.0.0.1:{port}")
    assert world.control.delete(world.path).status == 204


def run(command: list[str], **variables: str) -> Json:
    """The JSON that *command* prints; it must end well."""
    environment = {**os.environ, **variables}
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment.pop(name, None)
    ended = subprocess.run(
        command, env=environment, capture_output=True, timeout=ENDS_WITHIN_S, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return jsonlib.loads(ended.stdout)


def wait_for_video(service: Service, job: Json, folder: Path) -> Json:
    """How the polling function ended, and the waits that it asked for."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed; apt-get install nodejs")
    sample = (SAMPLES / "wait_for_video.js.txt").read_text()
    assert sample.count(HOST) == 1
    (folder / "advance.cjs").write_text(ADVANCE_NODE)
    (folder / "sample.cjs").write_text(sample.replace(HOST, service.base_url) + ASK_NODE)
    return run(
        ["node", "--require", str(folder / "advance.cjs"), str(folder / "sample.cjs")],
        CLOCK=service.clock_url,
        JOB=str(job["id"]),
        TOKEN=service.account.api_key,
    )


@pytest.mark.npm
@pytest.mark.clause("OS-057", "OS-059")
@pytest.mark.parametrize("create", [steps.create, steps.create_video_only])
def test_polling_function_returns_the_url_of_the_video(
    service: Service, tmp_path: Path, create: Callable[[Account], Json]
) -> None:
    job = create(service.account)

    ended = wait_for_video(service, job, tmp_path)

    answer = service.account.client.follow(ended["outcome"]["url"])
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert set(ended["waits"]) == {5_000}
    # Between two and five minutes, as the lifecycle says.
    assert 24 <= len(ended["waits"]) <= 62


@pytest.mark.npm
@pytest.mark.clause("OS-041", "OS-059")
def test_polling_function_throws_the_reason_of_a_failure(service: Service, tmp_path: Path) -> None:
    job = steps.create(service.account)
    service.account.world.fail_job(str(job["id"]), "The voice could not be cloned.")

    ended = wait_for_video(service, job, tmp_path)

    assert ended["outcome"] == {"error": "The voice could not be cloned."}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing; apt-get install curl")
@pytest.mark.clause("OS-001", "OS-002", "OS-005", "OS-030", "OS-034", "OS-049", "OS-054")
def test_published_curl_calls_work(service: Service, tmp_path: Path) -> None:
    for file in (steps.JPEG, steps.WAV, steps.MP3):
        (tmp_path / file.name).write_bytes(file.content)
    text = (SAMPLES / "curl.txt").read_text()
    text = text.replace(HOST, service.base_url).replace("<token>", service.account.api_key)
    # Job 42 is the example's; this world's first one has the number 1.
    text = text.replace("/path/to", str(tmp_path)).replace("/video-jobs/42/", "/video-jobs/1/")

    answers = [run(["bash", "-c", call]) for call in text.split("\n\n")]

    created, listed, read, counted, recorded = answers
    assert created["status"] == "PENDING"
    assert created["text_content"] == "Welcome to Acme! Today I'll show you our key features..."
    assert listed == [read]
    assert read["id"] == created["id"] == 1
    assert counted == {"total": 1, "completed": 0, "failed": 0, "pending": 1}
    assert (recorded["id"], recorded["title"]) == (2, "My Video")
