"""Sending webhooks: the request of an attempt, and the record of its outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..kernel.webhooks import Attempt, Report, WebhookRequest
from . import outbox
from .instant import Instant
from .timekeeper import Timekeeper
from .world import World


class Webhooks:
    """Attempts of all worlds. *find* gives the world with an id, or None."""

    def __init__(self, clocks: Timekeeper, find: Callable[[str], World | None]) -> None:
        self._clocks = clocks
        self._find = find

    def request(self, attempt: Attempt) -> WebhookRequest | None:
        """What *attempt* sends; None if it was cancelled."""
        world = self._find(attempt.world_id)
        # The world was deleted while the attempt waited for a thread.
        if world is None:
            return None
        with world.rows.transaction():
            return outbox.request_of(self._at(world, attempt), attempt, self._clocks.wall_ms())

    def finish(self, world_id: str, reports: Sequence[Report]) -> None:
        """Record the outcomes of one batch of attempts."""
        world = self._find(world_id)
        if world is None:
            return
        # One transaction for all: the commit is what an outcome costs.
        with world.rows.transaction():
            for attempt, sent, outcome in reports:
                outbox.finish(self._at(world, attempt), attempt, sent, outcome)
        self._clocks.notify(world_id)

    def hand_back(self, attempts: Sequence[Attempt]) -> None:
        """Make *attempts* due again, which this process has claimed and will not send."""
        for attempt in attempts:
            world = self._find(attempt.world_id)
            if world is not None:
                with world.rows.transaction():
                    outbox.hand_back(self._at(world, attempt), attempt)

    def _at(self, world: World, attempt: Attempt) -> Instant:
        # At the due time: what follows must not depend on how long a receiver took.
        return self._clocks.instant(world, attempt.provider, now_ms=attempt.due_ms)
