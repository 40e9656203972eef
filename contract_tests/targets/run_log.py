"""The file of a run that is continued later: what was answered and paid, line by line.

A continued run repeats its scenarios. What the file has is answered from it, at the time of then,
so that nothing is asked or paid twice. A wait that is too long parks its scenario for a later run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from ..traces.trace import Raw, SeenDelivery
from .callback import Receiver
from .needs import UnableError
from .open_jobs import BadJournalError, JobPlace, JournalError
from .run_lines import (
    Answered,
    Arrived,
    Begun,
    Done,
    Gap,
    Head,
    Line,
    Lost,
    Parked,
    Sent,
    Waited,
    opened,
    other_content,
    read_lines,
)
from .target import OutgoingRequest, Target

_BODY_BYTES_MAX = 64 * 1024 * 1024


class LaterError(UnableError):
    """The scenario continues with a later run, *not_before* that instant."""

    def __init__(self, not_before: datetime) -> None:
        self.not_before = f"{not_before:%Y-%m-%dT%H:%MZ}"
        super().__init__(f"it continues with --resume, not before {self.not_before}")


@dataclass(slots=True)
class _Part:
    """What is known of a part."""

    began_ms: int
    answers: list[Answered] = field(default_factory=list[Answered])
    is_parked: bool = False
    is_done: bool = False


@dataclass(slots=True)
class RunLog:
    """The run in the file *path*, which is new or has the same *place* and *options*.

    No other process can continue it until `close`, or the end of this one.

    *patience_ms* is the longest single wait, *time_scale* the speed of the server's clock.
    *on_gap* is called when a part is continued.

    Raises:
        JournalError: the file cannot be used, is in use, or is that of another run.
    """

    path: Path
    place: JobPlace
    options: str
    now_ms: int
    patience_ms: int
    time_scale: float = 1.0
    on_gap: Callable[[Gap], None] = lambda gap: None
    spent: int = 0
    pending: int = 0
    deliveries: list[SeenDelivery] = field(default_factory=list[SeenDelivery])
    began_ms: int = field(init=False)
    _parts: dict[str, _Part] = field(default_factory=dict[str, _Part])
    _part: str = ""
    _next: int = 0
    _gap: Gap = Gap.NONE
    _recalled_ms: int | None = None
    _alive_ms: int = 0
    _lock: Lock = field(default_factory=Lock)
    _file: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        is_new = not self.path.exists()
        self._file = opened(self.path)
        try:
            self._read(is_new=is_new)
        except JournalError:
            self.close()
            raise

    def close(self) -> None:
        """Let another run continue the file."""
        self._file.close()

    def _read(self, *, is_new: bool) -> None:
        head = Head(self.place, self.options, self.now_ms)
        found, size = ([head], 0) if is_new else read_lines(self.path)
        if is_new:
            self._write(head)
        elif not isinstance(found[0], Head):
            raise other_content(self.path)
        elif (found[0].place, found[0].options) != (self.place, self.options):
            raise BadJournalError(
                f"{self.path} is of another run: its server, account or options differ; "
                "name another file"
            )
        else:
            self._file.truncate(size)
            head = found[0]
        self.began_ms = head.began_ms
        open_price = 0
        for line in found[1:]:
            open_price = self._load(line, open_price)
        if open_price:
            self._write(Lost(open_price))
            self.spent += open_price

    def _load(self, line: Line, open_price: int) -> int:
        """Take a line. Returns the price of the request that has no answer yet."""
        match line:
            case Begun(part, at_ms):
                self._parts.setdefault(part, _Part(at_ms))
            case Sent(price):
                return price
            case Lost(price):
                self.spent += price
                return 0
            case Answered():
                self._parts[line.part].answers.append(line)
                self._alive_ms = max(self._alive_ms, line.raw.at_ms, line.raw.ended_ms)
                self.spent += line.spent
                self.pending += line.pending
                return 0
            case Waited(at_ms):
                self._alive_ms = max(self._alive_ms, at_ms)
            case Parked(part, _):
                self._parts[part].is_parked = True
            case Done(part):
                self._parts[part].is_done = True
            case Arrived(delivery):
                self.deliveries.append(delivery)
                self._alive_ms = max(self._alive_ms, delivery.at_ms)
            case Head():
                raise other_content(self.path)
        return open_price

    # The time of the run

    def time_ms(self, real_ms: int) -> int:
        """The time of the present part: *real_ms*, or that of what is answered from the file."""
        if not self._part:
            return self.began_ms
        return real_ms if self._recalled_ms is None else self._recalled_ms

    def begin(self, part: str, real_ms: int) -> None:
        """What follows belongs to *part*."""
        self._part, self._next, self._gap = part, 0, Gap.NONE
        known = self._parts.get(part)
        self._recalled_ms = known.began_ms if known is not None else None
        if known is None:
            self._parts[part] = _Part(real_ms)
            self._write(Begun(part, real_ms))

    def end(self, *, is_done: bool) -> None:
        """The present part is over; *is_done* says that it has nothing more to ask."""
        if is_done and not self._parts[self._part].is_done:
            self._parts[self._part].is_done = True
            self._write(Done(self._part))

    def wait(self, ms: int, target: Target) -> None:
        """Wait at *target*, as far as that was not done before.

        Raises:
            LaterError: the wait is too long for this run.
        """
        real_ms = target.now_ms()
        if not self._part:
            target.wait(ms)
            return
        until_ms = self.time_ms(real_ms) + max(0, ms)
        if self._recalled_ms is not None:
            if until_ms <= self._alive_ms or self._next < len(self._parts[self._part].answers):
                self._recalled_ms = until_ms
                return
            if until_ms <= real_ms:
                self._go_on()
                return
        if until_ms - real_ms > self.patience_ms:
            self._write(Parked(self._part, until_ms))
            self._parts[self._part].is_parked = True
            at_ms = self.began_ms + (until_ms - self.began_ms) / self.time_scale
            raise LaterError(datetime.fromtimestamp(-(-at_ms // 60_000) * 60, UTC))
        if self._recalled_ms is not None:
            self._go_on()
        target.wait(until_ms - real_ms)
        self._write(Waited(target.now_ms()))

    def _go_on(self) -> None:
        """Continue the present part at the server.

        Raises:
            UnableError: the part was done.
        """
        part = self._parts[self._part]
        if part.is_done:
            raise UnableError(f"{self.path} does not have this, and its scenario was done")
        self._note_gap(Gap.PARKED if part.is_parked else Gap.INTERRUPTED)
        self._recalled_ms = None

    def _note_gap(self, gap: Gap) -> None:
        if gap is not self._gap:
            self._gap = gap
            self.on_gap(gap)

    # Requests

    def recalled(self, wire: OutgoingRequest | str) -> Raw | None:
        """The answer that the file has to *wire*; None if it is to be sent now.

        Raises:
            UnableError: the file has the answer to another request here.
        """
        if not self._part or self._recalled_ms is None:
            return None
        answers = self._parts[self._part].answers
        if self._next == len(answers):
            self._go_on()
            return None
        line = answers[self._next]
        if line.asked != _digest(wire):
            raise UnableError(f"{self.path} has the answer to another request here")
        if len(line.raw.body) != int(line.raw.headers.get(_KEPT_BYTES, len(line.raw.body))):
            raise UnableError("the answer was too large to be kept")
        self._next += 1
        self._note_gap(line.gap)
        self._recalled_ms = max(self._recalled_ms, line.raw.at_ms, line.raw.ended_ms)
        if isinstance(wire, str):
            return replace(line.raw, query=urlsplit(wire).query)
        return replace(
            line.raw, request_headers=wire.headers, query=wire.query, request_body=wire.body
        )

    def sent(self, price: int) -> None:
        """A request that may cost *price* is sent now."""
        if price and self._part:
            self._write(Sent(price))

    def ended(
        self, wire: OutgoingRequest | str, raw: Raw | None, spent: int = 0, pending: int = 0
    ) -> None:
        """*wire* was answered *raw*, or not at all. No credential of a request is kept."""
        if not self._part:
            return
        if raw is None:
            self._write(Lost(spent))
            return
        kept = replace(raw, request_headers={}, query="", request_body=b"")
        if len(raw.body) > _BODY_BYTES_MAX:
            size = {_KEPT_BYTES: str(len(raw.body))}
            kept = replace(kept, body=b"", headers={**raw.headers, **size})
        self._write(Answered(self._part, _digest(wire), kept, spent, pending, self._gap))

    def delivered(self, delivery: SeenDelivery) -> None:
        """A webhook arrived."""
        self.deliveries.append(delivery)
        if not self._file.closed:
            self._write(Arrived(delivery))

    def _write(self, line: Line) -> None:
        """Append *line*. A run that is killed leaves at most one line that is cut."""
        try:
            with self._lock:
                self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What *receiver* and earlier runs got, up to the time of the present part."""

    receiver: Receiver
    log: RunLog
    now_ms: Callable[[], int]

    def answer_deliveries(self, statuses: Sequence[int], *, about: str = "") -> None:
        now_ms, text = self.now_ms(), about.encode()
        past = [it for it in self.log.deliveries if it.at_ms >= now_ms and text in it.body]
        self.receiver.answer_deliveries(statuses[len(past) :], about=about)

    def deliveries(self) -> list[SeenDelivery]:
        now_ms = self.now_ms()
        return [it for it in self.log.deliveries if it.at_ms <= now_ms]

    def followed(self) -> int:
        return self.receiver.followed()


#: How large a body was that is not kept.
_KEPT_BYTES = "x-screentest-kept-bytes"


def _digest(wire: OutgoingRequest | str) -> str:
    """A digest of a request with its caller, which shows no key."""
    if isinstance(wire, str):
        text = wire.encode()
    else:
        headers = sorted((name.lower(), value) for name, value in wire.headers.items())
        text = repr((wire.method, wire.path, wire.query, headers)).encode() + wire.body
    return sha256(text).hexdigest()
