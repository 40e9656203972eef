"""Puts the decoded form beside each contract file, so that an installed copy loads at once.

The build of the wheel, and of an editable installation, runs this; see `specs/files.py`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DecodeContracts(BuildHookInterface):  # type: ignore[type-arg]  # generic in its stub alone
    """The hook that pyproject.toml names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the decoded forms into the tree that is built; git ignores them there."""
        # The package is not installed yet: its folder is imported by its own name.
        sys.path.insert(0, self.root)
        try:
            write_decoded = importlib.import_module("specs.files").write_decoded
        finally:
            sys.path.remove(self.root)
        for path in sorted(Path(self.root, "specs").glob("*/*.yaml")):
            write_decoded(path)
