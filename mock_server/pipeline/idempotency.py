"""Idempotency keys: a repeated request gets the stored reply of the first one."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import sha256

import orjson

from screentest.specs.call_limits import Idempotency

from ..engine.provider import Call, Reply, Upload

_KEY = r"[\x21-\x7e]{1,255}"


def begin_replay(
    rules: Idempotency, call: Call, unanswered: Collection[int] = ()
) -> Reply | str | None:
    """The stored reply; or the fingerprint to store a reply under; or None without a key.

    *unanswered* are the numbers of requests whose answers are still delayed by a fault.

    Raises:
        RefusedError: the key is malformed, was used with another request, or its first request is
            still unanswered.
    """
    key = call.request.headers.get(rules.header)
    if key is None:
        return None
    if not re.fullmatch(_KEY, key):
        name = rules.header
        raise call.refuse("invalid", problem=f"{name}: expected 1 to 255 visible ASCII characters")
    ctx = call.ctx
    mark = fingerprint(call)
    stored = ctx.rows.replay(
        ctx.world.id, call.account_id, _realm(rules, call), ctx.rows.redactor.cut_shapes(key)
    )
    if stored is None or stored[1] <= ctx.now_ms:
        return mark
    kept, _, status, headers, body = stored
    if kept != mark:
        raise call.refuse("idempotency_mismatch", key=key)
    restored, content_type, departure, number = orjson.loads(headers)
    if number in unanswered:
        raise call.refuse("idempotency_in_flight", key=key)
    if rules.marks_repetitions:
        restored["Idempotent-Replayed"] = "true"
    return Reply(status, bytes(body), restored, content_type, departure=departure)


def finish_replay(rules: Idempotency, call: Call, mark: str, reply: Reply) -> None:
    """Store *reply* for a repetition; a refusal only where the contract says so."""
    if reply.status >= 300 and not rules.keeps_refusals:
        return
    ctx = call.ctx
    body = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
    headers = orjson.dumps([reply.headers, reply.content_type, reply.departure, ctx.number])
    row = (mark, ctx.now_ms + rules.keeps_ms, reply.status, headers, body)
    key = ctx.rows.redactor.cut_shapes(call.request.headers[rules.header])
    ctx.rows.save_replay(ctx.world.id, call.account_id, _realm(rules, call), key, row)


def _realm(rules: Idempotency, call: Call) -> str:
    """The scope within an account in which an idempotency key is unique."""
    return "" if rules.spans_operations else call.operation.id


def fingerprint(call: Call) -> str:
    """What makes two requests the same: method, path, query and content, without the boundary."""
    request = call.request
    content = sha256(request.body).hexdigest()
    if request.form is not None:
        parts = [
            (name, it.filename, it.sha256) if isinstance(it, Upload) else (name, "", it)
            for name, it in sorted(request.form.items())
        ]
        content = sha256(orjson.dumps(parts)).hexdigest()
    query = "&".join(sorted(request.query.split("&")))
    return sha256("\n".join([request.method, request.path, query, content]).encode()).hexdigest()
