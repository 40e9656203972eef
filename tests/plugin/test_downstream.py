"""A separate project with the built wheel: its tests, and both type checkers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..tree import DOWNSTREAM, ROOT
from .conftest import run

pytestmark = pytest.mark.slow

#: It takes a second to load, and the project does not need it.
PYTEST = ("-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, away from this checkout."""
    return shutil.copytree(DOWNSTREAM, tmp_path / "lampshop")


def test_the_projects_tests_pass(python: Path, project: Path) -> None:
    detail = run(
        python,
        *PYTEST,
        "--screentest-coverage",
        "--screentest-receipt",
        "--screentest-coverage-fail-under=5",
        "--screentest-budget=2EUR",
        cwd=project,
    )

    assert "12 passed" in detail
    assert "screentest: outcome coverage" in detail
    assert "screentest: receipt" in detail


def test_the_projects_tests_pass_on_four_workers(python: Path, project: Path) -> None:
    detail = run(python, *PYTEST, "-n", "4", cwd=project)

    assert "12 passed" in detail


def test_project_is_not_run_together_with_the_tests_of_this_one() -> None:
    """Its conftest.py would also apply to the tests of this project."""
    words = (*PYTEST[1:], "tests/plugin/test_settings.py", "tests/downstream")

    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr == (
        "ERROR: tests/downstream is a project of its own; "
        "tests/plugin/test_downstream.py runs it\n\n"
    )


def test_mypy_is_content_with_the_project(python: Path, project: Path) -> None:
    detail = run(sys.executable, "-m", "mypy", "--python-executable", python, cwd=project)

    assert detail.startswith("Success: no issues found")


def test_pyright_is_content_with_the_project(python: Path, project: Path) -> None:
    detail = run(sys.executable, "-m", "pyright", "--pythonpath", python, cwd=project)

    assert "0 errors, 0 warnings" in detail
