"""Workflows, hooks and release notes run the commands that a contributor runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.release_notes import release_notes

from ..tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

_MAKE = re.compile(r"^make((?: [\w-]+(?:=\S+)?)+)$", re.MULTILINE)


def _jobs(path: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return jobs


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _jobs(path).values() for step in job["steps"]]


def _targets_of_check() -> list[str]:
    prerequisites = re.search(r"^check: ([a-z -]+?) *(?:##|$)", MAKEFILE, re.MULTILINE)
    assert prerequisites is not None
    return prerequisites[1].split()


def test_hooks_are_the_targets_of_make_check() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))

    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]

    assert sorted(hook["entry"] for hook in hooks) == sorted(
        f"make {target}" for target in _targets_of_check()
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_make_targets_that_exist(path: Path) -> None:
    commands = [command for step in _steps(path) for command in _MAKE.findall(step.get("run", ""))]
    words = {word for command in commands for word in command.split() if "=" not in word}
    matrices = [job.get("strategy", {}).get("matrix", {}) for job in _jobs(path).values()]
    words |= {target for matrix in matrices for target in matrix.get("target", [])}

    assert words
    assert words <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_every_action_by_commit(path: Path) -> None:
    """The owner of an action can move its tags."""
    actions = re.findall(r"uses: (\S+)( # v[\d.]+)?$", path.read_text(encoding="utf-8"), re.M)

    assert len(actions) == sum("uses" in step for step in _steps(path))
    assert [
        name for name, note in actions if not re.search(r"@[0-9a-f]{40}$", name) or not note
    ] == []


def test_ci_covers_every_python_that_the_package_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    matrix = _jobs(ROOT / ".github" / "workflows" / "ci.yml")["check"]["strategy"]["matrix"]

    assert matrix == {"os": ["ubuntu-latest", "macos-latest"], "python": named}


def test_release_notes_are_the_section_of_the_version() -> None:
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- New.\n\n"
        "## [0.1.0]\n\n- Old.\n"
    )

    assert release_notes(changelog, "0.2.0") == "- New.\n"
    assert release_notes(changelog, "0.1.0") == "- Old.\n"


@pytest.mark.parametrize("version", ["Unreleased", "0.3.0", "0.2"])
def test_release_without_notes_stops(version: str) -> None:
    changelog = "## [Unreleased]\n\n## [0.2.0]\n\n- New.\n"

    message = f"^CHANGELOG\\.md has no section \\[{version}\\] with text in it$"
    with pytest.raises(ValueError, match=message):
        release_notes(changelog, version)
