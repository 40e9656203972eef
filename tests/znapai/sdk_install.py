"""Client libraries of other people, each in a folder of its own below `.cache/sdk/`.

A library is installed once, from its registry and unmodified; remove the folder to get it anew.
Tests are skipped where the registry cannot be reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".cache" / "sdk"
INSTALL_LASTS_S_MAX = 300


def python_with(requirement: str) -> Path:
    """An interpreter that has *requirement*, such as `openai==2.24.0`, and nothing of ours."""
    folder = FOLDER / requirement.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "-q", requirement)
        (folder / ".complete").touch()
    return python


def node_folder_with(package: str) -> Path:
    """A folder from which Node.js resolves *package*."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = FOLDER / f"{package}-node"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        # Without the tag npm takes an older version for a Node.js older than the newest asks for.
        newest = f"{package}@latest"
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", newest, cwd=folder)
        (folder / ".complete").touch()
    return folder


def _run(*command: str, cwd: Path | None = None) -> None:
    # The variables of a developer's shell must not decide what is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            check=True,
            capture_output=True,
            timeout=INSTALL_LASTS_S_MAX,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        output = (error.stderr or b"").decode(errors="replace")[-300:]
        pytest.skip(f"cannot install with {' '.join(command)}: {output}")
