"""Imports point downwards, so each layer can be read without the ones above it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .tree import FOLDERS, ROOT, VENDORS, is_vendor_module, python_files, syntax

#: The layers of the mock, lowest first; a layer may use itself and what stands before it.
LAYERS = (
    ("specs",),
    ("kernel", "store"),
    ("provider",),
    ("providers",),
    ("world",),
    ("gates", "pipeline", "strikes"),
    ("http",),
    ("cli",),
)
#: Modules that stand beside provider.py: they shape replies or read calls for every vendor.
BESIDE_PROVIDER = {
    "findings", "generic", "habits", "idempotency", "ignored", "job_events", "limits", "record",
    "recorded_replies", "refusals", "sources", "steps",
}  # fmt: skip
#: And beside world.py.
BESIDE_WORLD = {"provider_modules"}
#: Everything else directly in mock_server/ is the kernel: rules over (rows, now, rng).
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


def _layer(parts: tuple[str, ...]) -> str:
    """The layer of a path or dotted name below the project's root, without its suffix."""
    if parts[0] != "mock_server":
        return parts[0]
    name = parts[1] if len(parts) > 1 else "kernel"
    if name in BESIDE_PROVIDER:
        return "provider"
    if name in BESIDE_WORLD:
        return "world"
    named = {layer for rank in LAYERS for layer in rank}
    return name if name in named else "kernel"


def _allowed(layer: str) -> set[str]:
    rank = next(rank for rank, layers in enumerate(LAYERS) if layer in layers)
    return {name for layers in LAYERS[: rank + 1] for name in layers}


def test_the_layers_of_the_mock_point_downwards() -> None:
    upwards: list[str] = []
    for path in python_files("mock_server"):
        layer = _layer(path.with_suffix("").parts)
        allowed = _allowed(layer)
        for found in _imports(path):
            if found.folder not in ("mock_server", "specs"):
                continue
            target = _layer(tuple(found.target.split(".")[1:]))
            if target not in allowed:
                upwards.append(
                    f"{path}:{found.line} imports {found.target} ({target});"
                    f" {layer} may use {', '.join(sorted(allowed))}"
                )

    assert upwards == [], "\n".join(upwards)


def _folders_open_to(path: Path) -> set[str]:
    """What a module may use; the command line stands above the kit that it runs."""
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
    banned = {"kernel": KERNEL_MUST_NOT, "specs": SPECS_MUST_NOT}

    outside = [
        f"{path}:{found.line} imports {found.target}; the kernel is rules over (rows, now, rng)"
        for path in python_files("mock_server", "specs")
        for found in _imports(path)
        if found.target.split(".")[0] in banned.get(_layer(path.with_suffix("").parts), set())
    ]

    assert outside == [], "\n".join(outside)


def _is_same_vendor(path: Path, target: str) -> bool:
    """Whether the vendor module *target* and *path* are parts of one: ozor and ozor_keys are."""
    other = target.rpartition(".")[2]
    return any(
        is_vendor_module(path, vendor) and is_vendor_module(path.with_stem(other), vendor)
        for vendor in VENDORS
    )


def test_vendor_modules_do_not_know_each_other() -> None:
    knowing = [
        f"{path}:{found.line} imports {found.target}; what two vendors share belongs below them"
        for path in python_files("mock_server")
        if path.parent.name == "providers"
        for found in _imports(path)
        if found.target.startswith("screentest.mock_server.providers.")
        and not _is_same_vendor(path, found.target)
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
        path.stem
        for path in python_files("mock_server")
        if path.parent.name == "cli" and path.stem in {"client", "env", "main", "variables"}
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
