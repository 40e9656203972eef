"""Control calls that remember a world and bring it back."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import asdict

from screentest.specs.json_types import Json
from screentest.specs.redaction import holds_key

from ...engine.world import read_world
from ...kernel.clock import rfc3339
from ...kernel.errors import MockError, unknown
from ...kernel.snapshots import SNAPSHOTS_MAX, read_snapshot, write_snapshot
from .request import ControlCall, Document, Handler, one_page
from .views import show_world


def create_snapshot(call: ControlCall) -> Json:
    """Keep what the world is now, or a document that was taken elsewhere."""
    store, world, name = call.worlds.store, call.world, call.body["name"]
    if "document" not in call.body:
        call.worlds.clocks.wait_for_outcomes(world)
    if holds_key(name):
        raise MockError(
            "the name of this snapshot looks like a key, and names are kept; take another",
            code="invalid_field",
        )
    with store.request():
        known = [it[0] for it in store.snapshots(world.id)]
        if name not in known and len(known) >= SNAPSHOTS_MAX:
            raise MockError(
                f"more than {SNAPSHOTS_MAX} snapshots; delete some first",
                code="too_many",
                status=409,
            )
        if "document" in call.body:
            document = call.body["document"].encode()
            now_ms: int = _read(call, document)[0]["now_ms"]
        else:
            document, now_ms = _taken(call)
        store.save_snapshot(world.id, name, now_ms, document)
    return _shown(name, now_ms, len(document))


def _taken(call: ControlCall) -> tuple[bytes, int]:
    """The world as a document, and its time."""
    worlds, world = call.worlds, call.world
    now_ms = worlds.clocks.now_ms(world)
    worlds.clocks.settle(world, now_ms)
    kept = world.to_json()
    # When it was taken, by the clock outside, is nothing of the world's.
    kept["clock"] |= {"base_ms": now_ms, "wall_ms": 0}
    rows = worlds.store.dump_world(world.id)
    return write_snapshot(world.seed, now_ms, kept, worlds.contracts, rows), now_ms


def list_snapshots(call: ControlCall) -> Json:
    world, after = call.world, call.query.get("cursor", "")
    with call.worlds.store.request():
        found = [it for it in call.worlds.store.snapshots(world.id) if it[0] > after]
    return one_page(found, call.limit, lambda it: _shown(*it), lambda it: it[0])


def get_snapshot(call: ControlCall) -> Document:
    return Document(_document(call), "application/x-ndjson")


def delete_snapshot(call: ControlCall) -> None:
    store, world, name = call.worlds.store, call.world, call.path["snapshot"]
    with store.request():
        if not store.delete_snapshot(world.id, name):
            raise unknown("snapshot", name, [it[0] for it in store.snapshots(world.id)])


def restore_snapshot(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    worlds.clocks.wait_for_outcomes(world)
    with worlds.store.request():
        head, rows = _read(call, _document(call))
    restored, new_keys = worlds.restore(world, head, rows)
    shown = show_world(worlds, restored, call.origin)
    return shown | {"new_keys": [asdict(it) for it in new_keys]}


def _read(call: ControlCall, document: bytes) -> tuple[Json, list[tuple[str, list[Json]]]]:
    worlds = call.worlds
    head, rows = read_snapshot(document, worlds.store.tables_of_a_world(), worlds.contracts)
    read_world(call.world.id, head)
    return head, rows


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
