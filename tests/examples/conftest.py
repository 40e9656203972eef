"""Where the vendors' programs are. `make test-examples` installs them, and lets no test skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..tree import ROOT

_PYTHON = ROOT / ".cache" / "examples" / "bin" / "python"
_NODE = ROOT / ".cache" / "node" / "node_modules"


@pytest.fixture(scope="session")
def vendor_python() -> Path:
    """The Python of the environment with the vendors' programs."""
    return _installed(_PYTHON, _PYTHON)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder with the vendors' packages from npm."""
    return _installed(_NODE, _NODE / "lumaai")


def _installed(place: Path, needed: Path) -> Path:
    if not needed.exists():
        missing = "the vendors' programs are not installed; make test-examples installs them"
        if os.environ.get("EXAMPLES") == "all":
            pytest.fail(missing)
        pytest.skip(missing)
    return place
