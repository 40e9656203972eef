"""Limits of YAML texts, checked on their events before anything is built.

The loader recurses once per level, and an alias multiplies its content only when it is used. A few
hundred bytes could exhaust the stack or grow to gigabytes. Events are flat.
"""

from __future__ import annotations

from collections.abc import Iterable

from yaml.events import AliasEvent, CollectionEndEvent, NodeEvent, ScalarEvent

from .json_types import Json

#: Contracts with hand-written schemas have about twenty levels.
DEPTH_MAX = 64
#: With every alias written out. Our largest contract has a thirtieth of it.
SIZE_MAX = 20_000_000
# The size of a node without its text.
_NODE_SIZE = 100


class YamlLimitError(ValueError):
    """The text is YAML, but exceeds a limit, which the message names."""


def check_events(events: Iterable[Json]) -> None:
    """Raises unless the document that *events* describe is within the limits.

    Raises:
        YamlLimitError: it is nested too deep, too large with its aliases written out, or endless.
    """
    # One entry for the document, then one for each open collection: (its anchor, its size so far).
    opened: list[tuple[str | None, int]] = [(None, 0)]
    sizes: dict[str, int] = {}
    for event in events:
        anchor, size = None, _NODE_SIZE
        if isinstance(event, AliasEvent):
            size = _size_of_alias(event.anchor, sizes, opened)
        elif isinstance(event, ScalarEvent):
            anchor, size = event.anchor, _NODE_SIZE + len(event.value)
        elif isinstance(event, NodeEvent):
            opened.append((event.anchor, _NODE_SIZE))
            if len(opened) - 1 > DEPTH_MAX:
                raise YamlLimitError(f"nested more than {DEPTH_MAX} levels deep")
            continue
        elif isinstance(event, CollectionEndEvent):
            anchor, size = opened.pop()
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size
        opened[-1] = (opened[-1][0], opened[-1][1] + size)
        if opened[-1][1] > SIZE_MAX:
            raise YamlLimitError(f"more than {SIZE_MAX} characters with its aliases written out")


def _size_of_alias(
    name: str | None, sizes: dict[str, int], opened: list[tuple[str | None, int]]
) -> int:
    if any(anchor == name for anchor, _ in opened):
        raise YamlLimitError(f"endless: alias {name!r} is inside its own anchor")
    return sizes.get(name or "", 0)
