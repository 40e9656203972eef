"""Where the generators are. `make test-clients` installs them, and lets no test skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..tree import ROOT

_PYTHON = ROOT / ".cache" / "clients" / "bin"
_NODE = ROOT / ".cache" / "node" / "node_modules"


@pytest.fixture(scope="session")
def python_tools() -> Path:
    """The folder of programs of the environment with openapi-python-client."""
    return _installed(_PYTHON, "openapi-python-client")


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The node_modules with openapi-typescript, openapi-fetch and the TypeScript compiler."""
    return _installed(_NODE, "openapi-typescript")


def _installed(folder: Path, name: str) -> Path:
    if not (folder / name).exists():
        missing = f"{name} is not installed; make test-clients installs it"
        if os.environ.get("CLIENTS") == "all":
            pytest.fail(missing)
        pytest.skip(missing)
    return folder
