"""Parts of a file by Range, If-Range and If-None-Match (RFC 9110, 13 and 14).

A request for several ranges gets the whole file, which the standard allows. werkzeug's helpers are
not used: they answer 416 to a suffix longer than the file (`bytes=-999`), for which RFC 9110,
14.1.2 selects the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from .clips import etag

# Longer numbers cannot lie inside a file of ours.
_RANGE = r"(?i)bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*"


class Part(Struct, frozen=True):
    """An answer about a file: 200 all of it, 206 a part, 304 not modified, 416 no such part."""

    status: int
    content: bytes
    headers: Mapping[str, str]


def part_of(content: bytes, asked: Mapping[str, str]) -> Part:
    """The answer to the request headers *asked*, whose names are in lower case."""
    tag = etag(content)
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    if _names(asked.get("if-none-match", ""), tag):
        return Part(304, b"", headers)
    match = re.fullmatch(_RANGE, asked.get("range", ""))
    if match is None or not _is_range(match[1], match[2]) or asked.get("if-range", tag) != tag:
        return Part(200, content, headers)
    first, last = _bounds(match[1], match[2], len(content))
    if first > last:
        return Part(416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Part(206, content[first : last + 1], headers)


def _is_range(first: str, last: str) -> bool:
    """Whether the numbers are a valid range; an invalid Range header is ignored."""
    return int(first) <= int(last) if first and last else bool(first or last)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """(first, last) byte of the range; first is greater than last if the range is empty."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def _names(listed: str, tag: str) -> bool:
    return any(it.strip().removeprefix("W/") in {tag, "*"} for it in listed.split(","))
