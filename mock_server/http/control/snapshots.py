"""Control calls that store a world as a snapshot and restore it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import asdict, replace

from screentest.specs.contracts.redaction import holds_key
from screentest.specs.json_types import Json

from ...engine.world import check_world
from ...kernel.clock import rfc3339
from ...kernel.errors import MockError, unknown
from ...kernel.rows import Snapshot
from ...kernel.snapshots import SNAPSHOTS_MAX, Head, Line, read_snapshot, write_snapshot
from .request import ControlCall, Document, Handler, one_page
from .views import show_world


def create_snapshot(call: ControlCall) -> Json:
    """Store the world as it is now, or a snapshot that was taken elsewhere."""
    rows, name = call.world.rows, call.body["name"]
    if "document" not in call.body:
        call.worlds.clocks.wait_for_outcomes(call.world)
    if holds_key(name):
        raise MockError(
            "the name of this snapshot looks like a key, and names are kept; take another",
            code="invalid_field",
        )
    with rows.transaction():
        known = rows.snapshots.rows
        if name not in known and len(known) >= SNAPSHOTS_MAX:
            raise MockError(
                f"more than {SNAPSHOTS_MAX} snapshots; delete some first",
                code="too_many",
                status=409,
            )
        if "document" in call.body:
            document = call.body["document"].encode()
            now_ms = _read(call, document)[0].now_ms
        else:
            document, now_ms = _taken(call)
        rows.snapshots.put(Snapshot(name, now_ms, document))
    return _shown(name, now_ms, len(document))


def _taken(call: ControlCall) -> tuple[bytes, int]:
    """The world as a document, and its time."""
    worlds, world = call.worlds, call.world
    now_ms = worlds.clocks.now_ms(world)
    worlds.clocks.settle(world, now_ms)
    # The wall-clock time of its creation is not part of the snapshot.
    clock = replace(world.clock, base_ms=now_ms, wall_ms=0)
    row = replace(world.rows.world, clock=clock)
    return write_snapshot(row, now_ms, worlds.contracts, world.rows.rows()), now_ms


def list_snapshots(call: ControlCall) -> Json:
    rows, after = call.world.rows, call.query.get("cursor", "")
    with rows.transaction():
        found = [it for it in rows.snapshots.by_name() if it.name > after]
    return one_page(
        found,
        call.limit,
        lambda it: _shown(it.name, it.created_ms, len(it.doc)),
        lambda it: it.name,
    )


def get_snapshot(call: ControlCall) -> Document:
    return Document(_document(call), "application/x-ndjson")


def delete_snapshot(call: ControlCall) -> None:
    snapshots, name = call.world.rows.snapshots, call.path["snapshot"]
    with call.world.rows.transaction():
        if not snapshots.remove(name):
            raise unknown("snapshot", name, sorted(snapshots.rows))


def restore_snapshot(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    worlds.clocks.wait_for_outcomes(world)
    head, rows = _read(call, _document(call))
    restored, new_keys = worlds.restore(world, head, rows)
    shown = show_world(worlds, restored, call.origin)
    return shown | {"new_keys": [asdict(it) for it in new_keys]}


def _read(call: ControlCall, document: bytes) -> tuple[Head, list[Line]]:
    head, lines = read_snapshot(document, call.worlds.contracts)
    check_world(head.world)
    return head, lines


def _document(call: ControlCall) -> bytes:
    snapshots, name = call.world.rows.snapshots, call.path["snapshot"]
    with call.world.rows.transaction():
        found = snapshots.get(name)
        if found is None:
            raise unknown("snapshot", name, sorted(snapshots.rows))
    return found.doc


def _shown(name: str, now_ms: int, size_bytes: int) -> Json:
    return {"name": name, "now": rfc3339(now_ms), "size_bytes": size_bytes}


OPERATIONS: Mapping[str, Handler] = {
    "createSnapshot": create_snapshot,
    "listSnapshots": list_snapshots,
    "getSnapshot": get_snapshot,
    "deleteSnapshot": delete_snapshot,
    "restoreSnapshot": restore_snapshot,
}
