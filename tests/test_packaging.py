"""What is installed is one import name with everything the mock needs to run."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import screentest

from .tree import FOLDERS, ROOT, project_files

PUBLIC_NAMES_MAX = 12
#: From the smallest to the largest: each holds what those before it hold.
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-neighbours.lock")

#: Asked of a Python that knows the wheel alone, from a folder with nothing in it.
QUESTIONS = """
import importlib, json, pathlib, pkgutil
import screentest
from importlib.resources import files

root = files("screentest")
modules = [
    found.name
    for found in pkgutil.walk_packages(screentest.__path__, "screentest.")
    if not found.name.startswith("screentest.contract_tests")
    and not found.name.endswith("__main__")
]
for name in modules:
    importlib.import_module(name)
print(json.dumps({
    "version": screentest.__version__,
    "home": str(pathlib.Path(screentest.__file__).parent),
    "modules": modules,
    "behaviours": sorted(folder.name for folder in (root / "specs").iterdir()
                         if (folder / "behaviour.yaml").is_file()),
}))
"""
#: Asked of the same Python: what a program loads that reads every contract.
LOADED = """
import sys
from screentest.specs.contracts.registry import shipped_contracts

print(len([it.document for it in shipped_contracts()]), "yaml" in sys.modules)
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def test_public_names_are_few_and_say_where_they_live() -> None:
    names = [name for name in screentest.__all__ if name != "__version__"]

    assert len(names) <= PUBLIC_NAMES_MAX
    assert set(dir(screentest)) == set(screentest.__all__)
    assert all(hasattr(screentest, name) for name in screentest.__all__)


def test_unknown_public_name_is_refused_like_any_missing_attribute() -> None:
    with pytest.raises(AttributeError, match="^module 'screentest' has no attribute 'Mokc'$"):
        _ = screentest.Mokc


def test_version_is_the_one_of_the_installed_distribution() -> None:
    assert screentest.__version__ == version("screentest")


def test_import_screentest_loads_neither_a_framework_nor_a_validator() -> None:
    loaded = _run(
        sys.executable,
        "-c",
        "import json, sys, screentest; print(json.dumps(sorted(sys.modules)))",
        cwd=ROOT,
    )

    assert set(json.loads(loaded)) & {"flask", "jsonschema_rs", "orjson", "yaml", "pytest"} == set()


def test_every_folder_has_its_link_under_the_import_name() -> None:
    links = {folder: ROOT / "src" / "screentest" / folder for folder in FOLDERS}

    assert all(link.is_symlink() for link in links.values())
    assert {name: link.resolve() for name, link in links.items()} == {
        name: ROOT / name for name in FOLDERS
    }


def test_locks_name_no_index_and_hash_every_package() -> None:
    """They install with plain pip, from whatever index its user has configured."""
    for name in LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9.-]+==.*(?:\\\n.*)+", text, flags=re.MULTILINE)

        assert "://" not in text
        assert len(pins) > 10
        assert all("--hash=sha256:" in pin for pin in pins)


def test_locks_have_one_version_of_each_package_for_every_python() -> None:
    for name in LOCKS:
        locked = re.findall(r"^([a-z0-9.-]+)==", (ROOT / name).read_text(), flags=re.MULTILINE)

        assert len(locked) == len(set(locked))


def test_locks_agree_on_every_version() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(), flags=re.MULTILINE))
        for name in LOCKS
    ]

    for smaller, larger in itertools.pairwise(pins):
        assert {name: larger.get(name) for name in smaller} == smaller


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what a commit would hold."""
    tree = tmp_path_factory.mktemp("tree")
    for path in project_files():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    target = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", target, tree, cwd=tree)
    (built,) = target.glob("*.whl")
    return built


@pytest.mark.slow
def test_wheel_has_one_top_level_name(wheel: Path) -> None:
    """A second one could overwrite, or be overwritten by, another package."""
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}

    assert top == {"screentest", f"screentest-{version('screentest')}.dist-info"}


@pytest.mark.slow
def test_wheel_holds_every_file_of_the_four_folders_and_the_documents(wheel: Path) -> None:
    packed_folders = {*FOLDERS, "docs"}
    expected = {f"screentest/{path}" for path in project_files() if path.parts[0] in packed_folders}
    expected |= {"screentest/__init__.py", "screentest/py.typed"}
    # Each contract file brings its decoded form, so that an installed copy reads no YAML.
    contracts = [it for it in project_files() if it.match("specs/*/*.yaml")]
    expected |= {f"screentest/{path.with_suffix('.decoded.json')}" for path in contracts}

    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("screentest/")}

    assert packed == expected


@pytest.mark.slow
def test_wheel_works_where_nothing_else_of_the_project_is(wheel: Path, tmp_path: Path) -> None:
    """Its dependencies are lent by this environment, its own modules are not."""
    _run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(
        _run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip()
    )
    # A folder named in a .pth file is searched, but its own .pth files are not read: the
    # editable installation of the project stays invisible.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    _run(*pip, "install", "-q", "--no-deps", "--no-index", wheel, cwd=tmp_path)

    answer = json.loads(_run(python, "-c", QUESTIONS, cwd=tmp_path))
    detail = _run(python.with_name("screentest"), "--version", cwd=tmp_path)
    loaded = _run(python, "-c", LOADED, cwd=tmp_path)

    assert detail.strip() == version("screentest")
    assert answer["version"] == version("screentest")
    assert Path(answer["home"]) == site / "screentest"
    assert "screentest.specs.contracts.contract" in answer["modules"]
    assert loaded.split() == [str(len(answer["behaviours"])), "False"]
    assert answer["behaviours"] == sorted(
        path.parts[1]
        for path in project_files()
        if path.name == "behaviour.yaml" and path.parts[0] == "specs"
    )
