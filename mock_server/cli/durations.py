"""Lengths of time as people write them: 45s, 2m, 1h30m, 250ms, 2d."""

from __future__ import annotations

import re
from datetime import datetime

import click

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
_WHOLE = re.compile(r"(?:\d{1,9}(?:ms|s|m|h|d)){1,5}")


def duration_ms(text: str) -> int:
    """Milliseconds of `1h30m`, as the type of an option.

    Raises:
        BadParameter: *text* is not a duration.
    """
    found = read_duration_ms(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration; write 45s, 2m, 1h30m or 250ms")
    return found


def read_duration_ms(text: str) -> int | None:
    """Milliseconds of `1h30m`; None when *text* is not a duration."""
    if not _WHOLE.fullmatch(text):
        return None
    return sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(text))


def duration_text(length_ms: int) -> str:
    """`1h 30m`, `42s`, `250ms`: the two largest units."""
    parts: list[str] = []
    for unit, unit_ms in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        count, length_ms = divmod(length_ms, unit_ms)
        if count:
            parts.append(f"{count}{unit}")
    if not parts or (length_ms and len(parts) < 2 and parts[0].endswith("s")):
        parts.append(f"{length_ms}ms")
    return " ".join(parts[:2])


def between_ms(earlier: str, later: str) -> int:
    """Milliseconds from one RFC 3339 instant to another; 0 when it is not later."""
    begin, end = (datetime.fromisoformat(it.replace("Z", "+00:00")) for it in (earlier, later))
    return max(0, round((end - begin).total_seconds() * 1_000))
