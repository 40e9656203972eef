"""Instants in whatever notation a provider uses: seconds, milliseconds, RFC 3339."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

from screentest.specs.json_types import Json

from ..traces.expressions import has_value

#: Numbers above this are milliseconds: as seconds they would be in the year 5138.
_SECONDS_MAX = 10**11


def as_ms(value: Json) -> int | None:
    """*value* as milliseconds since 1970; None if it is not an instant."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value > _SECONDS_MAX else int(value * 1_000)
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    since = (read if read.tzinfo else read.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def follow_each_other(values: Sequence[Json]) -> str | None:
    """What is wrong with the order of *values*; None when nothing is. Empty ones are skipped."""
    there = [value for value in values if has_value(value)]
    for before, after in itertools.pairwise(there):
        earlier, later = as_ms(before), as_ms(after)
        if earlier is not None and later is not None and later < earlier:
            return f"{after!r} is before {before!r}"
    return None
