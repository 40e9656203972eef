"""The field that a client probably meant by an unknown one."""

from __future__ import annotations

from collections.abc import Collection

from screentest.specs.errors import nearest

#: Names of different providers for the same thing. A size also implies a shape.
_SYNONYMS = (
    {"duration", "seconds", "length"},
    {"aspect", "aspectRatio", "aspect_ratio", "orientation"},
    {"size", "resolution"},
    {"size", "aspect", "aspectRatio", "aspect_ratio", "orientation"},
    {"resolution", "quality", "exportQuality"},
    {"prompt", "text", "visualPrompt", "text_content"},
)


def meant_field(name: str, known: Collection[str]) -> str | None:
    """The one of the *known* fields that *name* was probably meant to be."""
    for same in _SYNONYMS:
        if name in same and same & set(known):
            return min(same & set(known))
    lowered = {it.lower(): it for it in known}
    close = nearest(name.lower(), lowered)
    return lowered[close[0]] if close else None
