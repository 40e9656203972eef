"""Imports point downwards, so each layer can be read without the ones above it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .tree import FOLDERS, ROOT, python_files, syntax

#: The rooms of the house, floor by floor. A room may import itself and the floors below it, so no
#: two rooms can import each other. A folder that is not listed belongs to the nearest one above it.
FLOORS = {
    "specs": (
        ("specs",),
        ("specs/openapi", "specs/expressions"),
        ("specs/behaviour",),
        ("specs/contracts",),
        ("specs/clauses",),
        ("specs/checks",),
        ("specs/describing", "specs/linting"),
        ("specs/drafting",),
    ),
    "mock_server": (
        ("mock_server",),
        ("mock_server/kernel", "mock_server/media"),
        ("mock_server/store", "mock_server/tls"),
        ("mock_server/store/postgres",),
        ("mock_server/engine",),
        ("mock_server/answers",),
        ("mock_server/findings", "mock_server/providers"),
        ("mock_server/reports",),
        ("mock_server/explore",),
        ("mock_server/pipeline",),
        ("mock_server/http/ui",),
        ("mock_server/http",),
        ("mock_server/cli",),
        ("mock_server/cli/agents", "mock_server/cli/running"),
        ("mock_server/cli/verbs",),
    ),
    "contract_tests": (
        ("contract_tests/traces",),
        ("contract_tests/rules",),
        ("contract_tests/monitors",),
        ("contract_tests/targets",),
        ("contract_tests/sessions",),
        ("contract_tests/scenarios",),
        ("contract_tests/report",),
        ("contract_tests/runs",),
        ("contract_tests/recordings", "contract_tests/mutants"),
        ("contract_tests",),
    ),
    "fixtures": (
        ("fixtures/patching", "fixtures/world"),
        ("fixtures/intercept", "fixtures/warp"),
        ("fixtures/reports",),
        ("fixtures",),
    ),
}
ROOMS = [room for floors in FLOORS.values() for floor in floors for room in floor]
#: More modules beside each other than this, and the folder has no shape. One a verb is a list.
MODULES_IN_A_FOLDER_MAX = 19
KERNEL_MUST_NOT = {"flask", "werkzeug", "sqlite3", "socket", "threading", "asyncio", "requests"}
# A contract is loaded once however many threads ask for it, which takes a lock.
SPECS_MUST_NOT = KERNEL_MUST_NOT - {"threading"}

#: What each folder may use of the others.
FOLDER_MAY_USE = {
    "specs": {"specs"},
    "mock_server": {"mock_server", "specs"},
    "fixtures": {"fixtures", "mock_server", "specs", "screentest"},
    "contract_tests": {"contract_tests", "specs", "screentest"},
}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: *target* is dotted and absolute, `screentest.…` for our own."""

    path: Path
    line: int
    target: str
    is_relative: bool

    @property
    def folder(self) -> str | None:
        """The one of our folders it points to; 'screentest' for public names; None for others."""
        parts = self.target.split(".")
        if parts[0] != "screentest":
            return None
        return parts[1] if len(parts) > 1 and parts[1] in FOLDERS else "screentest"


def _imports(path: Path) -> Iterator[Import]:
    package = ("screentest", *path.parts[:-1])
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name, is_relative=False)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = (*start, *(node.module or "").split("."))
            origin = ".".join(part for part in module if part)
            for alias in node.names:
                name = f"{origin}.{alias.name}"
                target = name if _is_module(name) else origin
                yield Import(path, node.lineno, target, is_relative=bool(node.level))


def _is_module(dotted: str) -> bool:
    """Whether *dotted* is a module or folder of ours, rather than a name inside one."""
    parts = dotted.split(".")
    if parts[0] != "screentest" or len(parts) < 2:
        return False
    place = ROOT.joinpath(*parts[1:])
    return place.is_dir() or place.with_suffix(".py").is_file()


def _room(place: str) -> str:
    """The room that the module or folder at *place*, such as `mock_server/http/edge`, is in."""
    return max((room for room in ROOMS if f"{place}/".startswith(f"{room}/")), key=len)


def _open_to(room: str) -> set[str]:
    """The rooms that the modules in *room* may import."""
    floors = next(floors for floors in FLOORS.values() for floor in floors if room in floor)
    rank = next(rank for rank, floor in enumerate(floors) if room in floor)
    return {room} | {below for floor in floors[:rank] for below in floor}


def test_rooms_import_only_the_floors_below_them() -> None:
    upwards = [
        f"{path}:{found.line} imports {found.target}, which is in {target};"
        f" {room} may import {', '.join(sorted(_open_to(room)))}"
        for path in python_files(*FLOORS)
        for room in [_room(path.with_suffix("").as_posix())]
        for found in _imports(path)
        if found.folder == path.parts[0]
        for target in [_room("/".join(found.target.split(".")[1:]))]
        if target not in _open_to(room)
    ]

    assert upwards == [], "\n".join(upwards)


def test_the_control_api_is_assembled_in_one_place() -> None:
    """`http/control` builds on `http`; of `http`, only `app` knows the control API."""
    knowing = {
        path.name
        for path in python_files("mock_server")
        if path.parent.as_posix() == "mock_server/http"
        for found in _imports(path)
        if found.target.startswith("screentest.mock_server.http.control")
    }

    assert knowing == {"app.py"}


def test_only_the_assembly_knows_which_keeper_is_in_use() -> None:
    """The others see a working set and a `Keeper`, whatever keeps the rows."""
    keepers = ("store.sqlite_keeper", "store.postgres")
    knowing = {
        path.as_posix()
        for path in python_files(*FLOORS)
        for found in _imports(path)
        if found.target.removeprefix("screentest.mock_server.").startswith(keepers)
    }

    assert {it for it in knowing if not it.startswith("mock_server/store/")} == {
        "mock_server/http/app.py"
    }


def test_every_folder_of_the_house_is_a_room_and_no_room_is_crowded() -> None:
    modules: dict[str, int] = {}
    for path in python_files(*FLOORS):
        is_verb = path.parent.as_posix() == "mock_server/cli/verbs"
        if path.name != "__init__.py" and not is_verb:
            folder = path.parent.as_posix()
            modules[folder] = modules.get(folder, 0) + 1

    crowded = {name: count for name, count in modules.items() if count > MODULES_IN_A_FOLDER_MAX}
    without_docstring = [
        path
        for path in python_files(*FLOORS)
        if path.name == "__init__.py" and not ast.get_docstring(syntax(path))
    ]

    assert crowded == {}
    assert without_docstring == []


def _folders_open_to(path: Path) -> set[str]:
    """What a module may use; the command line may use the kit that it runs."""
    allowed = FOLDER_MAY_USE[path.parts[0]]
    is_command = path.parts[:2] == ("mock_server", "cli")
    return allowed | {"contract_tests", "screentest"} if is_command else allowed


def test_folders_use_only_the_folders_below_them() -> None:
    across = [
        f"{path}:{found.line} imports {found.target}; {path.parts[0]}/ may use"
        f" {', '.join(sorted(_folders_open_to(path)))}"
        for path in python_files(*FOLDERS)
        for found in _imports(path)
        if found.folder and found.folder not in _folders_open_to(path)
    ]

    assert across == [], "\n".join(across)


def test_the_kernel_knows_no_sockets_threads_or_frameworks() -> None:
    banned = {"mock_server/kernel": KERNEL_MUST_NOT, "specs": SPECS_MUST_NOT}

    outside = [
        f"{path}:{found.line} imports {found.target}; the kernel is rules over (rows, now, rng)"
        for path in python_files("mock_server", "specs")
        for found in _imports(path)
        if found.target.split(".")[0] in banned.get("/".join(path.parts[:-1]), set())
    ]

    assert outside == [], "\n".join(outside)


def test_vendor_folders_do_not_know_each_other() -> None:
    knowing = [
        f"{path}:{found.line} imports {found.target}; what two vendors share belongs below them"
        for path in python_files("mock_server")
        if path.parts[1] == "providers"
        for found in _imports(path)
        if found.target.startswith("screentest.mock_server.providers.")
        and not found.target.startswith(f"screentest.mock_server.providers.{path.parts[2]}")
    ]

    assert knowing == [], "\n".join(knowing)


def test_the_mock_imports_itself_relatively() -> None:
    """An editor opens the real folder; an absolute import would make every class exist twice."""
    absolute = [
        f"{path}:{found.line} imports {found.target}; write it relatively"
        for path in python_files("mock_server")
        for found in _imports(path)
        if found.folder == "mock_server" and not found.is_relative
    ]

    assert absolute == [], "\n".join(absolute)


def test_folders_and_tests_reach_another_folder_by_its_import_name() -> None:
    """`import mock_server` works from the root alone, and loads the mock a second time."""
    bare = [
        f"{path}:{found.line} imports {found.target}; write screentest.{found.target}"
        for path in python_files()
        for found in _imports(path)
        if not found.is_relative and found.target.split(".")[0] in FOLDERS
    ]

    assert bare == [], "\n".join(bare)


def test_client_verbs_start_without_a_framework_or_a_validator() -> None:
    """`screentest env` is asked in shell scripts, where half a second counts."""
    script = (
        "import json, sys; from importlib import import_module;"
        "[import_module('screentest.mock_server.cli.' + name) for name in sys.argv[1:]];"
        "print(json.dumps(sorted(sys.modules)))"
    )
    client_modules = [
        ".".join(path.with_suffix("").parts[2:])
        for path in python_files("mock_server")
        if path.parts[1] == "cli" and path.stem in {"client", "env", "main", "env_lines"}
    ]

    loaded = subprocess.run(
        [sys.executable, "-c", script, *client_modules], capture_output=True, check=True
    ).stdout

    assert len(client_modules) == 4
    assert set(json.loads(loaded)) & {"flask", "werkzeug", "jsonschema_rs", "granian"} == set()


def test_the_scan_sees_a_known_import() -> None:
    """A scan that finds nothing would make every rule above pass."""
    found = {item.target for item in _imports(Path("tests/test_imports.py"))}

    assert {"ast", "pathlib", "screentest.tests.tree"} <= found
