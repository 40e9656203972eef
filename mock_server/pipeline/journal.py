"""The journal's line for one request.

Secrets are cut before anything is kept. A plain call, such as a poll, is kept as it is and put into
words when somebody looks: most calls of a load test fall out of the ring unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

import orjson
from msgspec import Struct

from screentest.specs.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.redaction import Redactor

from ..engine.provider import EventStream, Reply, Request, Upload
from ..findings.refused_requests import fault_of_ours, findings_of, provenance
from ..kernel.clock import rfc3339
from ..kernel.faults import Fault
from ..kernel.finding import Finding

#: Bodies are kept as an excerpt, with their true size and digest beside it.
BODY_EXCERPT_MAX = 64 * 1024
#: Bytes of a body that is kept as it is.
_PLAIN_MAX = 4_096


class JournalLine(Struct):
    """Request, answer and verdict. *advice* comes from earlier requests; *headers* are cut."""

    number: int
    now_ms: int
    contract: Contract
    operation: str
    request: Request
    headers: Mapping[str, str]
    answer: Reply | EventStream
    redactor: Redactor
    advice: Sequence[Finding]
    faults: Sequence[Fault] = ()
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
        return [(it["code"], it["severity"]) for it in self.made.get("violations", ())]

    def document(self) -> bytes:
        """The line, as it is stored."""
        return orjson.dumps(self.line)

    def to_keep(self) -> bytes | Callable[[], bytes]:
        """The document, or how to make it: whatever takes less now and can hold no secret."""
        return self.document if self.made is None else self.document()


def note(
    number: int,
    now_ms: int,
    contract: Contract,
    operation: str,
    request: Request,
    answer: Reply | EventStream,
    redactor: Redactor,
    advice: Sequence[Finding] = (),
    faults: Sequence[Fault] = (),
) -> JournalLine:
    """What the journal keeps of a request. *faults* met it, and spoil the answer on its way."""
    headers = redactor.cut_headers(request.headers)
    noted = JournalLine(
        number, now_ms, contract, operation, request, headers, answer, redactor, advice, faults
    )
    if faults or not _is_plain(request, answer, redactor):
        noted.made = _line(noted)
    return noted


def _is_plain(request: Request, answer: Reply | EventStream, redactor: Redactor) -> bool:
    """Whether nothing but the headers of a granted *request* can hold what a client has pasted."""
    if (
        request.query
        or request.form is not None
        or not isinstance(answer, Reply)
        or answer.reason is not None
        or not isinstance(answer.body, dict)
    ):
        return False
    if request.method == "GET":
        return not request.body
    return len(request.body) <= _PLAIN_MAX and not redactor.may_have_secret(
        request.body.decode(errors="replace"), orjson.dumps(answer.body).decode()
    )


def _line(noted: JournalLine) -> Json:
    contract, operation = noted.contract, noted.operation
    request, answer, redactor = noted.request, noted.answer, noted.redactor
    line: dict[str, Json] = {
        "id": f"req_{noted.number}",
        "at": rfc3339(noted.now_ms),
        "provider": contract.provider,
        "operation": operation or None,
        "provenance": provenance(contract, operation, answer),
        "request": {
            "method": request.method,
            "path": redactor.cut_text(request.path),
            "query": redactor.cut_query(request.query) if request.query else "",
            "headers": noted.headers,
        },
        "response": {"status": answer.status},
        "violations": [],
    }
    if request.form is not None:
        line["request"]["form"] = [
            _part(name, value, redactor) for name, value in request.form.items()
        ]
    elif request.body:
        line["request"]["body"] = _excerpt(request.body, redactor)
    if noted.faults:
        _tell_faults(line, noted.faults)
    if isinstance(answer, EventStream):
        line["response"]["stream"] = answer.job.id
        return line
    line["response"]["headers"] = redactor.cut_headers(answer.headers) if answer.headers else {}
    if answer.body is not None:
        line["response"]["content_type"] = answer.content_type
        line["response"]["body"] = _body(answer.body, redactor)
    if answer.reason is not None:
        line["reason"] = answer.reason
    found = _findings(contract, operation, request, answer)
    if found or noted.advice:
        # Advice is in our own words alone; what was wrong with a request may quote it.
        line["violations"] = [
            *(
                {name: redactor.cut_text(text) for name, text in it.to_json().items()}
                for it in found
            ),
            *(it.to_json() for it in noted.advice),
        ]
    if answer.refusal is not None and "near" in answer.refusal.facts:
        line["near_misses"] = answer.refusal.facts["near"]
    return line


def _tell_faults(line: dict[str, Json], faults: Sequence[Fault]) -> None:
    """Say in *line* which faults met the request, and what they left of the answer."""
    line["faults"] = [{"id": it.id, "type": it.type} for it in faults]
    left = [it.sent for it in faults if it.sent]
    if left:
        line["response"]["sent"] = "; ".join(left)
    lost = next((it for it in faults if it.swallows), None)
    if lost is not None:
        line["reason"] = f"fault:{lost.id}"


def _findings(
    contract: Contract, operation: str, request: Request, answer: Reply
) -> Sequence[Finding]:
    if answer.reason is not None and answer.reason.startswith("ours:"):
        return fault_of_ours(answer.violations, str(answer.body))
    if answer.refusal is None:
        return ()
    return findings_of(contract, operation, request, answer.refusal)


def _part(name: str, value: str | Upload, redactor: Redactor) -> Json:
    if isinstance(value, Upload):
        file = redactor.cut_text(value.filename)
        return {"name": name, "file": file, "size": value.size, "sha256": value.sha256}
    return {"name": name, "text": redactor.cut_beginning(value, 1_000)}


def _excerpt(body: bytes, redactor: Redactor) -> Json:
    """The size and digest of a body, and its beginning without credentials."""
    kept = body[: 2 * BODY_EXCERPT_MAX].decode(errors="replace")
    text = redactor.cut_beginning(kept, BODY_EXCERPT_MAX)
    return {"size": len(body), "sha256": sha256(body).hexdigest(), "text": text}


def _body(body: Json, redactor: Redactor) -> Json:
    if isinstance(body, bytes):
        return {"size": len(body)}
    return redactor.cut_text(orjson.dumps(body).decode())
