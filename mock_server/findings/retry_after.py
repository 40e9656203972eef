"""The finding about a client that comes back before the time that Retry-After has named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.provider import Call, EventStream, Reply
from ..kernel.clock import Mode
from ..kernel.finding import Finding
from ..store.recent_tables import WAIT
from .citations import source_of_refusal


def too_early(call: Call, answer: Reply | EventStream) -> Iterator[Finding]:
    """The finding about *call* if it comes too early; the wait that *answer* asks for is noted."""
    marks, clock = call.ctx.rows.marks, call.ctx.world.clock
    is_asked = isinstance(answer, Reply) and answer.refusal is not None
    if not marks.waits and not is_asked:
        return
    now_ms = call.ctx.at_ms
    key = call.key or call.presented_key
    account = key.account if key is not None else ""
    name = f"{WAIT}{call.ctx.provider} {call.operation.id} {account}"
    wait: Any = marks.value(name)
    if wait is not None:
        asked_ms, until_ms, source = wait
        # A clock that a test moves does not show when the client came, unless it was moved.
        is_known = clock.own_speed > 0 or now_ms > asked_ms
        if asked_ms <= now_ms < until_ms and is_known and clock.mode is not Mode.AUTO:
            yield Finding(
                "SC215",
                "",
                f"{(until_ms - asked_ms) / 1_000:g} s without this call, as Retry-After asked",
                f"the call again after {(now_ms - asked_ms) / 1_000:g} s",
                "sleep for the seconds of Retry-After before the next call",
                source,
                severity="warning",
            )
        marks.remove(name)
    if isinstance(answer, Reply) and answer.refusal is not None:
        seconds = answer.headers.get("Retry-After", "")
        # A date instead of seconds is not documented by any provider.
        if seconds.isdecimal() and int(seconds):
            source = source_of_refusal(call.ctx.contract, call.operation.id, answer.refusal)
            marks.note(name, call.ctx.request, now_ms, now_ms + int(seconds) * 1_000, source)
