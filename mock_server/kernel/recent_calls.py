"""Facts about the latest calls of a world's clients, by name; the oldest are dropped.

Only findings use them. No answer of a provider depends on them, so they are not rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from screentest.specs.json_types import Json

#: More jobs than a client polls at once; a thousand marks take less than a megabyte.
MARKS_MAX = 1_000


class Marks:
    """Values by name, at most `MARKS_MAX` of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Json] = OrderedDict()

    def swap(self, name: Hashable, value: Json) -> Json:
        """Store *value* under *name*, and return the previous value or None."""
        before = self._kept.pop(name, None)
        self._kept[name] = value
        if len(self._kept) > MARKS_MAX:
            self._kept.popitem(last=False)
        return before

    def get(self, name: Hashable) -> Json:
        """The value under *name*, or None."""
        return self._kept.get(name)
