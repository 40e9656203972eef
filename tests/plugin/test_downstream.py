"""A separate project with the built wheel: its tests, and both type checkers on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ..tree import ROOT, project_files

pytestmark = pytest.mark.slow

PROJECT = ROOT / "tests" / "downstream"
#: Loads for a second and is none of the project's business.
PYTEST = ("-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider")


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and everything else lent by this environment."""
    tree = tmp_path_factory.mktemp("tree")
    for path in project_files():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, tree, cwd=tree)
    (wheel,) = folder.glob("*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    site = Path(
        _run(interpreter, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    # A folder named in a .pth file is searched, but its own .pth files are not read: the
    # editable installation of this project stays invisible.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    _run(
        *pip, "--python", interpreter, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder
    )
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, away from this checkout."""
    return shutil.copytree(PROJECT, tmp_path / "lampshop")


def test_the_projects_tests_pass(python: Path, project: Path) -> None:
    told = _run(
        python, *PYTEST, "--screentest-coverage", "--screentest-receipt",
        "--screentest-coverage-fail-under=5", "--screentest-budget=2EUR", cwd=project,
    )  # fmt: skip

    assert "12 passed" in told
    assert "screentest: outcome coverage" in told
    assert "screentest: receipt" in told


def test_the_projects_tests_pass_on_four_workers(python: Path, project: Path) -> None:
    told = _run(python, *PYTEST, "-n", "4", cwd=project)

    assert "12 passed" in told


def test_mypy_is_content_with_the_project(python: Path, project: Path) -> None:
    told = _run(sys.executable, "-m", "mypy", "--python-executable", python, cwd=project)

    assert told.startswith("Success: no issues found")


def test_pyright_is_content_with_the_project(python: Path, project: Path) -> None:
    told = _run(sys.executable, "-m", "pyright", "--pythonpath", python, cwd=project)

    assert "0 errors, 0 warnings" in told
