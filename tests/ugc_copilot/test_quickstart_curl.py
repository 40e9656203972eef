"""The published curl call over real HTTP: only the host and the key are changed.

Runs `screentest serve` as a user does, on a free port, with renders that end at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..live_mock import serving

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed; apt-get install curl"
)

HOST = "https://us-central1-viral-ugc-copilot.cloudfunctions.net"
#: Not every machine has the tool that the published call uses for its key.
UUIDGEN = f"uuidgen() {{ {sys.executable} -c 'import uuid; print(uuid.uuid4())'; }}; "
START = f"""curl -s -X POST {HOST}/proxyStartVideoGeneration \
  -H "Authorization: Bearer $UGC_COPILOT_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $(uuidgen)" \
  -d '{{
    "data": {{
      "engine": "sora",
      "quality": "standard",
      "duration": 8,
      "aspectRatio": "9:16",
      "scene": {{
        "visualPrompt": "A creator pours tea into a matte-black mug, window light",
        "scriptText": "Okay, this mug..."
      }}
    }}
  }}'"""


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell in which the provider's host is the mock's address and the key is set."""

    base_url: str
    key: str

    def run(self, command: str) -> bytes:
        """What *command* prints; it must end well."""
        done = subprocess.run(
            ["bash", "-c", UUIDGEN + command.replace(HOST, self.base_url)],
            env={**os.environ, "UGC_COPILOT_API_KEY": self.key},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def post(self, function: str, body: Json) -> Json:
        return json.loads(
            self.run(
                f'curl -s -X POST {HOST}/{function} -H "Content-Type: application/json" '
                f"""-H "Authorization: Bearer $UGC_COPILOT_API_KEY" -d '{json.dumps(body)}'"""
            )
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    options = ("--provider", "ugc_copilot", "--clock", "real", "--pace", "instant")
    with serving(tmp_path_factory.mktemp("serve"), *options) as mock:
        yield Shell(mock.env["UGC_COPILOT_BASE_URL"], mock.env["UGC_COPILOT_API_KEY"])


@pytest.mark.clause("UG-002", "UG-003", "UG-007", "UG-025", "UG-038")
def test_quickstart_starts_a_render(shell: Shell) -> None:
    started = json.loads(shell.run(START))

    assert started["operation"]["name"]
    assert started["effectiveDuration"] == 8


@pytest.mark.clause("UG-021", "UG-077", "UG-084", "UG-086")
def test_render_is_polled_fetched_and_downloaded(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "video.mp4"
    operation = json.loads(shell.run(START))["operation"]["name"]

    status = shell.post("proxyCheckVideoStatus", {"operationName": operation, "engine": "sora"})
    uri = status["response"]["generatedVideos"][0]["video"]["uri"]
    fetched = shell.post("proxyFetchVideo", {"uri": uri, "engine": "sora"})
    shell.run(f"curl -s -f -o {file} '{fetched['videoUrl']}'")

    assert file.read_bytes()[4:8] == b"ftyp"
