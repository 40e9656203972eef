"""The time of worlds: reading their clocks, moving them, and running what falls due."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from msgspec.structs import replace

from screentest.specs.contract import Contract

from ..kernel.clock import ADVANCE_MAX_MS, FIRES_PER_ADVANCE_MAX, Clock, Mode
from ..kernel.errors import MockError
from ..kernel.rows import Event
from ..kernel.webhooks import Attempt, Dispatcher
from ..store.sqlite import Store
from . import outbox
from .instant import Instant
from .provider_modules import Providers
from .world import World

if TYPE_CHECKING:
    from .provider import Provider

WallClock = Callable[[], int]


class Timekeeper:
    """The time of all worlds over one store.

    *wall_ms* reads the machine's clock. *system_ms* reads what a program in this process would see,
    which freezegun and time-machine change. Nothing below this class reads either.
    """

    def __init__(
        self,
        store: Store,
        contracts: Mapping[str, Contract],
        wall_ms: WallClock,
        system_ms: WallClock | None = None,
    ) -> None:
        self.providers: Mapping[str, Provider] = Providers()
        self.wall_ms = wall_ms
        self._store = store
        self._contracts = contracts
        self._system_ms = system_ms or wall_ms
        self._listeners: list[Callable[[str], None]] = []
        self._dispatcher: Dispatcher | None = None
        self._tickets = count(1)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with a world's id whenever its time or its jobs have moved."""
        self._listeners.append(listener)

    def notify(self, world_id: str) -> None:
        """Call every listener with *world_id*."""
        for listener in self._listeners:
            listener(world_id)

    # Reading clocks

    def now_ms(self, world: World) -> int:
        """The world's time, in milliseconds since 1970."""
        outside_ms = self.outside_ms(world.clock.mode)
        now_ms = world.clock.now_ms(outside_ms)
        if world.clock.mode is Mode.SYSTEM:
            # A program may set that time back. What happened here has happened, so the world's
            # time stands still until the program's catches up.
            world.clock = world.clock.at(now_ms, outside_ms)
        return now_ms

    def outside_ms(self, mode: Mode) -> int:
        """The time outside the world that a clock of *mode* follows."""
        return self._system_ms() if mode is Mode.SYSTEM else self.wall_ms()

    def wait_ms(self, world: World, until_ms: int) -> int | None:
        """Real milliseconds until *until_ms*; None if only an explicit advance gets there."""
        return world.clock.wall_wait_ms(until_ms, self.outside_ms(world.clock.mode))

    def instant(
        self,
        world: World,
        provider_id: str,
        *,
        now_ms: int | None = None,
        base_url: str = "",
        number: int = 0,
    ) -> Instant:
        """*world* as one provider sees it at *now_ms*, or now."""
        return Instant(
            rows=self._store,
            contract=self._contracts[provider_id].under(world.settings.choices),
            world=world,
            now_ms=now_ms if now_ms is not None else self.now_ms(world),
            base_url=base_url,
            number=number,
        )

    # Running what is due

    def settle(self, world: World, now_ms: int | None = None) -> int:
        """Run everything that is due by *now_ms* (or now), in order, each at its own due time.

        Returns that time. Webhooks leave once the caller's transaction is committed.

        Raises:
            MockError: more than 100,000 effects were due.
        """
        until_ms = now_ms if now_ms is not None else self.now_ms(world)
        self._run_due(world, until_ms, pauses=False)
        return until_ms

    def settled(self, world: World, provider_id: str, base_url: str = "") -> Instant:
        """*world* as one provider sees it now, once everything due has run."""
        return self.instant(world, provider_id, now_ms=self.settle(world), base_url=base_url)

    def _run_due(self, world: World, until_ms: int, *, pauses: bool) -> int | None:
        """Run what is due. If it *pauses*, stop after the due time of the first webhook attempt.

        Returns that due time, or None when everything has run.
        """
        attempts: list[Attempt] = []
        for _ in range(FIRES_PER_ADVANCE_MAX):
            effect = self._store.next_effect(world.id)
            if effect is None or effect.due_ms > until_ms:
                break
            if pauses and attempts and effect.due_ms > attempts[0].due_ms:
                break
            self._store.remove_effect(world.id, effect)
            provider_id, kind, id_ = effect.subject.split("/", 2)
            ctx = self.instant(world, provider_id, now_ms=effect.due_ms)
            if effect.kind != outbox.EFFECT:
                # Imported here because a test run makes most of its worlds before it needs what a
                # provider's functions load.
                from .steps import take_step

                take_step(self.providers[provider_id], ctx, kind, id_, effect)
            elif attempt := outbox.claim(ctx, id_, next(self._tickets)):
                attempts.append(attempt)
        else:
            raise MockError(f"more than {FIRES_PER_ADVANCE_MAX} events in one advance")
        if attempts and self._dispatcher is not None:
            self._store.after_commit(partial(self._dispatcher.send, world.id, attempts))
        return attempts[0].due_ms if attempts and pauses else None

    # Webhooks under way

    def set_dispatcher(self, dispatcher: Dispatcher) -> None:
        """Let *dispatcher* send the attempts that fall due; without one they stay claimed."""
        self._dispatcher = dispatcher

    def wait_for_outcomes(self, world: World) -> None:
        """Block until no webhook of *world* is being sent. Not for use inside a transaction."""
        if self._dispatcher is not None:
            self._dispatcher.wait(world.id)

    # Moving clocks

    @contextmanager
    def moving(self, world: World) -> Generator[None, None, None]:
        """One transaction that changes the clock or the jobs of *world*, then notifies listeners.

        An exception restores the clock and the settings.
        """
        with self._store.request():
            before = replace(world)
            try:
                yield
                self._store.save_world(world.id, world.seed, world.to_json())
            except BaseException:
                world.clock, world.settings = before.clock, before.settings
                raise
            self._store.after_commit(partial(self.notify, world.id))

    def advance(self, world: World, *, to_ms: int) -> list[Event]:
        """Move the clock forward to *to_ms* and return what happened on the way.

        The clock pauses at each time at which a webhook is sent until the outcome is known: a retry
        is then due in time, and a receiver that asks back sees that instant.

        Raises:
            MockError: backwards, more than 400 days, or too many events.
        """
        return self.advance_by(world, to_ms - self.now_ms(world))

    def advance_by(self, world: World, by_ms: int) -> list[Event]:
        """Move the clock forward by *by_ms*, as `advance` does.

        A running clock may be past an absolute time by the time the call is handled; this is not
        affected by that.
        """
        if by_ms < 0:
            raise MockError("a clock moves forward only; reset the world to start over")
        if by_ms > ADVANCE_MAX_MS:
            raise MockError("a clock moves at most 400 days at a time")
        to_ms = self.now_ms(world) + by_ms
        with self._store.request():
            since = self._store.last_event_seq(world.id)
        for _ in range(FIRES_PER_ADVANCE_MAX):
            self.wait_for_outcomes(world)
            with self.moving(world):
                paused_ms = self._run_due(world, to_ms, pauses=True)
                self._stand_at(world, to_ms if paused_ms is None else paused_ms)
            if paused_ms is None:
                break
        with self._store.request():
            return self._store.events(world.id, since=since, limit=FIRES_PER_ADVANCE_MAX)

    def _stand_at(self, world: World, at_ms: int) -> None:
        outside_ms = self.outside_ms(world.clock.mode)
        world.clock = world.clock.at(max(at_ms, world.clock.now_ms(outside_ms)), outside_ms)

    def advance_to_next(self, world: World) -> list[Event]:
        """Move the clock to the next due effect. Does nothing if none is pending."""
        due_ms = self._next_due_ms(world)
        if due_ms is None:
            return []
        return self.advance_by(world, max(0, due_ms - self.now_ms(world)))

    def advance_until_idle(self, world: World) -> list[Event]:
        """Move the clock until nothing is pending, 400 days at most."""
        limit_ms = self.now_ms(world) + ADVANCE_MAX_MS
        fired: list[Event] = []
        for _ in range(FIRES_PER_ADVANCE_MAX):
            due_ms = self._next_due_ms(world)
            if due_ms is None or due_ms > limit_ms or len(fired) > FIRES_PER_ADVANCE_MAX:
                break
            fired += self.advance_by(world, max(0, due_ms - self.now_ms(world)))
        return fired

    def _next_due_ms(self, world: World) -> int | None:
        # The outcome of an attempt may make a retry due, so it must be known first.
        self.wait_for_outcomes(world)
        with self._store.request():
            effect = self._store.next_effect(world.id)
        return effect.due_ms if effect is not None else None

    def jump(self, world: World) -> None:
        """Move the clock to the next step of any job, inside the caller's transaction."""
        effect = self._store.next_of_kind(world.id, "step")
        if effect is not None:
            self.settle(world, effect.due_ms)
            self._stand_at(world, effect.due_ms)
            self._store.save_world(world.id, world.seed, world.to_json())
            self._store.after_commit(partial(self.notify, world.id))

    def set_clock(self, world: World, mode: Mode, speed: float) -> None:
        """Change what moves the clock. The world's time stays the same."""
        with self.moving(world):
            now_ms = self.settle(world)
            world.clock = Clock(mode, now_ms, self.outside_ms(mode), speed)
