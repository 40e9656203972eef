"""The project's own files, as a commit would hold them: tracked, or new and not ignored."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: A project that uses this one, with a configuration and fixtures of its own.
DOWNSTREAM = ROOT / "tests" / "downstream"

#: The folders that are imported as `screentest.<folder>`.
FOLDERS = ("contract_tests", "fixtures", "mock_server", "specs")

#: The vendors whose contracts are in specs/, by the names of their folders.
VENDORS = ("oshara", "ozor", "ugc_copilot", "ulazai", "znapai")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root, without links."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = (Path(name) for name in sorted(set(listing.split("\0"))) if name)
    return tuple(
        path for path in paths if (ROOT / path).is_file() and not (ROOT / path).is_symlink()
    )


def python_files(*folders: str) -> tuple[Path, ...]:
    """The Python files of *folders*; of the whole project if none is named."""
    return tuple(
        path
        for path in project_files()
        if path.suffix == ".py" and (not folders or path.parts[0] in folders)
    )


def is_vendor_module(path: Path, vendor: str) -> bool:
    """Whether *path* is a module of providers/<vendor>/."""
    return path.parent.parent.name == "providers" and path.parent.name == vendor


def text_files() -> Iterator[tuple[Path, str]]:
    """Every file that is UTF-8 text, with its text."""
    for path in project_files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of the Python file *path*."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))
