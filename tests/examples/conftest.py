"""Where the vendors' programs are. `make test-examples` installs them, and lets no test skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..tree import ROOT

_PYTHON = ROOT / ".cache" / "examples" / "bin" / "python"


@pytest.fixture(scope="session")
def vendor_python() -> Path:
    """The Python of the environment with the vendors' programs."""
    if not _PYTHON.exists():
        missing = "the vendors' programs are not installed; make test-examples installs them"
        if os.environ.get("EXAMPLES") == "all":
            pytest.fail(missing)
        pytest.skip(missing)
    return _PYTHON
