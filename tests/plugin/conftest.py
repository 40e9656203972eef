"""An installation of the wheel, and the other tools that a project uses."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from ..tree import ROOT, project_files


@pytest.fixture
def only_our_plugin(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small projects of a test have no settings and plugins of this project."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")


def neighbour(name: str) -> Any:
    """The module called *name*. Skips the test if it is not installed.

    `make test-neighbours` requires all modules, so that no test is skipped.
    """
    if os.environ.get("NEIGHBOURS") == "all":
        return importlib.import_module(name)
    return pytest.importorskip(name)


def run(*command: str | Path, cwd: Path) -> str:
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


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the wheel, and with the other packages of this environment."""
    tree = tmp_path_factory.mktemp("tree")
    for path in project_files():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, tree, cwd=tree)
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    site = Path(
        run(interpreter, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    # A folder named in a .pth file is searched, but its own .pth files are not read: the
    # editable installation of this project stays invisible.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    run(
        *pip, "--python", interpreter, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder
    )
    return interpreter
