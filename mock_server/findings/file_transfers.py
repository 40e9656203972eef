"""Findings about files: uploaded again after a later call failed, broken, or fetched with a key.

A provider's files are in a store at another host. Its URLs are signed or public, so the store needs
no key, and its logs then have the one that it gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from screentest.specs.contracts.redaction import header_name

from ..engine.instant import Instant
from ..engine.provider import Call, EventStream, Reply, Upload
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.faults import Fault
from ..kernel.finding import Finding
from .citations import source_of_operation
from .lost_answers import CUTS, is_lost
from .payments import content_of

#: Begins the names of marks about broken downloads.
_BROKEN = "broken "
#: A client that has not come back for a broken file by then does not come back.
_SILENT_MS = 60_000


class Broken(Struct, frozen=True):
    """A *finding* about the request *number*, a download that broke and was not repeated."""

    number: int
    at_ms: int
    provider: str
    operation: str
    finding: Finding


def note_file(ctx: Instant, path: str, operation: str, sent: str, source: str) -> None:
    """Note a download of the file at *path*: what a fault has *sent* of it, or "" for all."""
    marks, name = ctx.rows.marks, f"{_BROKEN}{ctx.provider} {path}"
    if sent:
        marks.note(name, ctx.request, ctx.at_ms, ctx.provider, operation, sent, source)
    elif marks.value(name) is not None:
        marks.remove(name)


def sent_of_file(faults: Iterable[Fault]) -> str:
    """What *faults* have left of a file; "" for all of it."""
    return "; ".join(it.sent for it in faults if it.type in CUTS)


def broken_downloads(worlds: Worlds, world: World, *, is_final: bool = False) -> Iterator[Broken]:
    """The downloads of *world* that broke and were not repeated.

    *is_final* judges as if the client had ended. To be called inside a transaction.
    """
    now_ms = worlds.clocks.now_ms(world)
    for mark in world.rows.marks.all():
        if not mark.name.startswith(_BROKEN):
            continue
        value: Any = mark.value
        at_ms, provider, operation, sent, source = value
        if is_final or now_ms - at_ms > _SILENT_MS:
            yield Broken(mark.seq, at_ms, provider, operation, _kept_broken(mark.seq, sent, source))


def _kept_broken(number: int, sent: str, source: str) -> Finding:
    return Finding(
        "SC219",
        "",
        "a download that is repeated until the file is whole",
        f"{sent} in req_{number}, and no download after it",
        "compare the size with Content-Length, write to a temporary name, and download again "
        "until the file is whole",
        source,
        severity="warning",
    )


def note_download(call: Call, answer: Reply | EventStream) -> None:
    """Note *call* if it is an operation that downloads a file."""
    is_get = call.request.method == "GET" and answer.status < 300
    if is_get and isinstance(answer, Reply) and isinstance(answer.body, bytes):
        operation = call.operation.id
        source = source_of_operation(call.ctx.contract, operation)
        note_file(call.ctx, call.request.path, operation, sent_of_file(call.faults), source)


def upload_again(call: Call, answer: Reply | EventStream) -> Iterator[Finding]:
    """The finding about *call* if it repeats an upload that was answered, after a failure.

    Uploads and failures are noted. A file that belongs to a job's own call has to be sent again.
    """
    has_failed = answer.status >= 429 or (bool(call.faults) and is_lost(call))
    if not has_failed and (call.request.form is None or call.started is not None):
        return
    key, marks, number = call.key or call.presented_key, call.ctx.rows.marks, call.ctx.request
    failure = f"failed {call.ctx.provider} {key.account if key is not None else ''}"
    if has_failed:
        marks.note(failure, number, number)
        return
    files = [it.filename for it in (call.request.form or {}).values() if isinstance(it, Upload)]
    if not files or answer.status >= 300:
        return
    name = f"upload {content_of(call)}"
    before: Any = marks.value(name)
    failed: Any = marks.value(failure)
    marks.note(name, number, number)
    if before is None or failed is None or failed < before:
        return
    cost = call.cost.amount if call.cost is not None else 0
    paid = f": {cost} credit{'' if cost == 1 else 's'} paid again" if cost else ""
    yield Finding(
        "SC217",
        "",
        "one upload of each file, whose answer serves every retry",
        f"the upload of req_{before[0]} again, after req_{failed[0]} had failed{paid}",
        "keep what the upload has answered, and repeat only the call that failed",
        source_of_operation(call.ctx.contract, call.operation.id),
        severity="warning",
    )


def key_with_file(ctx: Instant, headers: Mapping[str, str], source: str) -> Finding | None:
    """The finding about a download with *headers*, once for each header and world."""
    contract, marks = ctx.contract, ctx.rows.marks
    sent = next((it for it in contract.behaviour.credential_headers if it in headers), None)
    name = f"key with file {contract.provider} {sent}"
    if sent is None or marks.value(name) is not None:
        return None
    marks.note(name, ctx.request)
    return Finding(
        "SC408",
        f"/{header_name(sent)}",
        "no key with the download of a file: its URL is enough",
        f"{header_name(sent)} was sent to the store of the files",
        "download with a client that has no default headers, and follow redirects with none",
        source,
        severity="warning",
    )
