"""Which release this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version; `0+unknown` where the code runs from a checkout, not installed."""
    try:
        return metadata.version("screentest")
    except metadata.PackageNotFoundError:
        return "0+unknown"
