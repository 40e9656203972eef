"""From columns to rows of the kernel and back."""

from __future__ import annotations

from functools import lru_cache

import orjson

from ..journal import cut_shapes
from ..lifecycle import Script
from ..rows import Key, Resource
from .transactions import Row

SELECT_RESOURCE = (
    "SELECT provider, kind, id, account, parent, seq, created_ms, doc, script, slot FROM resource"
)


def read_resource(row: Row) -> Resource:
    *head, doc, script, slot = row
    loaded = _read_script(script) if script is not None else None
    provider, kind, id_, account, parent, seq, created_ms = head
    return Resource(
        provider, kind, id_, account, parent, seq, created_ms,
        orjson.loads(doc), loaded, bool(slot),
    )  # fmt: skip


@lru_cache(maxsize=8_192)
def _read_script(raw: bytes) -> Script:
    """Polls read the same scripts over and over; a script is never changed in place."""
    return Script.from_json(orjson.loads(raw))


def script_column(resource: Resource) -> bytes | None:
    return orjson.dumps(resource.script.to_json()) if resource.script is not None else None


def doc_column(resource: Resource) -> bytes:
    """What somebody pasted into a prompt by mistake is not kept."""
    return cut_shapes(orjson.dumps(resource.doc).decode()).encode()


def ends_ms_column(resource: Resource) -> int | None:
    if resource.script is None or resource.script.ends_ms is None:
        return None
    return resource.created_ms + resource.script.ends_ms


def read_key(row: Row) -> Key:
    *head, active, created_ms, last_used_ms, seq = row
    digest, world, account, provider, id_, kind, name, prefix = head
    return Key(
        digest, world, account, provider, id_, kind, name, prefix,
        bool(active), created_ms, last_used_ms, seq,
    )  # fmt: skip
