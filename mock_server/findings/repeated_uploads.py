"""The finding about a client that sends a file again because a later call has failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.provider import Call, EventStream, Reply, Upload
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
