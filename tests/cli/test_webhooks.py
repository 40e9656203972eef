"""`screentest webhooks`: deliveries received, listed, and sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import World, send

_WAIT_S_MAX = 20.0
_SCENE = {"visualPrompt": "A hand opens a bottle", "scriptText": "Look at that"}
_VIDEO = {
    "engine": "sora",
    "quality": "standard",
    "duration": 8,
    "aspectRatio": "9:16",
    "scene": _SCENE,
}


@dataclass(frozen=True, slots=True)
class Listening:
    """A running `webhooks listen`, its output in a file."""

    process: subprocess.Popen[bytes]
    output: Path

    def line(self, number: int) -> str:
        """Line *number* of its output, counted from 0, once it is there."""
        ends = time.monotonic() + _WAIT_S_MAX
        while time.monotonic() < ends:
            lines = self.output.read_text().splitlines(keepends=True)
            if len(lines) > number and lines[number].endswith("\n"):
                return lines[number].rstrip("\n")
            time.sleep(0.02)
        raise AssertionError(f"no line {number} within {_WAIT_S_MAX:.0f} s")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(_WAIT_S_MAX)


@pytest.fixture
def listening(world: World, tmp_path: Path) -> Iterator[Listening]:
    """Receives what this world's provider of webhooks sends; the secret is its first line."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "screentest.mock_server.cli",
                "webhooks",
                "listen",
                "ugc_copilot",
                "--print-secret",
                "--json",
            ],
            cwd=tmp_path,
            env=world.shell.environment(PYTHONUNBUFFERED="1"),
            stdout=file,
        )
    try:
        yield Listening(process, output)
    finally:
        process.kill()
        process.wait(_WAIT_S_MAX)


def _start_video(world: World) -> None:
    url = world.env["UGC_COPILOT_BASE_URL"] + "/proxyStartVideoGeneration"
    headers = {
        "Authorization": f"Bearer {world.env['UGC_COPILOT_API_KEY']}",
        "Content-Type": "application/json",
    }
    assert send("POST", url, {"data": _VIDEO}, headers)[0] == 200


def test_delivery_is_printed_with_a_signature_that_the_secret_makes(
    world: World, listening: Listening
) -> None:
    secret = listening.line(0)
    _start_video(world)

    world.run("trigger", "ugc_copilot", "video.completed")
    delivery = json.loads(listening.line(1))

    headers = delivery["headers"]
    signatures = [value for name, value in headers.items() if "signature" in name]
    stamps = [value for name, value in headers.items() if "timestamp" in name]
    body = json.dumps(delivery["body"], separators=(",", ":"), ensure_ascii=False)
    right = hmac.new(secret.encode(), f"{stamps[0]}.{body}".encode(), hashlib.sha256).hexdigest()
    assert delivery["body"]["type"] == "video.completed"
    assert right in signatures[0]


def test_deliveries_are_listed_and_sent_again(world: World, listening: Listening) -> None:
    listening.line(0)
    _start_video(world)
    world.run("trigger", "ugc_copilot", "failed")

    listed = world.run("webhooks", "--json").json
    again = world.run("webhooks", "resend", listed[0]["id"], "--json").json

    assert [(it["type"], it["state"]) for it in listed] == [("video.failed", "delivered")]
    assert len(again[0]["attempts"]) == 2


def test_missing_receiver_is_reported_under_its_delivery(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: a connection is refused.
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/hook"
        endpoints = f"{world.url}/_screentest/worlds/{world.id}/webhooks/endpoints"
        body = {"provider": "ugc_copilot", "url": url}
        send("POST", endpoints, body, {"Content-Type": "application/json"})
        _start_video(world)
        world.run("trigger", "ugc_copilot", "failed")

        listed = world.run("webhooks").out.splitlines()

    assert listed[2].startswith("  └ SC304 expected a status from 200 to 299, got connection")


@pytest.mark.parametrize(("how", "left_with"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_endpoint_is_deleted_when_listening_ends(
    world: World, listening: Listening, how: signal.Signals, left_with: int
) -> None:
    listening.line(0)

    code = listening.stop(how)

    _, endpoints = send("GET", f"{world.url}/_screentest/worlds/{world.id}/webhooks/endpoints")
    assert (code, endpoints["items"]) == (left_with, [])
