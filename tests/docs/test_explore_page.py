"""Every code block of docs/explore.md runs, and prints what the page shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from screentest.mock_server.explore.breaks import BREAKS
from screentest.mock_server.explore.verdicts import Verdict
from tests.pages import DOCS, blocks

pytest_plugins = ["pytester"]

PAGE = DOCS / "explore.md"
_BLOCKS = blocks(PAGE)
_CLIENT, _MENDED, _TEST = (text for language, text in _BLOCKS if language == "python")
_CONSOLES = [text for language, text in _BLOCKS if language == "console"]
(_CI,) = (text for language, text in _BLOCKS if language == "bash")


def _shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text", "shown", "code"),
    [("client.py", _CLIENT, _CONSOLES[0], 1), ("mended.py", _MENDED, _CONSOLES[1], 0)],
    ids=["bad", "mended"],
)
def test_client_of_the_page_has_the_table_of_the_page(
    tmp_path: Path, name: str, text: str, shown: str, code: int
) -> None:
    (tmp_path / name).write_text(text)
    command, _, table = shown.partition("\n")

    done = _shell(tmp_path, command.removeprefix("$ "))

    assert done.stdout == table
    assert done.returncode == code, done.stderr


@pytest.mark.slow
def test_baseline_of_the_page_makes_what_is_broken_known(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(_CLIENT)

    done = _shell(tmp_path, f"set -e\n{_CI}")

    assert done.returncode == 0, done.stdout
    assert "0 broken, 13 known" in done.stdout
    assert (tmp_path / "explore.html").read_text().startswith("<!doctype html>")
    assert 'failures="0" skipped="13"' in (tmp_path / "explore.xml").read_text()


@pytest.mark.long
def test_tests_of_the_page_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(_TEST)

    result = pytester.runpytest_inprocess("-q", "-p", "screentest.fixtures.plugin")

    result.assert_outcomes(passed=3)


def test_page_has_every_break_and_verdict() -> None:
    text = PAGE.read_text()
    rows = [f"| `{it.name}` | {it.summary} |" for it in BREAKS]
    rows += [f"| {it.mark} | {it.summary} |" for it in Verdict]

    assert [it for it in rows if it not in text] == []


def test_readme_shows_a_part_of_the_page_on_its_first_screen() -> None:
    readme = (DOCS.parent / "README.md").read_text()
    (shown,) = (
        text for _, text in blocks(DOCS.parent / "README.md") if "screentest explore" in text
    )
    lines = [it for it in shown.splitlines() if it != "…"]

    assert [it for it in lines if it not in _CONSOLES[0].splitlines()] == []
    assert "screentest explore" in "\n".join(readme.splitlines()[:25])
