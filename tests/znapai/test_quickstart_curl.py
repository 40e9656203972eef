"""The curl calls of the document over real HTTP: only the host and the key are changed."""

from __future__ import annotations

import json as jsonlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..mock_client import Account, MockWorld
from . import steps
from .live import LiveMock, live_mock

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed; apt-get install curl"
)

CREATE = """curl -s -X POST "https://api.znapai.com/v1/videos" \\
  -H "Authorization: Bearer $ZNAPAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "sora-2", "prompt": "A city in the rain", "size": "1280x720",
       "seconds": "4", "metadata": {"user_id": "test-user"}}'"""
STATUS = """curl -s https://api.znapai.com/v1/videos/$VIDEO_ID \\
  -H "Authorization: Bearer $ZNAPAI_API_KEY\""""
CONTENT = """curl -s https://api.znapai.com/v1/videos/$VIDEO_ID/content \\
  -H "Authorization: Bearer $ZNAPAI_API_KEY" --output $FILE"""

POLLS_MAX = 10


@pytest.fixture(scope="module")
def mock() -> Iterator[LiveMock]:
    with live_mock() as served:
        yield served


@pytest.fixture
def world(mock: LiveMock) -> MockWorld:
    """A world in which a poll moves the clock, so that nothing is waited for."""
    return mock.world()


def shell(mock: LiveMock, account: Account, command: str, **variables: str) -> str:
    """What *command* prints, with the provider's host replaced by the mock's address."""
    base_url = f"{mock.origin}/w/{account.world.id}/znapai"
    done = subprocess.run(
        ["bash", "-c", command.replace("https://api.znapai.com", base_url)],
        env={**os.environ, "ZNAPAI_API_KEY": account.api_key, **variables},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.clause("ZN-001", "ZN-002", "ZN-003", "ZN-030", "ZN-031", "ZN-047", "ZN-049")
def test_documented_calls_lead_to_a_video(mock: LiveMock, znapai: Account, tmp_path: Path) -> None:
    made = jsonlib.loads(shell(mock, znapai, CREATE))
    states: list[str] = []
    for _ in range(POLLS_MAX):
        status = jsonlib.loads(shell(mock, znapai, STATUS, VIDEO_ID=made["id"]))
        states.append(status["status"])
        if states[-1] == "completed":
            break
    file = tmp_path / "video.mp4"

    shell(mock, znapai, CONTENT, VIDEO_ID=made["id"], FILE=str(file))

    assert set(made) == steps.FIELDS
    assert states == ["in_progress", "completed"]
    assert file.read_bytes()[4:8] == b"ftyp"
