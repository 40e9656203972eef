"""What a YAML text would become, found out before it is built.

The loader descends once per level, and an alias costs nothing until somebody walks what it stands
for: a few hundred bytes end a process by its stack, or grow to gigabytes. Events are flat.
"""

from __future__ import annotations

from collections.abc import Iterable

from yaml.events import AliasEvent, CollectionEndEvent, NodeEvent, ScalarEvent

from .json_types import Json

#: A contract of hand-written schemas comes to twenty levels.
DEPTH_MAX = 64
#: With every alias written out; the largest contract of ours comes to a thirtieth.
SIZE_MAX = 20_000_000
# What a node takes beside its text.
_NODE_SIZE = 100


class YamlLimitError(ValueError):
    """The text is YAML, and more than may be built; says what it is."""


def check_events(events: Iterable[Json]) -> None:
    """Nothing, if what *events* describe may be built.

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
        raise YamlLimitError(f"endless: alias {name!r} stands inside what it stands for")
    return sizes.get(name or "", 0)
