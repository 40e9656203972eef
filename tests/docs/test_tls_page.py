"""The commands of the page about built-in addresses print what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.live_mock import wait_for_file
from tests.pages import DOCS, blocks, pattern

_CONSOLE = [text for language, text in blocks(DOCS / "tls.md") if language == "console"]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl")


def _commands(block: str) -> list[tuple[str, list[str]]]:
    """The commands of a block, each with the lines that it prints."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(it.splitlines()[0], it.splitlines()[1:]) for it in parts]


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _check(printed: str, shown: list[str]) -> None:
    lines = printed.splitlines()
    assert len(lines) == len(shown)
    assert [line for line, it in zip(lines, shown, strict=True) if not _fits(line, it)] == []


def _fits(line: str, shown: str) -> bool:
    return fnmatchcase(line, pattern(shown))


def test_intercepted_shell_prints_what_the_page_shows(tmp_path: Path) -> None:
    (first, _), *others = _commands(_CONSOLE[0])
    script = "\n".join(command for command, _ in others)

    done = subprocess.run(
        [*first.split(), "-c", f"exec 2>&1\n{script}"],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    _check(done.stdout.replace("}curl", "}\ncurl"), [line for _, shown in others for line in shown])


def test_server_with_tls_answers_as_the_page_shows(tmp_path: Path) -> None:
    (first, _), *others = _commands(_CONSOLE[1])
    server = subprocess.Popen(
        [*first.replace("8443", "0").split(), "--ready-file", "ready.json", "--quiet"],
        cwd=tmp_path,
        env=_environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        port = wait_for_file(tmp_path / "ready.json")["url"].rpartition(":")[2]
        for command, shown in others:
            done = subprocess.run(
                ["bash", "-c", command.replace("8443", port)],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            _check(done.stdout, shown)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
