"""The contract of the pack: without a problem, served, and verified at its own mock."""

from __future__ import annotations

import subprocess
from typing import Any

import urllib3


def _run(*arguments: str) -> str:
    done = subprocess.run(
        ["screentest", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_found_without_an_option() -> None:
    assert "lamp" in _run("spec", "list")


def test_its_files_have_no_problem() -> None:
    _run("spec", "lint", "lamp")


def test_its_mock_keeps_every_rule() -> None:
    assert " 0 broken" in _run("verify", "lamp", "--quiet")


def test_a_video_is_made_and_downloaded(screentest: Any) -> None:
    lamp = screentest.lamp
    headers = {"Authorization": f"Bearer {lamp.api_key}"}
    videos = "https://api.lamp.example/v1/videos"

    made = urllib3.request("POST", videos, headers=headers, json={"prompt": "a lamp"}).json()
    screentest.clock.advance(120)
    video = urllib3.request("GET", f"{videos}/{made['id']}", headers=headers).json()
    file = urllib3.request("GET", video["url"])

    assert (video["status"], lamp.credits) == ("complete", 80)
    assert file.data[4:8] == b"ftyp"
