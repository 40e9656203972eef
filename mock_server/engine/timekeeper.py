"""The time of worlds: reading their clocks, moving them, and running what falls due."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from types import ModuleType

from screentest.specs.contracts.contract import Contract

from ..kernel.clock import ADVANCE_MAX_MS, FIRES_PER_ADVANCE_MAX, Clock, Mode
from ..kernel.errors import MockError
from ..kernel.rows import Effect, Event
from ..kernel.webhooks import Attempt, Dispatcher
from ..store.claims import CLAIM_MS, first_ticket, wait_for_others
from . import outbox
from .instant import Instant
from .provider_modules import Providers
from .world import World

WallClock = Callable[[], int]

#: Effects that an advance runs in one transaction: other calls of the world come in between.
_EFFECTS_PER_TRANSACTION = 256

#: Effects that the server's own thread runs at a time: they take a few milliseconds.
_EFFECTS_PER_LOOK = 64


class Timekeeper:
    """The time of all worlds.

    *wall_ms* reads the machine's clock. *system_ms* reads what a program in this process would see,
    which freezegun and time-machine change. Nothing below this class reads either. *number* tells
    this process from the others that have the same worlds.
    """

    def __init__(
        self,
        contracts: Mapping[str, Contract],
        wall_ms: WallClock,
        system_ms: WallClock | None = None,
        *,
        number: int = 0,
    ) -> None:
        self.providers = Providers(contracts)
        self.wall_ms = wall_ms
        self._contracts = contracts
        self._system_ms = system_ms or wall_ms
        self._listeners: list[Callable[[str], None]] = []
        self._listeners_here: list[Callable[[str], None]] = []
        self._dispatcher: Dispatcher | None = None
        self._number = number
        self._tickets = count(first_ticket(number))

    def listen(self, listener: Callable[[str], None], *, here: bool = False) -> None:
        """Call *listener* with a world's id whenever its time or its jobs have moved.

        With *here*, what other processes have moved does not count.
        """
        (self._listeners_here if here else self._listeners).append(listener)

    def notify(self, world_id: str) -> None:
        """Call every listener with *world_id*."""
        self.notify_of_others(world_id)
        for listener in self._listeners_here:
            listener(world_id)

    def notify_of_others(self, world_id: str) -> None:
        """Tell listeners that another process may have moved the world *world_id*."""
        for listener in self._listeners:
            listener(world_id)

    # Reading clocks

    def now_ms(self, world: World) -> int:
        """The world's time, in milliseconds since 1970."""
        clock = world.clock
        now_ms = clock.now_ms(self.outside_ms(clock.mode))
        # The outside clock may be set back, but a world's time never goes back: it stops until
        # the outside clock has caught up.
        if now_ms < world.latest_ms:
            return world.latest_ms
        world.latest_ms = now_ms
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
            contract=self._contracts[provider_id].under(world.settings.choices),
            world=world,
            at_ms=now_ms if now_ms is not None else self.now_ms(world),
            base_url=base_url,
            request=number,
        )

    # Running what is due

    def settle(self, world: World, now_ms: int | None = None) -> int:
        """Run everything that is due by *now_ms* (or now), in order, each at its own due time.

        Returns that time. Webhooks leave once the caller's transaction is committed.

        Raises:
            MockError: more than 100,000 effects were due.
        """
        until_ms = now_ms if now_ms is not None else self.now_ms(world)
        # One more than the bound, so that exactly the bound is not an error.
        count, _ = self._run_due(world, until_ms, FIRES_PER_ADVANCE_MAX + 1)
        if count > FIRES_PER_ADVANCE_MAX:
            raise _too_many()
        return until_ms

    def settle_some(self, world: World) -> None:
        """Run what is due now, up to `_EFFECTS_PER_LOOK`: other calls do not wait for the rest."""
        self._run_due(world, self.now_ms(world), _EFFECTS_PER_LOOK)

    def settled(self, world: World, provider_id: str, base_url: str = "") -> Instant:
        """*world* as one provider sees it now, once everything due has run."""
        return self.instant(world, provider_id, now_ms=self.settle(world), base_url=base_url)

    def _run_due(
        self, world: World, until_ms: int, count_max: int, *, pauses: bool = False
    ) -> tuple[int, int]:
        """Run up to *count_max* effects that are due: their number, and when the last was due.

        If it *pauses*, it stops after the due time of the first webhook attempt.
        """
        attempts: list[Attempt] = []
        effects, count, last_ms = world.rows.effects, 0, 0
        while count < count_max:
            # Removed first: a subject has one effect, and running this one may schedule the next.
            effect = effects.take(until_ms)
            if effect is None:
                break
            count, last_ms = count + 1, effect.due_ms
            attempt = self._run(world, effect)
            if attempt is not None:
                attempts.append(attempt)
                until_ms = effect.due_ms if pauses else until_ms
        if attempts and self._dispatcher is not None:
            # After the commit: a receiver may call back at once, and must find the job as sent.
            world.rows.after_commit(partial(self._dispatcher.send, world.id, attempts))
        return count, last_ms

    def _run(self, world: World, effect: Effect) -> Attempt | None:
        """Let *effect* happen at its own due time; the webhook attempt if it is one."""
        provider_id, kind, id_ = effect.subject.split("/", 2)
        ctx = self.instant(world, provider_id, now_ms=effect.due_ms)
        if effect.kind == outbox.EFFECT:
            return outbox.claim(ctx, id_, next(self._tickets), self.wall_ms() + CLAIM_MS)
        _steps().take_step(self.providers[provider_id], ctx, kind, id_, effect)
        return None

    # Webhooks under way

    def set_dispatcher(self, dispatcher: Dispatcher) -> None:
        """Let *dispatcher* send the attempts that fall due; without one they stay claimed."""
        self._dispatcher = dispatcher

    def wait_for_outcomes(self, world: World) -> None:
        """Block until no webhook of *world* is being sent. Not for use inside a transaction."""
        if self._dispatcher is not None:
            self._dispatcher.wait(world.id)
        # Other processes of the same database send webhooks of this world too.
        if world.rows.is_shared:
            wait_for_others(world.rows, self._listeners, self.wall_ms, self._number)

    # Moving clocks

    @contextmanager
    def moving(self, world: World) -> Generator[None, None, None]:
        """One transaction that changes the clock or the jobs of *world*; then tell listeners."""
        with world.rows.transaction():
            yield
            world.rows.after_commit(partial(self.notify, world.id))

    def advance(self, world: World, *, to_ms: int) -> list[Event]:
        """Move the clock forward to *to_ms* and return what happened on the way.

        The clock pauses at each time at which a webhook is sent until the outcome is known: a retry
        is then due in time, and a receiver that calls the mock sees that instant. It also pauses
        after a few hundred effects, so that other calls do not wait for all of them.

        Raises:
            MockError: backwards, more than 400 days, or too many events.
        """
        with world.rows.transaction():
            _check_distance(to_ms - self.now_ms(world))
            # Concurrent advances add up, so each one records where it will end for the next.
            world.goal_ms = max(world.goal_ms, to_ms)
        return self._advance(world, to_ms)

    def advance_by(self, world: World, by_ms: int) -> list[Event]:
        """Move the clock forward by *by_ms*, as `advance` does.

        Concurrent calls add up: each begins where those under way will end.
        """
        _check_distance(by_ms)
        with world.rows.transaction():
            to_ms = world.goal_ms = max(self.now_ms(world), world.goal_ms) + by_ms
        return self._advance(world, to_ms)

    def advance_to_next(self, world: World, *, within_ms: int | None = None) -> list[Event]:
        """Move the clock to the next due effect, but by *within_ms* at most.

        Without *within_ms*, does nothing if no effect is pending.
        """
        # The outcome of an attempt may make a retry due, so it must be known first.
        self.wait_for_outcomes(world)
        with world.rows.transaction():
            effect = world.rows.effects.next()
            now_ms = self.now_ms(world)
        goals_ms = [effect.due_ms] if effect is not None else []
        if within_ms is not None:
            goals_ms.append(now_ms + within_ms)
        return self._advance(world, max(now_ms, min(goals_ms))) if goals_ms else []

    def advance_until_idle(self, world: World) -> list[Event]:
        """Move the clock until nothing is pending, 400 days at most."""
        return self._advance(world, self.now_ms(world) + ADVANCE_MAX_MS, until_idle=True)

    def _advance(self, world: World, to_ms: int, *, until_idle: bool = False) -> list[Event]:
        """Move the clock to *to_ms*; *until_idle* to the last effect before it."""
        # Events of other calls in between belong to this advance: they happened on its way.
        since, count = world.rows.events.last_seq, 0
        try:
            while ran := self._advance_a_little(world, to_ms, until_idle=until_idle):
                count += ran
                if count > FIRES_PER_ADVANCE_MAX and until_idle:
                    break
                if count > FIRES_PER_ADVANCE_MAX:
                    raise _too_many()
                world.rows.let_others_in()
        except BaseException:
            # The clock has not reached this goal, so `advance_by` must not begin there.
            world.goal_ms = 0
            raise
        with world.rows.transaction():
            return world.rows.events.page(since=since, limit=FIRES_PER_ADVANCE_MAX)

    def _advance_a_little(self, world: World, to_ms: int, *, until_idle: bool) -> int:
        """Run some of what is due by *to_ms*: how many effects. 0 once the clock has arrived."""
        self.wait_for_outcomes(world)
        with self.moving(world):
            count, last_ms = self._run_due(world, to_ms, _EFFECTS_PER_TRANSACTION, pauses=True)
            if count:
                self._set_time(world, last_ms)
            elif not until_idle:
                self._set_time(world, to_ms)
            return count

    def _set_time(self, world: World, at_ms: int) -> None:
        # Another call may have moved the clock further meanwhile, and it never goes back.
        outside_ms = self.outside_ms(world.clock.mode)
        world.clock = world.clock.at(max(at_ms, self.now_ms(world)), outside_ms)

    def jump(self, world: World) -> None:
        """Move the clock to the next step of any job, inside the caller's transaction."""
        effect = world.rows.effects.next("step")
        # Steps of jobs only: a poll does not wait for the retry of a webhook.
        if effect is not None:
            self.settle(world, effect.due_ms)
            self._set_time(world, effect.due_ms)
            world.rows.after_commit(partial(self.notify, world.id))

    def set_clock(self, world: World, mode: Mode, speed: float) -> None:
        """Change what moves the clock. The world's time stays the same."""
        with self.moving(world):
            # What is due by the old clock happens before the new one begins.
            now_ms = self.settle(world)
            world.clock = Clock(mode, now_ms, self.outside_ms(mode), speed)


@cache
def _steps() -> ModuleType:
    # Loaded here because a test run makes most of its worlds before it needs what a provider's
    # functions load; and once, because an import statement takes a microsecond of each effect.
    from . import steps

    return steps


def _check_distance(by_ms: int) -> None:
    if by_ms < 0:
        raise MockError("a clock moves forward only; reset the world to start over")
    if by_ms > ADVANCE_MAX_MS:
        raise MockError("a clock moves at most 400 days at a time")


def _too_many() -> MockError:
    return MockError(f"more than {FIRES_PER_ADVANCE_MAX} events in one advance")
