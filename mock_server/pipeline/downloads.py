"""A download of a stored file: faults that act on it, and what findings say about it."""

from __future__ import annotations

from ..engine.instant import Instant
from ..engine.provider import Reply, Request
from ..engine.world import World
from ..engine.worlds import Worlds
from ..findings.file_transfers import key_with_file, note_file, sent_of_file
from ..kernel.fault_types import OF_FILES
from ..kernel.faults import Fault
from .fault_injection import can_spoil
from .handle import Handled, note_reply


def note_stored_file(
    worlds: Worlds, world: World, provider_id: str, request: Request, kind: str, reply: Reply
) -> Handled | None:
    """The journaled download of a file with a URL of *kind*, by *reply*.

    None, and no line in the journal, unless a fault acts on it or it came with a key.
    """
    with world.rows.transaction():
        ctx = worlds.clocks.instant(world, provider_id, number=world.requests + 1)
        rules = ctx.behaviour
        source = f"{rules.document_url} {rules.urls[kind].source}".strip()
        faults: list[Fault] = []
        if request.method == "GET":
            fault = _fault(ctx, kind, reply) if ctx.has_faults else None
            faults = [fault] if fault is not None else []
            note_file(ctx, request.path, "", sent_of_file(faults), source)
        found = key_with_file(ctx, request.headers, source)
        if found is None and not faults:
            return None
        advice = [found] if found is not None else []
        return note_reply(worlds, world, provider_id, request, reply, advice, faults)


def _fault(ctx: Instant, kind: str, reply: Reply) -> Fault | None:
    """The fault that acts on the download. It has to name the kind: others are for operations."""

    def can_act(fault: Fault) -> bool:
        return "file" in fault.where and can_spoil(reply.body, fault)

    found = (ctx.apply_fault(it, {"file": kind}, can_act) for it in OF_FILES)
    return next((it for it in found if it is not None), None)
