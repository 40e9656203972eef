"""The journal's line for one request.

Secrets are cut before a line is kept. The line of a plain call, such as a poll, is written only
when it is read: most calls of a load test leave the ring unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import orjson
from msgspec import Struct

from screentest.specs.contracts.redaction import Redactor
from screentest.specs.json_types import Json

from ..engine.provider import Call, EventStream, Reply, Upload
from ..engine.streams import job_events
from ..findings.own_mistakes import finding_of_failure, findings_of_ours
from ..findings.refused_requests import findings_of, provenance
from ..kernel.bodies import to_json
from ..kernel.clock import rfc3339
from ..kernel.faults import Fault
from ..kernel.finding import Finding

#: Bodies are kept as an excerpt, with their true size and digest beside it.
BODY_EXCERPT_MAX = 64 * 1024
#: Bytes of a body that is kept as it is.
_PLAIN_MAX = 4_096


class JournalLine(Struct, gc=False):
    """A call with its answer and findings.

    *advice* are the findings that the refusal does not explain. *made* is the written line, None
    until it is needed.
    """

    call: Call
    answer: Reply | EventStream
    advice: Sequence[Finding]
    made: Json = None

    @property
    def line(self) -> Json:
        """The line of the journal."""
        return self.made if self.made is not None else _line(self)

    @property
    def verdicts(self) -> Iterable[tuple[str, str]]:
        """Code and severity of each finding."""
        if self.made is None:
            return [(it.code, it.severity) for it in self.advice]
        return [(it["code"], it["severity"]) for it in self.made.get("findings", ())]

    def __call__(self) -> bytes:
        """The line, as it is stored."""
        return to_json(self.line)

    def to_keep(self) -> bytes | Callable[[], bytes]:
        """The document; or a function that writes it on reading, if it cannot hold a secret."""
        return self if self.made is None else self()


def journal_line(
    call: Call, answer: Reply | EventStream, advice: Sequence[Finding] = ()
) -> JournalLine:
    """What the journal keeps of *call*, with the findings that its refusal does not explain."""
    line = JournalLine(call, answer, advice or ())
    # A call that may contain a secret is redacted at once, and not kept as it was sent.
    if call.faults or not _is_plain(call, answer):
        line.made = _line(line)
    return line


def _is_plain(call: Call, answer: Reply | EventStream) -> bool:
    """Whether only the headers of a granted call can hold a pasted secret."""
    request, may_have_secret = call.request, call.ctx.rows.redactor.may_have_secret
    if (
        (request.query and may_have_secret(request.query))
        # Few calls of a load test are forms, refusals or streams: their lines are written at once.
        or request.form is not None
        or not isinstance(answer, Reply)
        or answer.reason is not None
        or not isinstance(answer.body, dict)
    ):
        return False
    if request.method == "GET":
        return not request.body
    return len(request.body) <= _PLAIN_MAX and not may_have_secret(
        request.body.decode(errors="replace"), answer.content.decode()
    )


def _line(noted: JournalLine) -> Json:
    call, answer = noted.call, noted.answer
    ctx, request, operation = call.ctx, call.request, call.operation.id
    contract, redactor = ctx.contract, ctx.rows.redactor
    line: dict[str, Json] = {
        "id": f"req_{ctx.request}",
        "at": rfc3339(ctx.at_ms),
        "provider": contract.provider,
        "operation": operation or None,
        "provenance": provenance(call.served[contract.provider], operation, answer),
        "request": {
            "method": request.method,
            "path": redactor.cut_text(request.path),
            "query": redactor.cut_query(request.query) if request.query else "",
            "headers": redactor.cut_headers(request.headers),
        },
        "response": {"status": answer.status},
        "findings": [],
    }
    if request.form is not None:
        line["request"]["form"] = [
            _part(name, value, redactor) for name, value in request.form.items()
        ]
    elif request.body:
        line["request"]["body"] = _excerpt(request.body, redactor)
    if call.faults:
        _add_faults(line, call.faults)
    if isinstance(answer, EventStream):
        line["response"]["stream"] = answer.job.id
        line["response"]["events"] = len(job_events(call.provider, ctx, answer.job))
        return line
    line["response"]["headers"] = redactor.cut_headers(answer.headers) if answer.headers else {}
    if answer.body is not None:
        line["response"]["content_type"] = answer.content_type
        line["response"]["body"] = _body(answer.body, redactor)
    if answer.reason is not None:
        line["reason"] = answer.reason
    found = _findings(call, answer)
    if found or noted.advice:
        # Advice is in our own words alone; what was wrong with a request may quote it.
        line["findings"] = [
            *(
                {name: redactor.cut_text(text) for name, text in it.to_json().items()}
                for it in found
            ),
            *(it.to_json() for it in noted.advice),
        ]
    if answer.refusal is not None and "near" in answer.refusal.facts:
        line["near_misses"] = answer.refusal.facts["near"]
    return line


def _add_faults(line: dict[str, Json], faults: Sequence[Fault]) -> None:
    """Add to *line* which faults were applied, and what they left of the answer."""
    line["faults"] = [{"id": it.id, "type": it.type} for it in faults]
    left = [it.sent for it in faults if it.sent]
    if left:
        line["response"]["sent"] = "; ".join(left)
    lost = next((it for it in faults if it.swallows), None)
    if lost is not None:
        line["reason"] = f"fault:{lost.id}"


def _findings(call: Call, answer: Reply) -> Sequence[Finding]:
    contract, reason = call.ctx.contract, answer.reason or ""
    if reason.startswith(("ours:", "contract:")):
        if answer.violations:
            return findings_of_ours(contract, answer.violations)
        return [finding_of_failure(contract, reason, answer.body["detail"])]
    if answer.refusal is None:
        return ()
    return findings_of(contract, call.operation.id, call.request, answer.refusal)


def _part(name: str, value: str | Upload, redactor: Redactor) -> Json:
    if isinstance(value, Upload):
        file = redactor.cut_text(value.filename)
        return {"name": name, "file": file, "size": value.size, "sha256": value.sha256}
    return {"name": name, "text": redactor.cut_beginning(value, 1_000)}


def _excerpt(body: bytes, redactor: Redactor) -> Json:
    """The size and digest of a body, and its beginning without credentials."""
    # Twice the length, so that a credential across the end of the excerpt is still found.
    kept = body[: 2 * BODY_EXCERPT_MAX].decode(errors="replace")
    text = redactor.cut_beginning(kept, BODY_EXCERPT_MAX)
    return {"size": len(body), "sha256": sha256(body).hexdigest(), "text": text}


def _body(body: Json, redactor: Redactor) -> Json:
    if isinstance(body, bytes):
        return {"size": len(body)}
    return redactor.cut_text(orjson.dumps(body).decode())
