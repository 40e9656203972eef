"""What somebody meant who sent a field that a provider does not know."""

from __future__ import annotations

from collections.abc import Collection

from screentest.specs.errors import nearest

#: What different providers call the same thing.
_SYNONYMS = (
    {"duration", "seconds", "length"},
    {"aspect", "aspectRatio", "aspect_ratio", "orientation"},
    {"size", "resolution", "quality"},
    {"prompt", "text", "visualPrompt", "text_content"},
)


def unknown_field_fix(name: str, known: Collection[str]) -> str:
    """What to do about the field *name*, where there are the *known* ones."""
    meant = _meant(name, known)
    return f"did you mean {meant!r}?" if meant else f"leave {name!r} out"


def _meant(name: str, known: Collection[str]) -> str | None:
    for same in _SYNONYMS:
        if name in same and same & set(known):
            return min(same & set(known))
    lowered = {it.lower(): it for it in known}
    close = nearest(name.lower(), lowered)
    return lowered[close[0]] if close else None
