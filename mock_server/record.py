"""The journal's line for one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from screentest.specs.contract import Contract

from .clock import rfc3339
from .findings import Finding, fault_of_ours, findings_of, near_misses, provenance
from .journal import cut_headers, cut_query, cut_text, excerpt
from .provider import EventStream, Reply, Request, Upload

Json = Any


def journal_line(
    number: int,
    now_ms: int,
    contract: Contract,
    operation: str,
    request: Request,
    answer: Reply | EventStream,
    advice: Sequence[Finding] = (),
) -> Json:
    """Request, answer and verdict, without secrets. *advice* comes from earlier requests."""
    line: dict[str, Json] = {
        "id": f"req_{number}",
        "at": rfc3339(now_ms),
        "provider": contract.provider,
        "operation": operation or None,
        "provenance": provenance(contract, operation, answer),
        "request": {
            "method": request.method,
            "path": cut_text(request.path),
            "query": cut_query(request.query) if request.query else "",
            "headers": cut_headers(request.headers),
        },
        "response": {"status": answer.status},
    }
    if request.form is not None:
        line["request"]["form"] = [_part(name, value) for name, value in request.form.items()]
    elif request.body:
        line["request"]["body"] = excerpt(request.body)
    if isinstance(answer, EventStream):
        line["response"]["stream"] = answer.job.id
        return line
    line["response"]["headers"] = cut_headers(answer.headers) if answer.headers else {}
    if answer.body is not None:
        line["response"]["content_type"] = answer.content_type
        line["response"]["body"] = _body(answer.body)
    if answer.reason is not None:
        line["reason"] = answer.reason
    found = _findings(contract, operation, request, answer)
    if found or advice:
        # Advice is in our own words alone; what was wrong with a request may quote it.
        line["violations"] = [
            *({name: cut_text(text) for name, text in it.to_json().items()} for it in found),
            *(it.to_json() for it in advice),
        ]
    if answer.refusal is not None and answer.refusal.reason == "unknown_route":
        line["near_misses"] = near_misses(contract, request.method, request.path)
    return line


def _findings(
    contract: Contract, operation: str, request: Request, answer: Reply
) -> Sequence[Finding]:
    if answer.reason is not None and answer.reason.startswith("ours:"):
        return fault_of_ours(answer.violations, str(answer.body))
    if answer.refusal is None:
        return ()
    return findings_of(contract, operation, request, answer.refusal)


def _part(name: str, value: str | Upload) -> Json:
    if isinstance(value, Upload):
        file = cut_text(value.filename)
        return {"name": name, "file": file, "size": value.size, "sha256": value.sha256}
    return {"name": name, "text": cut_text(value[:1_000])}


def _body(body: Json) -> Json:
    if isinstance(body, bytes):
        return {"size": len(body)}
    return cut_text(orjson.dumps(body).decode())
