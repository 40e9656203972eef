"""Answers that no rule and no function gives: values made for the documented schemas.

An operation that the behaviour file does not name is answered so, as is a refusal for which the
contract has no words. `Prefer: code=404, example=cat, dynamic=true` chooses among the documented
answers of an operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from random import Random

import orjson
from msgspec import Struct

from screentest.specs.behaviour.operations import UNBEHAVED
from screentest.specs.behaviour.reasons import reason_called, usual_statuses
from screentest.specs.errors import ContractError, no_such
from screentest.specs.expressions.templates import OpenFacts, fill_text
from screentest.specs.json_types import Json
from screentest.specs.openapi.generating import UngeneratedError, generate
from screentest.specs.openapi.media_types import best_of, is_json, plain
from screentest.specs.openapi.operations import ReplyShape
from screentest.specs.openapi.text_formats import NO_WORDS
from screentest.specs.openapi.validation import Schema

from ..engine.provider import Call, Refusal, Reply
from ..kernel.ids import stream
from ..media.clips import StillKind, choose_clip, still, video_bytes

_PROBLEM = "application/problem+json"
_SIZE = (1280, 720)
#: Fields in which APIs say what was wrong.
_MESSAGES = ("message", "detail", "error", "title", "description", "msg", "error_message")
_CONCRETE = {"*/*": "application/json", "application/*": "application/json"} | {
    "text/*": "text/plain",
    "image/*": "image/png",
    "video/*": "video/mp4",
}
_BODILESS = frozenset({204, 205, 304})


class Preference(Struct, frozen=True):
    """Which documented answer a request prefers, as Prism reads its header `Prefer`."""

    code: int | None = None
    example: str | None = None
    is_dynamic: bool = False


def answer_unbehaved(call: Call) -> Reply:
    """An answer to an operation that the behaviour file does not name.

    Raises:
        ContractError: its schema permits no value that can be made.
    """
    operation, wanted = call.operation, preference(call.request.headers.get("prefer"))
    status = wanted.code or operation.success_status
    if wanted.code is not None and operation.reply(status) is None:
        return _undocumented("reply", str(status), operation.replies)
    return made_reply(call, status, wanted, reason=UNBEHAVED)


def not_implemented(call: Call) -> Reply:
    """The 501 of a strict mock for an operation that the behaviour file does not name."""
    detail = (
        f"behaviour.yaml of {call.ctx.behaviour.name} does not say what {call.operation.id} does; "
        "name it there, or serve without --strict"
    )
    return _problem(501, "Not Implemented", detail)


def made_reply(
    call: Call, status: int, wanted: Preference | None = None, *, reason: str | None = None
) -> Reply:
    """A reply with *status* whose body and headers are made for the documented schemas.

    Raises:
        ContractError: a schema permits no value that can be made.
    """
    wanted = wanted or Preference()
    shape = call.operation.reply(status)
    if shape is None:
        return Reply(status, None, reason=reason)
    rng = _source_of(call, status)
    media_type = _accepted(shape.content, call.request.headers.get("accept", ""))
    examples = shape.examples.get(media_type or "", {})
    if wanted.example is not None and wanted.example not in examples:
        return _undocumented("example", wanted.example, examples)
    if wanted.example is not None:
        examples = {wanted.example: examples[wanted.example]}
    try:
        headers = {
            name: _header_text(generate(schema, rng))
            for name, schema in shape.header_schemas.items()
            if name in shape.headers and name.lower() != "content-type"
        }
        if media_type is None or status < 200 or status in _BODILESS:
            return Reply(status, None, headers, reason=reason)
        body = _body(shape, media_type, examples, rng, is_dynamic=wanted.is_dynamic)
    except UngeneratedError as error:
        raise ContractError(f"{call.operation.id} {status}: {error}") from None
    content_type = _CONCRETE.get(plain(media_type), media_type)
    return Reply(status, body, headers, content_type, reason)


def made_refusal(call: Call, refusal: Refusal) -> Reply:
    """The reply to *refusal* with our words, in the contract's form if the operation permits it."""
    facts, message = refusal.facts, refusal.facts.get("problem") or _message(refusal)
    status = usual_statuses(refusal.reason, call.operation)[0]
    shape = call.operation.reply(status)
    body = call.ctx.behaviour.refusal_body.fill(OpenFacts(facts, message=message))
    is_formed = isinstance(body, dict) and not call.rules.is_unbehaved
    is_documented = not call.operation.reply_violations(status, "application/json", body)
    if not call.is_routed or (is_formed and is_documented):
        reply = Reply(status, body)
    elif is_formed and shape is None:
        reply = Reply(status, body, departure=UNBEHAVED)
    elif shape is None:
        reply = _problem(status, refusal.reason.replace("_", " ").capitalize(), message)
    else:
        reply = made_reply(call, status)
        media_type = best_of(shape.content, reply.content_type)
        schema = shape.content.get(media_type or "")
        if schema is not None and reply.body is not None:
            reply.body = _saying(reply.body, message, schema)
    if refusal.reason == "wrong_method":
        reply.headers = {**reply.headers, "Allow": facts["allow"]}
    if facts.get("wait_s"):
        reply.headers = {**reply.headers, "Retry-After": str(facts["wait_s"])}
    return reply


def _message(refusal: Refusal) -> str:
    """Our words for *refusal*, as those of a violation."""
    reason = reason_called(refusal.reason)
    expected, actual, fix = (
        fill_text(it, refusal.facts) for it in (reason.expected, reason.actual, reason.fix)
    )
    problem = f"expected {expected}, got {actual}" if expected else refusal.reason.replace("_", " ")
    return f"{problem}; {fix}"


def preference(header: str | None) -> Preference:
    """What the header `Prefer` asks for; other preferences are ignored."""
    found = dict(re.findall(r'(code|example|dynamic)\s*=\s*"?([^\s",;]+)', header or ""))
    code = found.get("code", "")
    return Preference(
        int(code) if re.fullmatch(r"[1-5][0-9]{2}", code) else None,
        found.get("example"),
        found.get("dynamic") == "true",
    )


def _source_of(call: Call, status: int) -> Random:
    """A source of numbers for one call: the same for each read of one place."""
    ctx, request = call.ctx, call.request
    number = 0 if call.rules.effect == "read" else ctx.number
    place = (call.operation.id, request.path, request.query, status, number)
    return stream("made", ctx.world.seed, ctx.provider, *place)


def _accepted(documented: Mapping[str, Schema | None], accept: str) -> str | None:
    """The media type to answer with: JSON if the caller takes it, else the first that it takes."""
    wanted = [plain(it) for it in accept.split(",") if it.strip()] or ["*/*"]
    taken = [
        name
        for name in documented
        if any(best_of([it], plain(name)) or best_of([name], it) for it in wanted)
    ]
    known = taken or list(documented)
    return next((it for it in known if is_json(it)), known[0] if known else None)


def _body(
    shape: ReplyShape,
    media_type: str,
    examples: Mapping[str, Json],
    rng: Random,
    *,
    is_dynamic: bool,
) -> Json:
    schema, name = shape.content[media_type], plain(media_type)
    values = list(examples.values())
    if name == "text/event-stream":
        data = generate(shape.event, rng, is_dynamic=is_dynamic) if shape.event else {}
        return values[0].encode() if values and isinstance(values[0], str) else _event(data)
    if schema is not None:
        value = generate(schema, rng, examples=values, is_dynamic=is_dynamic)
        # As a body of JSON null, and not as no body.
        return value if value is not None else b"null"
    if values:
        first = values[0]
        return first.encode() if isinstance(first, str) else orjson.dumps(first)
    if name.startswith("video/"):
        return video_bytes(choose_clip(*_SIZE), stamp={"made": media_type})
    if name.startswith("image/"):
        return still(StillKind.PAGE if name == "image/png" else StillKind.POSTER, *_SIZE)
    return b"screentest"


def _event(data: Json) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _header_text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    # A line break would end the header.
    return re.sub(r"[^\x20-\x7e]", "?", str(value))


def _saying(body: Json, message: str, schema: Schema) -> Json:
    """*body* with *message* in its first field for messages, where the schema permits it."""
    if isinstance(body, str):
        return message if schema.is_valid(message) else body
    for changed in _with_message(body, message):
        if schema.is_valid(changed):
            return changed
    return body


def _with_message(body: Json, message: str) -> Iterable[Json]:
    if isinstance(body, list) and body:
        yield from ([inner, *body[1:]] for inner in _with_message(body[0], message))
    if not isinstance(body, dict):
        return
    texts = [name for name, value in body.items() if isinstance(value, str)]
    made = [name for name in texts if name not in _MESSAGES and body[name] == NO_WORDS]
    for name in (*(it for it in _MESSAGES if it in texts), *made):
        yield {**body, name: message}
    for name, value in body.items():
        if isinstance(value, dict | list):
            yield from ({**body, name: inner} for inner in _with_message(value, message))


def _undocumented(what: str, name: str, known: Iterable[str]) -> Reply:
    return _problem(404, "Not Found", f"Prefer: {no_such(what, name, [*known])}")


def _problem(status: int, title: str, detail: str) -> Reply:
    """An answer that is not the provider's (RFC 9457)."""
    body = {"title": title, "status": status, "detail": detail}
    return Reply(status, body, {}, _PROBLEM, UNBEHAVED, departure=UNBEHAVED)
