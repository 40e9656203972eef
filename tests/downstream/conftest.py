"""Loads the project's own fixtures."""

from __future__ import annotations

pytest_plugins = ["fixtures.studio"]
