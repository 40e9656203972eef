"""What a world remembers of its callers' last steps: a few facts by name, the oldest forgotten.

It serves advice alone. Nothing that a provider answers depends on it, so it is not kept in rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from screentest.specs.json_types import Json

#: More jobs than anybody polls at once; a thousand marks weigh less than a megabyte.
MARKS_MAX = 1_000


class Marks:
    """Values by name, at most `MARKS_MAX` of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Json] = OrderedDict()

    def swap(self, name: Hashable, value: Json) -> Json:
        """Keep *value* under *name*; what stood there before, or None."""
        before = self._kept.pop(name, None)
        self._kept[name] = value
        if len(self._kept) > MARKS_MAX:
            self._kept.popitem(last=False)
        return before

    def get(self, name: Hashable) -> Json:
        """What stands under *name*, or None."""
        return self._kept.get(name)
