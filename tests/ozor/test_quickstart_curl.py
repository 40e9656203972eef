"""The documented curl calls over real HTTP: only the host and the key are changed.

Runs `screentest serve` as a user does, on a free port, with jobs that end at once.
"""

from __future__ import annotations

import json as jsonlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..live_mock import serving
from . import steps

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed; apt-get install curl"
)

POLLS_MAX = 200


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell in which Ozor's host is the mock's address and OZOR_API_KEY is set."""

    base_url: str
    key: str

    def run(self, command: str) -> str:
        """What *command* prints; it must end well."""
        done = subprocess.run(
            ["bash", "-c", command.replace("https://ozor.ai", self.base_url)],
            env={**os.environ, "OZOR_API_KEY": self.key},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def json(self, command: str) -> Json:
        return jsonlib.loads(self.run(command))

    def poll(self, command: str, field: str, value: str) -> Json:
        """The first answer of *command* whose *field* is *value*."""
        answer: Json = None
        for _ in range(POLLS_MAX):
            answer = self.json(command)
            if answer.get(field) == value:
                return answer
        raise AssertionError(f"{field} did not become {value!r}: {answer}")

    def video(self, video_id: str) -> str:
        return f'curl -s https://ozor.ai/api/v1/videos/{video_id} -H "X-API-Key: $OZOR_API_KEY"'

    def wait_for_job(self, submitted: Json) -> Json:
        path = f"https://ozor.ai{steps.job_path(submitted)}"
        return self.poll(f'curl -s {path} -H "X-API-Key: $OZOR_API_KEY"', "status", "completed")

    def wait_for_export(self, video_id: str) -> Json:
        return self.poll(self.video(video_id), "exportStatus", "complete")

    def export(self, video_id: str, body: str) -> Json:
        return self.json(
            f"curl -s -X POST https://ozor.ai/api/v1/videos/{video_id}/export "
            f"""-H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" -d '{body}'"""
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    options = ("--provider", "ozor", "--clock", "real", "--pace", "instant")
    with serving(tmp_path_factory.mktemp("serve"), *options) as mock:
        yield Shell(mock.env["OZOR_BASE_URL"], mock.env["OZOR_API_KEY"])


@pytest.mark.clause("OZ-001", "OZ-055")
def test_first_call(shell: Shell) -> None:
    submitted = shell.json("""curl -s -X POST https://ozor.ai/api/v1/videos/generate \
        -H "X-API-Key: $OZOR_API_KEY" \
        -H "Content-Type: application/json" \
        -d '{"prompt": "A 15-second ad for a minimalist desk lamp"}'""")

    assert submitted["status"] == "pending"


@pytest.mark.clause("OZ-228")
def test_quickstart(shell: Shell, tmp_path: Path) -> None:
    submitted = shell.json("""curl -s -X POST https://ozor.ai/api/v1/videos/generate \
        -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" \
        -d '{
          "prompt": "A 20s product teaser for a wireless headphone",
          "aspect": "16:9",
          "export": true,
          "exportQuality": "1080p",
          "exportIsPublic": true
        }'""")
    done = shell.wait_for_export(submitted["videoId"])
    file = tmp_path / "video.mp4"
    shell.run(f"curl -sf -o {file} '{done['shareUrl']}'")

    assert submitted["status"] == "pending"
    assert len(done["shareCode"]) == 7
    assert file.read_bytes()[4:8] == b"ftyp"
    assert shell.run(f"curl -sf '{done['downloadUrl']}' | head -c 8 | tail -c 4") == "ftyp"


@pytest.mark.clause("OZ-229", "OZ-230")
def test_export_separately_then_edit_and_export_again(shell: Shell) -> None:
    submitted = shell.json("""curl -s -X POST https://ozor.ai/api/v1/videos/generate \
        -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" \
        -d '{"prompt": "A lamp"}'""")
    video_id = submitted["videoId"]
    shell.wait_for_job(submitted)
    shell.export(video_id, '{"quality": "1080p", "isPublic": true}')
    first = shell.wait_for_export(video_id)
    edit = shell.json(f"""curl -s -X POST https://ozor.ai/api/v1/videos/{video_id}/message \
        -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" \
        -d '{{"message": "Change background to dark blue"}}'""")
    reply = shell.wait_for_job(edit)
    again = shell.export(video_id, '{"quality": "1080p"}')
    second = shell.wait_for_export(video_id)

    assert first["shareUrl"]
    assert edit["status"] == "queued"
    assert reply["response"]
    assert second["exportId"] == again["exportId"] != first["exportId"]


@pytest.mark.clause("OZ-231")
def test_document_to_video(shell: Shell, tmp_path: Path) -> None:
    document = tmp_path / "pitch-deck.pdf"
    document.write_bytes(steps.pdf_bytes())
    plan = shell.json(f"""curl -s -X POST https://ozor.ai/api/v1/documents/analyze \
        -H "X-API-Key: $OZOR_API_KEY" \
        -F "file=@{document};type=application/pdf" -F target_duration_sec=30""")["plan"]
    path = f"https://ozor.ai/api/v1/documents/plans/{plan['planId']}"
    edited = shell.json(f"""curl -s -X PATCH {path} \
        -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" \
        -d '{{"voiceSettings": {{"voiceId": "nova", "speakingRate": 1.0}}}}'""")["plan"]
    stream = shell.run(f'curl -sN -X POST {path}/generate -H "X-API-Key: $OZOR_API_KEY"')
    last = jsonlib.loads(stream.strip().splitlines()[-1].removeprefix("data:"))
    shell.export(last["projectId"], '{"quality": "1080p", "isPublic": true}')
    done = shell.wait_for_export(last["projectId"])

    assert (plan["creditsCost"], edited["creditsCost"]) == (3, 3)
    assert (last["step"], last["pct"]) == ("done", 100)
    assert done["shareUrl"]


@pytest.mark.clause("OZ-031", "OZ-224")
def test_call_without_a_key_says_what_is_missing(shell: Shell) -> None:
    answer = shell.run("curl -s -w ' %{http_code}' https://ozor.ai/api/v1/videos")

    body, _, status = answer.rpartition(" ")
    assert status == "401"
    assert "X-API-Key" in jsonlib.loads(body)["detail"]
