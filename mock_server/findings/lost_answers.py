"""Which faults keep an answer, or a part of it, from the client."""

from __future__ import annotations

from ..engine.provider import Call, EventStream, Reply
from ..kernel.faults import Fault
from .fixes import value_at

#: Faults after which an answer arrives late.
DELAYS = frozenset({"latency", "slicer", "job_at_once"})
#: Faults after which a file is not whole.
CUTS = frozenset({"timeout", "reset_peer", "limit_data", "empty", "garbage"})
#: Faults that leave a client what it needs to ask again: the id, or the beginning of a stream.
_HARMLESS = DELAYS | {
    *("stream_stall", "stream_cut", "stream_error"),
    *("stream_malformed", "stream_duplicate", "stream_no_end", "changed_field"),
    *("url_expired", "credits_end"),
}


def is_lost(call: Call) -> bool:
    """Whether a fault kept the answer to *call*, or a part of it, from the client."""
    return any(it.type not in _HARMLESS for it in call.faults)


def is_misread(call: Call, answer: Reply | EventStream) -> bool:
    """Whether a fault kept from the client what *answer* says about a resource."""
    return is_lost(call) or any(_changes(it, answer) for it in call.faults)


def _changes(fault: Fault, answer: Reply | EventStream) -> bool:
    """Whether *fault* gives a field of *answer* another value. A field that it adds hides none."""
    if fault.type != "changed_field" or isinstance(answer, EventStream):
        return False
    known = value_at(answer.body, fault.attributes["pointer"])
    return known is not None and known != fault.attributes["value"]


def instead_of(value: str, call: Call, answer: Reply) -> str | None:
    """What a fault has shown to the client in place of *value*; None if no fault did."""
    for it in call.faults:
        if _changes(it, answer) and value_at(answer.body, it.attributes["pointer"]) == value:
            return str(it.attributes["value"])
    return None
