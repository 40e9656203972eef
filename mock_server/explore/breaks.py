"""Every way in which a run can break at a place, as a fault of the control API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from screentest.specs.json_types import Json

from .places import Place

#: A client has to wait so long after a 429, which is longer than common backoff.
RETRY_AFTER_S = 30
#: Longer than any client waits for an answer, and than most wait for its first byte.
_SILENT_MS, _LATE_MS = 600_000, 20_000
#: A second of the machine is enough in a process of its own, whose sockets keep real time.
_SHORT_MS = 1_000
#: What no document has.
_UNKNOWN_STATE = "archiving_v2"
#: A killed program does not get its answer: it is dead before this has passed.
KILL_MS = 15_000
#: The type and the phase of that fault, which no other break has.
KILLS = "timeout", "after_commit"


class Break(Struct, frozen=True):
    """One way to break a run. *can_be* says at which places; *type_* is the fault that does it."""

    name: str
    summary: str
    can_be: Callable[[Place], bool]
    type_: str
    attributes: Json = {}
    phase: str | None = None
    times: int | None = 1

    def order(self, place: Place, *, is_warped: bool) -> Json:
        """The fault at *place*; *is_warped*: waits pass in the world's time."""
        attributes = dict(self.attributes)
        if "delay_ms" in attributes and not is_warped and self.name != "killed":
            attributes["delay_ms"] = _SHORT_MS
        if self.name == "state":
            attributes["pointer"] = place.state_pointer
        order: Json = {
            "type": self.type_,
            "where": place.where,
            "nth": place.nth,
            "times": self.times,
            # The calls before it may end in another break, and count all the same.
            "counts": "matches" if place.is_webhook else "calls",
            "attributes": attributes,
        }
        return order if self.phase is None else {**order, "phase": self.phase}


def _is_miscounted(later: Break, before: tuple[Place, Break] | None) -> bool:
    """Whether *before* changes how many deliveries or attempts the fault of *later* counts."""
    if before is None or not (_hooks(before[0]) and later.can_be is _hooks):
        return False
    return later.name in {before[1].name, "hook-forged"}


def _any(place: Place) -> bool:
    return not place.is_webhook


def _writes(place: Place) -> bool:
    return _any(place) and place.rules.effect != "read"


def _json(place: Place) -> bool:
    return _any(place) and place.is_json


def _polls(place: Place) -> bool:
    # It lasts until the end of the run, so a later place would show nothing new.
    is_first = place.nth == 1 and not _writes(place)
    return is_first and _json(place) and place.state_pointer is not None


def _starts(place: Place) -> bool:
    return _any(place) and place.rules.starts is not None


def _costs(place: Place) -> bool:
    return _any(place) and place.rules.price is not None


def _shows_file(place: Place) -> bool:
    return _any(place) and place.has_signed_url


def _starts_for_credits(place: Place) -> bool:
    return _starts(place) and _costs(place)


def _has_key(place: Place) -> bool:
    return _any(place) and bool(place.contract.behaviour.credentials)


def _streams(place: Place) -> bool:
    return _any(place) and place.events > 0


def _hooks(place: Place) -> bool:
    return place.is_webhook


BREAKS: Sequence[Break] = (
    Break(
        "lost",
        "the work is done, and the answer is lost",
        _writes,
        "reset_peer",
        phase="after_commit",
    ),
    Break("cut", "the connection is closed before the work", _any, "reset_peer"),
    Break(
        "half",
        "the connection is closed in the middle of the answer",
        _json,
        "limit_data",
        {"bytes": 10},
    ),
    Break(
        "429",
        f"429 with Retry-After: {RETRY_AFTER_S}",
        _any,
        "http_error",
        {"status": 429, "retry_after_s": RETRY_AFTER_S},
    ),
    Break("500", "500 before the work", _any, "http_error", {"status": 500}),
    Break("503", "503 before the work", _any, "http_error", {"status": 503}),
    Break(
        "500-done",
        "500 after the work",
        _writes,
        "http_error",
        {"status": 500},
        phase="after_commit",
    ),
    Break(
        "503-done",
        "503 after the work",
        _writes,
        "http_error",
        {"status": 503},
        phase="after_commit",
    ),
    Break("silent", "no answer at all", _any, "timeout", {"delay_ms": _SILENT_MS}),
    Break("slow", "the first byte comes late", _any, "latency", {"delay_ms": _LATE_MS}),
    Break("json", "malformed JSON", _json, "malformed_json"),
    Break("field", "a field that no document has", _json, "changed_field"),
    Break(
        "state",
        "a state that no document has, from here on",
        _polls,
        "changed_field",
        {"value": _UNKNOWN_STATE},
        times=None,
    ),
    Break("fails", "the job fails", _starts, "job_failure"),
    Break(
        "refused",
        "the job is refused for its content, late",
        _starts,
        "job_failure",
        {"at": 0.9, "reason": "The content was refused by the safety system."},
    ),
    Break("stalls", "the job never ends", _starts, "job_stall"),
    Break(
        "early", "the job ends, and its webhook comes, before the answer", _starts, "job_at_once"
    ),
    Break("expired", "the signed URLs in the answer have expired", _shows_file, "url_expired"),
    Break("credits", "the credits end before the call", _costs, "credits_end"),
    Break(
        "spent",
        "the credits end while the job runs",
        _starts_for_credits,
        "credits_end",
        phase="after_commit",
    ),
    Break("revoked", "the key is revoked before the call", _has_key, "key_revoked"),
    Break(
        "killed",
        "the program is killed before it has the answer, and started again",
        _writes,
        "timeout",
        {"delay_ms": KILL_MS},
        phase="after_commit",
    ),
    Break(
        "bad-event",
        "an event of the stream is malformed",
        _streams,
        "stream_malformed",
        {"after_events": 1},
    ),
    Break(
        "event-twice",
        "an event of the stream comes twice",
        _streams,
        "stream_duplicate",
        {"after_events": 1},
    ),
    Break("no-end", "the stream ends without its last event", _streams, "stream_no_end"),
    Break("hook-twice", "the webhook comes twice", _hooks, "webhook_duplicate"),
    Break("hook-late", "the webhook comes ten minutes late", _hooks, "webhook_reorder"),
    Break("hook-never", "the webhook never comes", _hooks, "webhook_drop"),
    Break("hook-forged", "the webhook has a wrong signature", _hooks, "webhook_bad_signature"),
)


def breaks_at(place: Place, before: tuple[Place, Break] | None = None) -> Iterator[Break]:
    """Every way in which *place* can break, after *before* has broken another place.

    A stream can break before each of its events.
    """
    yield from (it for it in BREAKS if it.can_be(place) and not _is_miscounted(it, before))
    if _streams(place):
        for count in range(place.events):
            summary = f"the stream breaks off after {count} event{'' if count == 1 else 's'}"
            attributes = {"after_events": count}
            yield Break(f"cut-{count}", summary, _streams, "stream_cut", attributes)
