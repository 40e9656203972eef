"""Acting out ordered faults on an answer that is otherwise right.

The pipeline decides which fault meets which request, and has committed by the time anything here
happens: a fault spoils what the client sees, never what the mock knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from screentest.specs.json_types import Json

from ..kernel.faults import Fault

Headers = list[tuple[str, str]]
Sleep = Callable[[float], None]

#: A silent stream sends an empty piece so often, of which no byte leaves: a server refuses it once
#: nobody listens.
PROBE_S = 0.5
#: No fault keeps a connection open for longer, whatever somebody ordered.
_DELAY_MS_MAX = 15 * 60 * 1_000
#: Bytes need a moment to leave before the connection that carries them is closed.
_FLUSH_S = 0.02
#: A stream that is to break off promises this much, so that its end is not taken for a clean one:
#: granian ends an answer in chunks cleanly, whatever happens to its iterator.
_PROMISED_BYTES = 2**31 - 1
#: A client that was promised a length may read in blocks, and loses the block that is not whole at
#: the break. `requests.Response.iter_lines` reads so many bytes.
_BLOCK_BYTES = 512


class ConnectionCutError(ConnectionAbortedError):
    """The answer breaks off here: a server closes the connection, in process the client sees it."""


def delay(faults: Sequence[Fault], sleep: Sleep = time.sleep) -> None:
    """Wait before the answer, as latency and timeouts ask for."""
    for fault in faults:
        if fault.type in {"latency", "timeout"}:
            jitter_ms = int(fault.attributes.get("jitter_ms") or 0)
            # Which way it goes follows from how often it has struck, so a run can be repeated.
            swing_ms = jitter_ms * (fault.fired % 3 - 1)
            wait_ms = int(fault.attributes["delay_ms"]) + swing_ms
            sleep(max(0, min(wait_ms, _DELAY_MS_MAX)) / 1_000)


def is_cut_off(faults: Sequence[Fault]) -> bool:
    """Whether the connection ends without an answer."""
    return any(fault.swallows for fault in faults)


def no_answer() -> tuple[Headers, Iterator[bytes]]:
    """Head and body of an answer of which no byte leaves; the connection is closed.

    The head promises its length in two ways, which HTTP forbids (RFC 9112, 6.2). granian's HTTP
    library finds that out while it writes the head: it takes back what it has written, and closes.
    A body that breaks off would be a race instead, as the head may be out before it does.
    """
    return [("Transfer-Encoding", "chunked"), ("Content-Length", "1")], iter([b" "])


def spoil_body(
    faults: Sequence[Fault], headers: Headers, body: bytes, sleep: Sleep = time.sleep
) -> tuple[Headers, Iterable[bytes]]:
    """*headers* and *body* as the faults leave them."""
    for fault in faults:
        spoil = _BODIES.get(fault.type)
        if spoil is not None:
            return spoil(fault.attributes, headers, body, sleep)
    return headers, [body]


def _malformed(
    _: Mapping[str, Json], headers: Headers, body: bytes, _sleep: Sleep
) -> tuple[Headers, list[bytes]]:
    half = body[: max(1, len(body) // 2)]
    return with_header(headers, "Content-Length", str(len(half))), [half]


def _empty(
    _: Mapping[str, Json], headers: Headers, body: bytes, _sleep: Sleep
) -> tuple[Headers, list[bytes]]:
    return with_header(headers, "Content-Length", "0"), [b""]


def _mistyped(
    attributes: Mapping[str, Json], headers: Headers, body: bytes, _sleep: Sleep
) -> tuple[Headers, list[bytes]]:
    return with_header(headers, "Content-Type", str(attributes["content_type"])), [body]


def _limited(
    attributes: Mapping[str, Json], headers: Headers, body: bytes, sleep: Sleep
) -> tuple[Headers, Iterator[bytes]]:
    """The promised length stays, the bytes end early."""
    kept = body[: int(attributes["bytes"])]

    def send() -> Iterator[bytes]:
        yield kept
        sleep(_FLUSH_S)

    return headers, send()


def _sliced(
    attributes: Mapping[str, Json], headers: Headers, body: bytes, sleep: Sleep
) -> tuple[Headers, Iterator[bytes]]:
    size = max(1, int(attributes["size"]))
    pause_s = min(int(attributes["delay_ms"]), _DELAY_MS_MAX) / 1_000

    def send() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            if start and pause_s:
                sleep(pause_s)
            yield body[start : start + size]

    return headers, send()


_BODIES: Mapping[
    str, Callable[[Mapping[str, Json], Headers, bytes, Sleep], tuple[Headers, Iterable[bytes]]]
] = {
    "malformed_json": _malformed,
    "empty": _empty,
    "wrong_content_type": _mistyped,
    "limit_data": _limited,
    "slicer": _sliced,
}


def spoil_stream(
    faults: Sequence[Fault],
    headers: Headers,
    events: Iterator[bytes],
    sleep: Sleep = time.sleep,
    *,
    fills_blocks: bool = True,
) -> tuple[Headers, Iterator[bytes]]:
    """A stream that is cut or stalls after some events.

    One that is cut *fills_blocks* with comments, for clients that read it from a socket.
    """
    for fault in faults:
        if fault.type == "stream_cut":
            promised = with_header(headers, "Content-Length", str(_PROMISED_BYTES))
            count = int(fault.attributes["after_events"])
            return promised, _cut_after(events, count, sleep, fills_blocks=fills_blocks)
        if fault.type == "stream_stall":
            stall_s = min(int(fault.attributes["stall_ms"]), _DELAY_MS_MAX) / 1_000
            return headers, _stalled(events, int(fault.attributes["after_events"]), stall_s, sleep)
    return headers, events


def _cut_after(
    events: Iterator[bytes], count: int, sleep: Sleep, *, fills_blocks: bool
) -> Iterator[bytes]:
    try:
        for piece in _first(events, count):
            yield _in_blocks(piece) if fills_blocks else piece
        sleep(_FLUSH_S)
    finally:
        _close(events)


def _in_blocks(piece: bytes) -> bytes:
    """*piece* with a comment behind it that fills its last block; a reader of events skips that."""
    missing = -len(piece) % _BLOCK_BYTES
    if not missing:
        return piece
    if missing < len(b":\n\n"):
        missing += _BLOCK_BYTES
    return piece + b":" + b" " * (missing - len(b":\n\n")) + b"\n\n"


def _stalled(events: Iterator[bytes], count: int, stall_s: float, sleep: Sleep) -> Iterator[bytes]:
    try:
        yield from _first(events, count)
        if sleep is time.sleep:
            yield from _silence(stall_s)
        else:
            sleep(stall_s)
        yield from events
    finally:
        _close(events)


def _close(events: Iterator[bytes]) -> None:
    """The place of the stream is free at once, and not when somebody collects garbage."""
    close = getattr(events, "close", None)
    if close is not None:
        close()


def _first(events: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The pieces of *events* up to the *count*-th event; comments and probes are none."""
    seen = 0
    while seen < count:
        piece = next(events, None)
        if piece is None:
            return
        seen += piece.startswith(b"data:")
        yield piece


def _silence(silent_s: float) -> Iterator[bytes]:
    """Nothing for that long, asking the server now and then whether the client is still there."""
    for _ in range(int(silent_s / PROBE_S)):
        time.sleep(PROBE_S)
        yield b""
    time.sleep(silent_s % PROBE_S)


def with_header(headers: Headers, name: str, value: str) -> Headers:
    """*headers* with one of them replaced or added."""
    kept = [(it, text) for it, text in headers if it.lower() != name.lower()]
    return [*kept, (name, value)]
