"""Control calls that remember a world and bring it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..clock import rfc3339
from ..errors import MockError, unknown
from ..snapshots import SNAPSHOTS_MAX, read_snapshot, write_snapshot
from .control_reading import ControlCall, Document, Handler
from .control_showing import show_world

Json = Any


def create_snapshot(call: ControlCall) -> Json:
    worlds, world, name = call.worlds, call.world, call.body["name"]
    worlds.wait_for_outcomes(world)
    store = worlds.store
    with store.request():
        now_ms = worlds.now_ms(world)
        worlds.settle(world, now_ms)
        known = [it[0] for it in store.snapshots(world.id)]
        if name not in known and len(known) >= SNAPSHOTS_MAX:
            raise MockError(
                f"more than {SNAPSHOTS_MAX} snapshots; delete some first",
                code="too_many",
                status=409,
            )
        kept = world.to_json()
        # When it was taken, by the clock outside, is nothing of the world's.
        kept["clock"] |= {"base_ms": now_ms, "wall_ms": 0}
        document = write_snapshot(world.seed, now_ms, kept, store.dump_world(world.id))
        store.save_snapshot(world.id, name, now_ms, document)
    return _shown(name, now_ms, len(document))


def list_snapshots(call: ControlCall) -> Json:
    world = call.world
    with call.worlds.store.request():
        found = call.worlds.store.snapshots(world.id)
    return {"items": [_shown(*it) for it in found], "next_cursor": None}


def get_snapshot(call: ControlCall) -> Document:
    return Document(_document(call), "application/x-ndjson")


def delete_snapshot(call: ControlCall) -> None:
    store, world, name = call.worlds.store, call.world, call.path["snapshot"]
    with store.request():
        if not store.delete_snapshot(world.id, name):
            raise unknown("snapshot", name, [it[0] for it in store.snapshots(world.id)])


def restore_snapshot(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    worlds.wait_for_outcomes(world)
    head, rows = read_snapshot(_document(call), worlds.store.tables_of_a_world())
    return show_world(worlds, worlds.restore(world, head, rows), call.origin)


def _document(call: ControlCall) -> bytes:
    store, world, name = call.worlds.store, call.world, call.path["snapshot"]
    with store.request():
        document = store.snapshot(world.id, name)
        if document is None:
            raise unknown("snapshot", name, [it[0] for it in store.snapshots(world.id)])
    return document


def _shown(name: str, now_ms: int, size_bytes: int) -> Json:
    return {"name": name, "now": rfc3339(now_ms), "size_bytes": size_bytes}


OPERATIONS: Mapping[str, Handler] = {
    "createSnapshot": create_snapshot,
    "listSnapshots": list_snapshots,
    "getSnapshot": get_snapshot,
    "deleteSnapshot": delete_snapshot,
    "restoreSnapshot": restore_snapshot,
}
