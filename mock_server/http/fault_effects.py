"""Apply faults to an answer while it is sent: delays, lost connections, bodies and streams.

The pipeline decides which fault applies to which request, and has committed before. A fault changes
what the client sees, never the state of the mock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ..kernel.fault_types import DELAY_MS_MAX, DELAYING, FLUSH_S, TYPES, with_header
from ..kernel.faults import Fault
from .pieces import Headers, Pause, Piece, Pieces

#: A stream that breaks off declares this length, so that its end does not look clean:
#: granian ends an answer in chunks cleanly, whatever happens to its iterator.
_PROMISED_BYTES = 2**31 - 1
#: With a declared length a client may read in blocks, and loses an incomplete block at the break.
#: `requests.Response.iter_lines` reads this many bytes.
_BLOCK_BYTES = 512


#: From milliseconds to the waits until the clock of a world has advanced as far.
PassTime = Callable[[int], Iterator[Piece]]
#: Faults that change one event of a stream.
_FRAMES = frozenset({"stream_malformed", "stream_duplicate"})


class ConnectionCutError(ConnectionAbortedError):
    """The answer breaks off here: a server closes the connection, in process the client sees it."""


def delay_ms(faults: Sequence[Fault], clock: str) -> int:
    """Milliseconds of *clock* to wait before the answer."""
    total_ms = 0
    for fault in faults:
        if fault.type in DELAYING and _clock_of(fault) == clock:
            jitter_ms = int(fault.attributes.get("jitter_ms") or 0)
            # The direction follows from how often the fault was applied, so a run can be repeated.
            swing_ms = jitter_ms * (fault.fired % 3 - 1)
            wait_ms = int(fault.attributes["delay_ms"]) + swing_ms
            total_ms += max(0, min(wait_ms, DELAY_MS_MAX))
    return total_ms


def _clock_of(fault: Fault) -> str:
    """`machine` or `world`; the first for faults of older snapshots."""
    return str(fault.attributes.get("clock", "machine"))


def is_cut_off(faults: Sequence[Fault]) -> bool:
    """Whether the connection ends without an answer."""
    return any(fault.swallows for fault in faults)


def no_answer() -> tuple[Headers, bytes]:
    """Headers and body of an answer of which no byte leaves; the connection is closed.

    The headers give the length in two ways, which HTTP forbids (RFC 9112, 6.2). granian's HTTP
    library notices that while it writes them: it discards what it has written, and closes. A body
    that breaks off would be a race instead, because the headers may be sent before.
    """
    return [("Transfer-Encoding", "chunked"), ("Content-Length", "1")], b" "


def spoil_body(
    faults: Sequence[Fault], headers: Headers, body: bytes
) -> tuple[Headers, bytes | Pieces]:
    """*headers* and *body* as the faults leave them."""
    for fault in faults:
        spoil = TYPES[fault.type].spoil
        if spoil is not None:
            return spoil(fault.attributes, headers, body)
    return headers, body


def spoil_stream(
    faults: Sequence[Fault],
    headers: Headers,
    events: Iterator[Piece],
    pass_time: PassTime,
    *,
    fills_blocks: bool,
) -> tuple[Headers, Iterator[Piece]]:
    """A stream that is cut, stalls after some events, or has another event than it should.

    *pass_time* makes the waits for the clock of the world.

    One that is cut *fills_blocks* with comments, for clients that read it from a socket.
    """
    for fault in faults:
        if fault.type == "stream_cut":
            promised = with_header(headers, "Content-Length", str(_PROMISED_BYTES))
            count = int(fault.attributes["after_events"])
            return promised, _cut_after(events, count, fills_blocks=fills_blocks)
        if fault.type == "stream_stall":
            stall_ms = min(int(fault.attributes["stall_ms"]), DELAY_MS_MAX)
            stall = [Pause(stall_ms / 1_000)] if _clock_of(fault) == "machine" else None
            waits = stall if stall is not None else pass_time(stall_ms)
            return headers, _stalled(events, int(fault.attributes["after_events"]), waits)
        if fault.type == "stream_no_end":
            return headers, _closing(events, _first(events, int(fault.attributes["after_events"])))
        if fault.type in _FRAMES:
            return headers, _closing(events, _changed(events, fault))
    return headers, events


def _closing(events: Iterator[Piece], changed: Iterator[Piece]) -> Iterator[Piece]:
    try:
        yield from changed
    finally:
        _close(events)


def _changed(events: Iterator[Piece], fault: Fault) -> Iterator[Piece]:
    """*events* with the frame after some others cut in its middle, or sent twice."""
    yield from _first(events, int(fault.attributes["after_events"]))
    for piece in events:
        if isinstance(piece, bytes) and piece.startswith(b"data:"):
            half = piece[: len(piece) // 2] + b"\n\n"
            yield from (half,) if fault.type == "stream_malformed" else (piece, piece)
            break
        yield piece
    yield from events


def _cut_after(events: Iterator[Piece], count: int, *, fills_blocks: bool) -> Iterator[Piece]:
    try:
        for piece in _first(events, count):
            yield _in_blocks(piece) if fills_blocks and isinstance(piece, bytes) else piece
        yield Pause(FLUSH_S)
    finally:
        _close(events)


def _in_blocks(piece: bytes) -> bytes:
    """*piece* with a comment that fills its last block; a reader of events skips comments."""
    missing = -len(piece) % _BLOCK_BYTES
    if not missing:
        return piece
    if missing < len(b":\n\n"):
        missing += _BLOCK_BYTES
    return piece + b":" + b" " * (missing - len(b":\n\n")) + b"\n\n"


def _stalled(events: Iterator[Piece], count: int, waits: Iterable[Piece]) -> Iterator[Piece]:
    try:
        yield from _first(events, count)
        yield from waits
        yield from events
    finally:
        _close(events)


def _close(events: Iterator[Piece]) -> None:
    """Close the stream now, so that its place is free before garbage collection."""
    close = getattr(events, "close", None)
    if close is not None:
        close()


def _first(events: Iterator[Piece], count: int) -> Iterator[Piece]:
    """The pieces of *events* up to the *count*-th event; comments and waits do not count."""
    seen = 0
    while seen < count:
        piece = next(events, None)
        if piece is None:
            return
        seen += isinstance(piece, bytes) and piece.startswith(b"data:")
        yield piece
