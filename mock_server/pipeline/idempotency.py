"""Idempotency keys: a repeated request gets the stored reply of the first one."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import sha256

import orjson

from screentest.specs.behaviour.call_limits import Idempotency

from ..engine.provider import Call, Reply, Upload
from ..kernel.rows import Replay

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
    # A client may use a credential as its key by mistake, and rows must not contain one.
    place = call.account_id, _realm(rules, call), ctx.rows.redactor.cut_shapes(key)
    stored = ctx.rows.replays.get(place)
    if stored is None or stored.expires_ms <= ctx.now_ms:
        return mark
    # Before the answer in flight: another request with this key is wrong at any time.
    if stored.fingerprint != mark:
        raise call.refuse("idempotency_mismatch", key=key)
    # The first answer exists but its client still waits for it: a provider would still be working.
    if stored.request in unanswered:
        raise call.refuse("idempotency_in_flight", key=key)
    headers = dict(stored.headers)
    if rules.marks_repetitions:
        headers["Idempotent-Replayed"] = "true"
    return Reply(
        stored.status, stored.body, headers, stored.content_type, departure=stored.departure
    )


def finish_replay(rules: Idempotency, call: Call, mark: str, reply: Reply) -> None:
    """Store *reply* for a repetition; a refusal only where the contract says so."""
    if reply.status >= 300 and not rules.keeps_refusals:
        return
    ctx = call.ctx
    ctx.rows.replays.put(
        Replay(
            account=call.account_id,
            operation=_realm(rules, call),
            key=ctx.rows.redactor.cut_shapes(call.request.headers[rules.header]),
            fingerprint=mark,
            expires_ms=ctx.now_ms + rules.keeps_ms,
            request=ctx.number,
            status=reply.status,
            headers=dict(reply.headers),
            content_type=reply.content_type,
            departure=reply.departure,
            body=reply.content,
        )
    )


def _realm(rules: Idempotency, call: Call) -> str:
    """The scope within an account in which an idempotency key is unique."""
    return "" if rules.spans_operations else call.operation.id


def fingerprint(call: Call) -> str:
    """What makes two requests the same: method, path, query and content, without the boundary."""
    request = call.request
    content = sha256(request.body).hexdigest()
    # A client library draws a new boundary for each attempt, so the parts are compared.
    if request.form is not None:
        parts = [
            (name, it.filename, it.sha256) if isinstance(it, Upload) else (name, "", it)
            for name, it in sorted(request.form.items())
        ]
        content = sha256(orjson.dumps(parts)).hexdigest()
    # A client library may reorder a query when it repeats a request.
    query = "&".join(sorted(request.query.split("&")))
    return sha256("\n".join([request.method, request.path, query, content]).encode()).hexdigest()
