"""The template of a pack, built as a wheel and installed where nothing else names its contract."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .tree import ROOT

_PACK = ROOT / "examples" / "pack"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def _run(*command: str | Path, cwd: Path) -> str:
    # Nothing of the project's own settings reaches the new environment.
    kept = {name: it for name, it in os.environ.items() if not name.startswith("SCREENTEST_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "PATH": f"{Path(command[0]).parent}{os.pathsep}{kept['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.mark.slow
def test_an_installed_pack_is_served_verified_and_used_by_pytest(tmp_path: Path) -> None:
    source = shutil.copytree(_PACK, tmp_path / "pack")
    _run(
        *_PIP,
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        source,
        cwd=source,
    )
    (wheel,) = tmp_path.glob("screentest_lamp-*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(
        _run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip()
    )
    # Lends what is installed here; the .pth files of a lent folder are not read.
    lent = [sysconfig.get_path("purelib"), str(ROOT / "src")]
    (site / "lent.pth").write_text("\n".join(lent), encoding="utf-8")
    _run(*_PIP, "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    program = python.with_name("screentest")
    program.write_text(f"#!{python}\nfrom screentest.mock_server.cli.main import main\nmain()\n")
    program.chmod(0o755)
    tests = shutil.copytree(_PACK / "tests", tmp_path / "tests")

    listed = _run(program, "spec", "list", cwd=tmp_path)
    _run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, cwd=tmp_path)

    (line,) = [it for it in listed.splitlines() if it.split()[:1] == ["lamp"]]
    assert "screentest_lamp 0.1.0" in line
