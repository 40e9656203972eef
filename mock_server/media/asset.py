"""A file that one of the mock's URLs serves."""

from __future__ import annotations

from msgspec import Struct


class Asset(Struct, frozen=True):
    """A file that one of the mock's URLs serves."""

    content: bytes
    content_type: str
    filename: str = ""
