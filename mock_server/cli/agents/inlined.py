"""Parts of an OpenAPI document without references, for readers that see nothing else of it."""

from __future__ import annotations

from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents

#: A schema may contain itself; deeper than this it is left out.
_DEPTH_MAX = 12


def inlined(documents: Documents, value: Json, depth: int = 0) -> Json:
    """*value* with every reference replaced by what it points to."""
    found = documents.resolve(value)
    if found is not value:
        depth += 1
    if depth > _DEPTH_MAX:
        return {}
    if isinstance(found, dict):
        return {name: inlined(documents, it, depth) for name, it in found.items()}
    if isinstance(found, list):
        return [inlined(documents, it, depth) for it in found]
    return found
