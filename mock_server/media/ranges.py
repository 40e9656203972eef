"""Parts of a file, as HTTP asks for them: Range, If-Range and If-None-Match (RFC 9110, 13 and 14).

One range a request: a client that asks for several gets the whole file, which the standard allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from .clips import etag

# Longer numbers cannot lie inside a file of ours.
_RANGE = r"(?i)bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*"


class Part(Struct, frozen=True):
    """What to send of a file: 200 all of it, 206 a part, 304 nothing new, 416 no such part."""

    status: int
    content: bytes
    headers: Mapping[str, str]


def part_of(content: bytes, asked: Mapping[str, str]) -> Part:
    """The part of *content* that request headers ask for; header names in lower case."""
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
    """Whether the numbers make sense together; if not, the header is to be ignored."""
    return int(first) <= int(last) if first and last else bool(first or last)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and the last byte that is meant; the first is beyond the last if there is none."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def _names(listed: str, tag: str) -> bool:
    return any(it.strip().removeprefix("W/") in {tag, "*"} for it in listed.split(","))
