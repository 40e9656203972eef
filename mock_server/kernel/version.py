"""The version of screentest."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version; `0+unknown` if the code runs from a checkout."""
    try:
        return metadata.version("screentest")
    except metadata.PackageNotFoundError:
        return "0+unknown"
