"""Every type of fault: its summary, its phases, what it applies to, and how it changes a body.

A new type is an entry of `TYPES`, with a function if it changes bodies. The pipeline and the engine
apply the types for requests, streams, jobs and deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson
from msgspec import Struct

from screentest.specs.json_types import Json

Headers = list[tuple[str, str]]


class Pause(Struct, frozen=True):
    """A wait of *seconds* of real time during an answer."""

    seconds: float


#: An answer in pieces, with the waits between them.
Slices = Iterable[bytes | Pause]
#: A function of the attributes, headers and body that returns what is sent instead.
Spoil = Callable[[Mapping[str, Json], Headers, bytes], tuple[Headers, bytes | Slices]]

#: The longest time that a fault keeps a connection open, whatever its attributes say.
DELAY_MS_MAX = 15 * 60 * 1_000
#: The server needs this long to send the bytes before it closes their connection.
FLUSH_S = 0.02

PHASES = ("before", "after_commit", "during_body")


NOTHING = "nothing"
_BEFORE, _AFTER, _BODY = ("before",), ("after_commit",), ("during_body",)
_ANY_TIME = ("before", "after_commit")


#: Faults after which the answer waits for `delay_ms`.
DELAYING = frozenset({"latency", "timeout", "job_at_once"})


class FaultType(Struct, frozen=True):
    """One kind of fault: what it does, and in which phases; the first one is the default.

    *meets* is what it applies to. *spoil* changes a body before it is sent. *sent* is a template
    over the attributes that describes what is sent instead of the answer; empty for the answer.
    """

    summary: str
    phases: tuple[str, ...]
    attributes: Mapping[str, Json]
    meets: str = "request"
    sent: str = ""
    spoil: Spoil | None = None

    @property
    def phase(self) -> str:
        """The default phase."""
        return self.phases[0]


def with_header(headers: Headers, name: str, value: str) -> Headers:
    """*headers* with the header *name* replaced or added."""
    kept = [(it, text) for it, text in headers if it.lower() != name.lower()]
    return [*kept, (name, value)]


def _malformed(_: Mapping[str, Json], headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    # At least one byte: no body at all is the fault `empty`.
    half = body[: max(1, len(body) // 2)]
    return with_header(headers, "Content-Length", str(len(half))), half


def _empty(_: Mapping[str, Json], headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    # With the old length a client would wait for bytes, which is the fault `limit_data`.
    return with_header(headers, "Content-Length", "0"), b""


def _mistyped(
    attributes: Mapping[str, Json], headers: Headers, body: bytes
) -> tuple[Headers, bytes]:
    return with_header(headers, "Content-Type", str(attributes["content_type"])), body


def _limited(
    attributes: Mapping[str, Json], headers: Headers, body: bytes
) -> tuple[Headers, Slices]:
    """Fewer bytes than `Content-Length` declares: a client sees a truncated body."""
    return headers, [body[: int(attributes["bytes"])], Pause(FLUSH_S)]


def _sliced(
    attributes: Mapping[str, Json], headers: Headers, body: bytes
) -> tuple[Headers, Slices]:
    size = max(1, int(attributes["size"]))
    # A pause of hours would keep a connection of the server open for as long.
    pause_s = min(int(attributes["delay_ms"]), DELAY_MS_MAX) / 1_000

    def send() -> Iterator[bytes | Pause]:
        for start in range(0, len(body), size):
            if start and pause_s:
                yield Pause(pause_s)
            yield body[start : start + size]

    return headers, send()


def _garbled(attributes: Mapping[str, Json], headers: Headers, _: bytes) -> tuple[Headers, bytes]:
    # No byte of these is in any text encoding that a client may guess.
    garbage = bytes(0x80 + (7 * it) % 0x40 for it in range(int(attributes["size"])))
    return with_header(headers, "Content-Length", str(len(garbage))), garbage


def _rewritten(
    attributes: Mapping[str, Json], headers: Headers, body: bytes
) -> tuple[Headers, bytes]:
    """The JSON of *body* with another value at a pointer; a field that is missing is added."""
    document = orjson.loads(body)
    *parents, last = str(attributes["pointer"])[1:].split("/")
    place = document
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[int(last) if isinstance(place, list) else last] = attributes["value"]
    changed = orjson.dumps(document)
    return with_header(headers, "Content-Length", str(len(changed))), changed


def can_rewrite(attributes: Mapping[str, Json], body: Json) -> bool:
    """Whether *body* has an object or a list in which `changed_field` can set its field."""
    *parents, last = str(attributes["pointer"])[1:].split("/")
    place = body
    for name in parents:
        if isinstance(place, list):
            place = place[int(name)] if name.isdecimal() and int(name) < len(place) else None
        else:
            place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, list):
        return last.isdecimal() and int(last) < len(place)
    return isinstance(place, dict)


#: The types that act on the download of a stored file, for faults that name its kind of URL.
OF_FILES = ("limit_data", "empty", "garbage", "slicer", "wrong_content_type")
TYPES: Mapping[str, FaultType] = {
    "http_error": FaultType(
        "An error status instead of the answer.",
        _ANY_TIME,
        {"status": 503, "retry_after_s": None, "body": None},
    ),
    "latency": FaultType(
        "The answer is late.",
        _BEFORE,
        {"delay_ms": 1_000, "jitter_ms": 0, "p50_ms": None, "p99_ms": None, "clock": "machine"},
        sent="the answer, {delay_ms} ms late",
    ),
    "timeout": FaultType(
        "No answer: the connection is closed after the delay.",
        _ANY_TIME,
        {"delay_ms": 30_000, "clock": "machine"},
        sent=NOTHING,
    ),
    "reset_peer": FaultType(
        "The connection is closed without an answer, in an orderly way: there is no TCP reset.",
        _ANY_TIME,
        {},
        sent=NOTHING,
    ),
    "limit_data": FaultType(
        "The connection is closed before the declared length.",
        _BODY,
        {"bytes": 64},
        "body",
        "the first {bytes} bytes of the body",
        spoil=_limited,
    ),
    "slicer": FaultType(
        "The body in small pieces.",
        _BODY,
        {"size": 16, "delay_ms": 0},
        "body",
        "the body in pieces of {size} bytes",
        spoil=_sliced,
    ),
    "malformed_json": FaultType(
        "Half of the body, with the length of that half.",
        _BODY,
        {},
        "body",
        "the first half of the body",
        spoil=_malformed,
    ),
    "wrong_content_type": FaultType(
        "The body under another content type.",
        _BODY,
        {"content_type": "text/html"},
        "body",
        "the body as {content_type}",
        spoil=_mistyped,
    ),
    "empty": FaultType(
        "The status with an empty body.",
        _BODY,
        {},
        "body",
        "no body",
        spoil=_empty,
    ),
    "garbage": FaultType(
        "A body of bytes that mean nothing, under the status and type of the answer.",
        _BODY,
        {"size": 64},
        "body",
        "{size} bytes of garbage",
        spoil=_garbled,
    ),
    "changed_field": FaultType(
        "The JSON body with another value at a JSON pointer, such as an unknown state.",
        _BODY,
        {"pointer": "/unknown_field", "value": "unknown"},
        "body",
        "the body with another value at {pointer}",
        spoil=_rewritten,
    ),
    "url_expired": FaultType(
        "The signed URLs in the answer have expired.",
        _BODY,
        {},
        "signed URL",
        "the answer with signed URLs that have expired",
    ),
    "stream_cut": FaultType(
        "A stream is cut; its job continues.",
        _BODY,
        {"after_events": 1},
        "stream",
        "{after_events} events, then the connection was closed",
    ),
    "stream_stall": FaultType(
        "A stream pauses.",
        _BODY,
        {"after_events": 1, "stall_ms": 600_000, "clock": "machine"},
        "stream",
        "{after_events} events, then nothing for {stall_ms} ms",
    ),
    "stream_malformed": FaultType(
        "One event of a stream is cut in its middle; the stream goes on.",
        _BODY,
        {"after_events": 1},
        "stream",
        "an event cut in its middle after {after_events} events",
    ),
    "stream_duplicate": FaultType(
        "One event of a stream is sent twice.",
        _BODY,
        {"after_events": 1},
        "stream",
        "the event after {after_events} events twice",
    ),
    "stream_no_end": FaultType(
        "A stream ends cleanly without its last event; its job continues.",
        _BODY,
        {},
        "stream",
        "all events but the last",
    ),
    "stream_error": FaultType(
        "A stream ends with an error event, and its job fails.",
        _BODY,
        {"after_events": 1, "reason": None},
        "streamed job",
    ),
    "job_failure": FaultType(
        "The job fails at this part of its run.", _BEFORE, {"reason": None, "at": 1.0}, "job"
    ),
    "job_at_once": FaultType(
        "The job ends before the answer to its call, so its webhook comes before that answer.",
        _AFTER,
        {"delay_ms": 500},
        "started job",
        "the answer, {delay_ms} ms late",
    ),
    "job_stall": FaultType("The job stops before its end, and never ends.", _BEFORE, {}, "job"),
    "credits_end": FaultType(
        "The credits of the account are withdrawn: before the call is judged, or once it is done.",
        _ANY_TIME,
        {},
        "price",
    ),
    "key_revoked": FaultType(
        "The keys of the account are revoked before the call is judged.", _BEFORE, {}, "credential"
    ),
    "webhook_drop": FaultType("The delivery is never sent.", _BEFORE, {}, "delivery"),
    "webhook_duplicate": FaultType(
        "The delivery is sent several times.", _BEFORE, {"copies": 2}, "delivery"
    ),
    "webhook_reorder": FaultType(
        "The delivery is sent after the next one to its endpoint, or after delay_ms.",
        _BEFORE,
        {"delay_ms": 600_000},
        "delivery",
    ),
    "webhook_bad_signature": FaultType(
        "The delivery carries a wrong signature.", _BEFORE, {}, "delivery"
    ),
    "model_retired": FaultType(
        "Calls that cost credits are refused because their model is retired.",
        _BEFORE,
        {"model": None, "status": 410},
        "model",
    ),
}


def attribute_value(text: str) -> Json:
    """An attribute of a fault as people write it: JSON, and anything else is a text."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text
