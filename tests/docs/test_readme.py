"""The README's session runs as printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_mock import LiveMock

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the session uses curl")
def test_session_ends_with_a_complete_export(live: LiveMock, tmp_path: Path) -> None:
    block = re.search(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    command = f"{sys.executable} -m screentest.mock_server.cli"
    session = block[1].replace(".venv/bin/screentest", command)

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", session],
        env={**os.environ, "SCREENTEST_URL": live.url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert '"status":"pending"' in done.stdout
    assert '"exportStatus":"complete"' in done.stdout
    assert '"shareCode":"' in done.stdout


def test_every_provider_of_the_table_is_served_with_that_many_operations(live: LiveMock) -> None:
    rows = re.findall(r"^\| (\w[\w ]+?) \| (\d+) \|", README.read_text(), re.MULTILINE)

    served = live.control("GET", "/providers")

    assert {name: int(count) for name, count in rows} == {
        provider["name"]: provider["operations"] for provider in served
    }
