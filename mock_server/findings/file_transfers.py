"""Findings about files: one is uploaded again after a later call failed, or fetched with a key.

A provider's files are in a store at another host. Its URLs are signed or public, so the store needs
no key, and its logs then have the one that it gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name

from ..engine.provider import Call, EventStream, Reply, Upload
from ..engine.world import World
from ..kernel.finding import Finding
from .citations import source_of_operation
from .lost_answers import is_lost
from .payments import content_of


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


def key_with_file(
    world: World, contract: Contract, headers: Mapping[str, str], source: str
) -> Finding | None:
    """The finding about a download with *headers*, once for each header and world."""
    sent = next((it for it in contract.behaviour.credential_headers if it in headers), None)
    if sent is None:
        return None
    with world.rows.transaction():
        marks, name = world.rows.marks, f"key with file {contract.provider} {sent}"
        if marks.value(name) is not None:
            return None
        marks.note(name, world.requests)
    return Finding(
        "SC408",
        f"/{header_name(sent)}",
        "no key with the download of a file: its URL is enough",
        f"{header_name(sent)} was sent to the store of the files",
        "download with a client that has no default headers, and follow redirects with none",
        f"{contract.behaviour.document_url} {source}".strip(),
        severity="warning",
    )
