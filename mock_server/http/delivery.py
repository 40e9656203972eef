"""The dispatchers: they send attempts after the commit that made them due, never inside one.

In the caller's own process the attempts are sent one after the other in the caller's thread, so
every run is the same. A server has threads for them, so a slow receiver delays no other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ..engine.worlds import Worlds
from ..kernel.webhooks import Attempt, Outcome, Report
from ..store.surroundings import NotKeptError

if TYPE_CHECKING:
    from .transport import Transport

#: A provider sends to many customers at once, but not too much to one of them.
IN_FLIGHT_MAX = 8
PER_ENDPOINT_MAX = 2
#: Longer than one attempt may take. Moving a clock waits no longer than this.
WAIT_S_MAX = 60.0
#: An outcome that cannot be kept, because the disk is full, is tried again for a minute.
_TRIES_MAX, _TRIES_APART_S = 60, 1.0

_LOG = logging.getLogger("screentest.webhooks")


def carry_out(worlds: Worlds, transport: Transport, attempt: Attempt) -> Report:
    """Sign and send one attempt. The request is None if the attempt was cancelled meanwhile."""
    request = worlds.webhooks.request(attempt)
    if request is None:
        return attempt, None, Outcome(None)
    try:
        return attempt, request, transport.post(request)
    except Exception as error:  # noqa: BLE001  the delivery must not stay claimed for ever
        _LOG.exception("attempt %s of %s", attempt.number, attempt.delivery)
        return attempt, request, Outcome(None, f"screentest is wrong here: {error!r}"[:200])


class InlineDispatcher:
    """Sends in the thread whose call made the attempts due."""

    def __init__(self, worlds: Worlds, transport: Transport) -> None:
        self._worlds = worlds
        self._transport = transport

    def send(self, world_id: str, attempts: Sequence[Attempt]) -> None:
        """Carry out *attempts*, one after the other."""
        reports = [carry_out(self._worlds, self._transport, attempt) for attempt in attempts]
        self._worlds.webhooks.finish(world_id, reports)

    def wait(self, world_id: str) -> None:
        """Nothing is under way once `send` has returned."""


class _Batch(Struct):
    """Attempts that fell due together. Their outcomes are recorded together, in this order.

    That keeps retries in the same order however fast the receivers were.
    """

    world_id: str
    attempts: Sequence[Attempt]
    reports: dict[int, Report] = {}


class ThreadedDispatcher:
    """Sends from up to `IN_FLIGHT_MAX` threads, `PER_ENDPOINT_MAX` at a time to one endpoint."""

    def __init__(
        self,
        worlds: Worlds,
        transport: Transport,
        observe: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        """*observe* sees the outcome of each attempt."""
        self._worlds = worlds
        self._transport = transport
        self._observe = observe
        self._changed = threading.Condition()
        self._queue: deque[tuple[_Batch, int]] = deque()
        self._busy: Counter[tuple[str, str]] = Counter()
        self._open: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0
        self._is_closed = False

    def send(self, world_id: str, attempts: Sequence[Attempt]) -> None:
        """Queue *attempts* for the threads of this dispatcher; once closed, hand them back."""
        with self._changed:
            is_closed = self._is_closed
            if not is_closed:
                self._add(_Batch(world_id, attempts))
        # Outside, because a thread that has the world may wait for this lock.
        if is_closed:
            self._worlds.webhooks.hand_back(attempts)

    def _add(self, batch: _Batch) -> None:
        self._open[batch.world_id] += 1
        self._queue.extend((batch, index) for index in range(len(batch.attempts)))
        wanted = min(len(self._queue) - self._idle, IN_FLIGHT_MAX - self._threads)
        for _ in range(max(0, wanted)):
            self._threads += 1
            threading.Thread(target=self._work, name="screentest-dispatcher", daemon=True).start()
        self._changed.notify_all()

    def wait(self, world_id: str) -> None:
        """Block until every outcome in *world_id* is recorded, `WAIT_S_MAX` at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open[world_id], WAIT_S_MAX)

    def close(self, seconds_max: float) -> None:
        """Hand back attempts that are not being sent yet; wait up to *seconds_max* for the others.

        If another process has the worlds next, it sends at once what was handed back.
        """
        with self._changed:
            self._is_closed = True
            waiting, self._queue = self._queue, deque()
            batches = {id(batch): batch for batch, _ in waiting}
            self._changed.notify_all()
            # A batch without waiting attempts is over once its outcomes are recorded.
            self._changed.wait_for(
                lambda: not self._busy and self._open.total() <= len(batches), seconds_max
            )
        for batch in batches.values():
            known = [batch.reports[it] for it in sorted(batch.reports)]
            self._worlds.webhooks.finish(batch.world_id, known)
        self._worlds.webhooks.hand_back([batch.attempts[it] for batch, it in waiting])

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            batch, index = taken
            attempt = batch.attempts[index]
            report = carry_out(self._worlds, self._transport, attempt)
            if report[1] is not None:
                self._observe(report[2])
            with self._changed:
                self._busy -= Counter({(attempt.world_id, attempt.endpoint): 1})
                batch.reports[index] = report
                is_last = len(batch.reports) == len(batch.attempts)
                self._changed.notify_all()
            if is_last:
                self._note(batch)

    def _note(self, batch: _Batch) -> None:
        try:
            reports = [batch.reports[index] for index in range(len(batch.attempts))]
            self._finish(batch.world_id, reports)
        except Exception:  # noqa: BLE001  the thread goes on with other deliveries
            _LOG.exception("outcomes in world %s", batch.world_id)
        finally:
            with self._changed:
                self._open[batch.world_id] -= 1
                if not self._open[batch.world_id]:
                    del self._open[batch.world_id]
                self._changed.notify_all()

    def _finish(self, world_id: str, reports: Sequence[Report]) -> None:
        """Record *reports*, as soon as they can be kept."""
        for _ in range(_TRIES_MAX):
            try:
                self._worlds.webhooks.finish(world_id, reports)
            except NotKeptError:
                time.sleep(_TRIES_APART_S)
            else:
                return
        self._worlds.webhooks.finish(world_id, reports)

    def _take(self) -> tuple[_Batch, int] | None:
        """The oldest attempt whose endpoint has room; None when the dispatcher is closed."""
        with self._changed:
            while not self._is_closed:
                for place, (batch, index) in enumerate(self._queue):
                    attempt = batch.attempts[index]
                    key = attempt.world_id, attempt.endpoint
                    if self._busy[key] < PER_ENDPOINT_MAX:
                        del self._queue[place]
                        self._busy[key] += 1
                        return batch, index
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
        return None
