"""All worlds of a process: making and ending them, their accounts, and their time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from msgspec.structs import replace

from screentest.specs.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

from ..kernel.clock import ADVANCE_MAX_MS, FIRES_PER_ADVANCE_MAX, Clock, Mode
from ..kernel.errors import MockError, unknown
from ..kernel.rows import Account, Event, Resource
from ..kernel.webhooks import Attempt, Dispatcher, Report, WebhookRequest
from ..store.sqlite import Store
from . import outbox
from .instant import Instant, Settings
from .keys import CONTROL_NAME, first_keys, first_of_kind, mint_key
from .provider_modules import Providers
from .snapshot_keys import Line, NewKey, are_taken, renew_keys
from .world import Plan, World, read_world

if TYPE_CHECKING:
    from .provider import Provider

WallClock = Callable[[], int]

DEFAULT_WORLD = "default"
WORLDS_MAX = 200
ACCOUNTS_MAX = 10_000
#: What an account of a provider without credits is given, so that nothing there can be too dear.
_UNMETERED = 0


class Worlds:
    """All worlds of one process, over one store.

    *wall_ms* reads the machine's clock, and *system_ms* what a program of this process would read
    (freezegun and time-machine change that one); nothing below this class reads either.
    """

    def __init__(
        self,
        store: Store,
        contracts: Sequence[Contract],
        wall_ms: WallClock,
        system_ms: WallClock | None = None,
    ) -> None:
        self.store = store
        self.contracts = {contract.provider: contract for contract in contracts}
        self.providers: Mapping[str, Provider] = Providers()
        self.wall_ms = wall_ms
        self._system_ms = system_ms or wall_ms
        self._open: dict[str, World] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._courier: Dispatcher | None = None
        self._tickets = count(1)
        with store.request():
            for id_, seed, raw in store.worlds():
                world = World.from_json(id_, seed, raw)
                world.requests = store.last_journal_seq(id_)
                self._open[id_] = world
                self._add_first_accounts(world)
                self._take_back(world)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with a world's id whenever its time or its jobs have moved."""
        self._listeners.append(listener)

    def _notify(self, world: str) -> None:
        for listener in self._listeners:
            listener(world)

    # Making and ending

    def create(self, plan: Plan, world_id: str | None = None) -> World:
        """A new world, with one account per provider.

        Raises:
            MockError: there are too many worlds already.
        """
        if len(self._open) >= WORLDS_MAX:
            raise MockError(
                f"more than {WORLDS_MAX} worlds; delete some first", code="too_many", status=409
            )
        with self.store.request():
            # A world that was restored may have the keys that its namesake of old would begin with.
            homes = {world.home for world in self._open.values()}
            while world_id is None or (world_id in homes and world_id != DEFAULT_WORLD):
                world_id = f"w_{self.store.count('', 'world')}"
            return self._begin(world_id, plan)

    def _begin(self, world_id: str, plan: Plan) -> World:
        wall_ms = self.outside_ms(plan.mode)
        now_ms = plan.now_ms if plan.now_ms is not None else wall_ms
        clock = Clock(plan.mode, now_ms, wall_ms, plan.speed)
        settings = Settings(plan.pace, has_magic=plan.has_magic)
        world = World(world_id, plan.seed, clock, world_id, settings, plan.to_json())
        self.store.save_world(world_id, plan.seed, world.to_json())
        self._open[world_id] = world
        self._add_first_accounts(world)
        return world

    def _add_first_accounts(self, world: World) -> None:
        """One account of each provider that has none, as a file may have been kept without it."""
        known = {account.provider for account in self.store.accounts(world.id)}
        for name in (it for it in self.contracts if it not in known):
            self.add_account(world, name, credits=world.first["credits"].get(name))

    def reset(self, world: World) -> World:
        """Put *world* back to its first moment."""
        with self.store.request():
            self.store.clear_world(world.id)
            begun = self._begin(world.id, Plan.from_json(world.first))
        self._notify(world.id)
        return begun

    def restore(self, world: World, head: Json, rows: Sequence[Line]) -> tuple[World, list[NewKey]]:
        """Make *world* what a snapshot's *head* and *rows* say. Its clock goes on from there.

        If another world has any of its keys, all of them are made anew, and returned.

        Raises:
            MockError: the rows cannot be; the world stays what it was.
        """
        with self.store.request():
            # What waits in memory would not come back with a rollback.
            self.store.flush()
        with self.store.request():
            again, new_keys = read_world(world.id, head), list[NewKey]()
            if are_taken(self.store, world.id, rows):
                again.home = world.id
                rows, new_keys = renew_keys(self.store, rows, partial(self.instant, again))
            self.store.clear_world(world.id)
            self.store.load_world(world.id, rows)
            outside_ms = self.outside_ms(again.clock.mode)
            again.clock = replace(again.clock, base_ms=head["now_ms"], wall_ms=outside_ms)
            again.requests = self.store.last_journal_seq(world.id)
            self.store.save_world(world.id, again.seed, again.to_json())
            self._take_back(again)
            self._open[world.id] = again
        self._notify(world.id)
        return again, new_keys

    def delete(self, world: World) -> None:
        """End *world* and everything of it.

        Raises:
            MockError: it is the default world, which always exists.
        """
        if world.id == DEFAULT_WORLD:
            raise MockError("the default world cannot be deleted; reset it instead", status=409)
        with self.store.request():
            self.store.delete_world(world.id)
            del self._open[world.id]
        self._notify(world.id)

    def get(self, world_id: str) -> World:
        """The world called *world_id*.

        Raises:
            MockError: there is none.
        """
        world = self._open.get(world_id)
        if world is None:
            raise unknown("world", world_id, list(self._open)[:20])
        return world

    def find(self, world_id: str) -> World | None:
        return self._open.get(world_id)

    def all(self) -> list[World]:
        return list(self._open.values())

    # Accounts

    def add_account(
        self, world: World, provider: str, *, credits: int | None = None, tier: str | None = None
    ) -> tuple[Account, dict[str, str]]:
        """A new account with its keys, by kind. *credits* None gives what the provider gives.

        Raises:
            MockError: unknown provider or tier, or too many accounts.
        """
        contract = self.contract(provider)
        behaviour = contract.behaviour
        tier = tier if tier is not None else behaviour.tiers[0]
        if tier not in behaviour.tiers:
            raise unknown("tier", tier, behaviour.tiers, status=422)
        ctx = self.instant(world, provider)
        number = self.store.count(world.id, "account")
        if number > ACCOUNTS_MAX:
            raise MockError(f"more than {ACCOUNTS_MAX} accounts", code="too_many", status=409)
        account = Account(f"acct_{number}", provider, tier, 0, 0, 0, 0, ctx.now_ms)
        self.store.add_account(world.id, account)
        first = behaviour.initial_credits if credits is None else credits
        ctx.ledger.set_available(account.id, first or _UNMETERED, ctx.now_ms)
        keys: dict[str, str] = {}
        for credential in first_of_kind(behaviour):
            _, keys[credential.key_kind] = mint_key(ctx, account.id, credential, CONTROL_NAME)
        return self.account(world, account.id), keys

    def first_keys(self, world: World, provider: str) -> dict[str, str]:
        """The raw keys of a world's first account of *provider*, by kind.

        Raw keys are not kept; those of the first account are minted again from the seed.
        """
        return first_keys(replace(self.instant(world, provider), world=world.home))

    def choose(self, world: World, choices: Mapping[str, str]) -> None:
        """Switch readings of silent documents, by `provider.interpretation`.

        Raises:
            MockError: what they put in place of the rules does not go together.
        """
        with self.moving(world):
            merged = {**world.settings.choices, **choices}
            try:
                for contract in self.contracts.values():
                    contract.under(merged)
            except ContractError as error:
                raise MockError(
                    f"these readings do not go together: {error}", code="unknown_reading"
                ) from None
            world.settings = replace(world.settings, choices=merged)

    def account(self, world: World, account: str) -> Account:
        """The account called *account*.

        Raises:
            MockError: there is none in this world.
        """
        found = self.store.account(world.id, account)
        if found is None:
            known = [it.id for it in self.store.accounts(world.id)][:20]
            raise unknown("account", account, known)
        return found

    def contract(self, provider: str) -> Contract:
        if provider not in self.contracts:
            raise unknown("provider", provider, self.contracts, status=422)
        return self.contracts[provider]

    # Time

    def now_ms(self, world: World) -> int:
        """The world's time, in milliseconds since 1970."""
        outside_ms = self.outside_ms(world.clock.mode)
        now_ms = world.clock.now_ms(outside_ms)
        if world.clock.mode is Mode.SYSTEM:
            # Programs set that time back; what has happened here stays, so time waits for them.
            world.clock = world.clock.at(now_ms, outside_ms)
        return now_ms

    def outside_ms(self, mode: Mode) -> int:
        """The time outside the world that a clock of *mode* goes by."""
        return self._system_ms() if mode is Mode.SYSTEM else self.wall_ms()

    def wait_ms(self, world: World, until_ms: int) -> int | None:
        """Real milliseconds until *until_ms*; None if only an act gets there."""
        return world.clock.wall_wait_ms(until_ms, self.outside_ms(world.clock.mode))

    def instant(
        self,
        world: World,
        provider: str,
        *,
        now_ms: int | None = None,
        base_url: str = "",
        number: int = 0,
    ) -> Instant:
        """*world* as seen by one provider at *now_ms*, or now."""
        return Instant(
            rows=self.store,
            contract=self.contracts[provider].under(world.settings.choices),
            world=world.id,
            seed=world.seed,
            settings=world.settings,
            now_ms=now_ms if now_ms is not None else self.now_ms(world),
            base_url=base_url,
            number=number,
            speed=world.clock.own_speed,
        )

    def settle(self, world: World, now_ms: int) -> None:
        """Run everything that is due by *now_ms*, in order, each at its own instant.

        What is to be sent is sent once this transaction is committed.

        Raises:
            MockError: more than 100,000 things were due.
        """
        self._run_due(world, now_ms, pauses=False)

    def _run_due(self, world: World, until_ms: int, *, pauses: bool) -> int | None:
        """Run what is due; when it *pauses*, up to the instant of the first attempt to send.

        That instant is returned, or None when everything has run.
        """
        attempts: list[Attempt] = []
        for _ in range(FIRES_PER_ADVANCE_MAX):
            effect = self.store.next_effect(world.id)
            if effect is None or effect.due_ms > until_ms:
                break
            if pauses and attempts and effect.due_ms > attempts[0].due_ms:
                break
            self.store.remove_effect(world.id, effect)
            provider, kind, id_ = effect.subject.split("/", 2)
            ctx = self.instant(world, provider, now_ms=effect.due_ms)
            if effect.kind != outbox.EFFECT:
                # Not at the top: most worlds are made before anything of a provider is loaded.
                from .steps import take_step

                take_step(self.providers[provider], ctx, kind, id_, effect)
            elif attempt := outbox.claim(ctx, id_, next(self._tickets)):
                attempts.append(attempt)
        else:
            raise MockError(f"more than {FIRES_PER_ADVANCE_MAX} events in one advance")
        if attempts and self._courier is not None:
            self.store.after_commit(partial(self._courier.send, world.id, attempts))
        return attempts[0].due_ms if attempts and pauses else None

    @contextmanager
    def moving(self, world: World) -> Generator[None, None, None]:
        """A change of *world*'s clock or jobs: one transaction, then whoever waits is told."""
        with self.store.request():
            before = replace(world)
            try:
                yield
                self.store.save_world(world.id, world.seed, world.to_json())
            except BaseException:
                world.clock, world.settings = before.clock, before.settings
                raise
            self.store.after_commit(partial(self._notify, world.id))

    def advance(self, world: World, *, to_ms: int) -> list[Event]:
        """Move the clock forward to *to_ms* and return what fired on the way.

        It pauses wherever something is to be sent, with the clock at that instant, until the
        outcome is known: a retry is then due in time, and a receiver that asks sees that instant.

        Raises:
            MockError: backwards, more than 400 days, or too many events.
        """
        return self.advance_by(world, to_ms - self.now_ms(world))

    def advance_by(self, world: World, by_ms: int) -> list[Event]:
        """As `advance`, from now. A clock that runs may have passed any instant it was to go to."""
        if by_ms < 0:
            raise MockError("a clock moves forward only; reset the world to start over")
        if by_ms > ADVANCE_MAX_MS:
            raise MockError("a clock moves at most 400 days at a time")
        to_ms = self.now_ms(world) + by_ms
        with self.store.request():
            since = self.store.last_event_seq(world.id)
        for _ in range(FIRES_PER_ADVANCE_MAX):
            self.wait_for_outcomes(world)
            with self.moving(world):
                paused_ms = self._run_due(world, to_ms, pauses=True)
                self._stand_at(world, to_ms if paused_ms is None else paused_ms)
            if paused_ms is None:
                break
        with self.store.request():
            return self.store.events(world.id, since=since, limit=FIRES_PER_ADVANCE_MAX)

    def _stand_at(self, world: World, at_ms: int) -> None:
        outside_ms = self.outside_ms(world.clock.mode)
        world.clock = world.clock.at(max(at_ms, world.clock.now_ms(outside_ms)), outside_ms)

    def advance_to_next(self, world: World) -> list[Event]:
        """Move the clock to the next thing that is due; nothing if nothing is pending."""
        self.wait_for_outcomes(world)
        with self.store.request():
            effect = self.store.next_effect(world.id)
        if effect is None:
            return []
        return self.advance_by(world, max(0, effect.due_ms - self.now_ms(world)))

    def advance_until_idle(self, world: World) -> list[Event]:
        """Move the clock until nothing is pending, 400 days at most."""
        limit_ms = self.now_ms(world) + ADVANCE_MAX_MS
        fired: list[Event] = []
        for _ in range(FIRES_PER_ADVANCE_MAX):
            self.wait_for_outcomes(world)
            with self.store.request():
                effect = self.store.next_effect(world.id)
            if effect is None or effect.due_ms > limit_ms or len(fired) > FIRES_PER_ADVANCE_MAX:
                break
            fired += self.advance_by(world, max(0, effect.due_ms - self.now_ms(world)))
        return fired

    def jump(self, world: World) -> None:
        """Move the clock to the next step of any job, inside the caller's transaction."""
        effect = self.store.next_of_kind(world.id, "step")
        if effect is not None:
            self.settle(world, effect.due_ms)
            self._stand_at(world, effect.due_ms)
            self.store.save_world(world.id, world.seed, world.to_json())
            self.store.after_commit(partial(self._notify, world.id))

    def set_clock(self, world: World, mode: Mode, speed: float) -> None:
        """Change what moves the clock; the instant stays."""
        with self.moving(world):
            self.settle(world, self.now_ms(world))
            now_ms = self.now_ms(world)
            world.clock = Clock(mode, now_ms, self.outside_ms(mode), speed)

    # Webhooks

    def set_dispatcher(self, courier: Dispatcher) -> None:
        """Let *courier* carry out the attempts that fall due; without one they stay claimed."""
        self._courier = courier

    def letter(self, attempt: Attempt) -> WebhookRequest | None:
        """What *attempt* is to send; None when it was called off."""
        with self.store.request():
            world = self._open.get(attempt.world)
            if world is None:
                return None
            return outbox.letter(self._at(world, attempt), attempt, self.wall_ms())

    def finish(self, world_id: str, reports: Sequence[Report]) -> None:
        """Note what came of the attempts of one batch."""
        with self.store.request():
            world = self._open.get(world_id)
            if world is None:
                return
            for attempt, letter, outcome in reports:
                outbox.finish(self._at(world, attempt), attempt, letter, outcome)
        self._notify(world_id)

    def wait_for_outcomes(self, world: World) -> None:
        """Until nothing of *world* is being sent. Not to be called inside a transaction."""
        if self._courier is not None:
            self._courier.wait(world.id)

    def _at(self, world: World, attempt: Attempt) -> Instant:
        return self.instant(world, attempt.provider, now_ms=attempt.due_ms)

    def _take_back(self, world: World) -> None:
        for delivery in outbox.deliveries(self.store, world.id):
            if delivery.ticket is not None and delivery.provider in self.contracts:
                ctx = self.instant(world, delivery.provider)
                outbox.take_back(ctx, delivery)

    # Jobs

    def job(self, world: World, job_id: str) -> Resource:
        """The job called *job_id*; a provider's slashes may be written as underscores.

        Raises:
            MockError: there is none in this world.
        """
        found = self.store.jobs_called(world.id, job_id)
        if not found:
            children = (
                self.store.newest_child(world.id, name, kind, job_id)
                for name, contract in self.contracts.items()
                for kind, rules in contract.behaviour.resources.items()
                if rules.lifecycle is not None and rules.lifecycle.simulated and rules.parent
            )
            found = [it for it in children if it is not None and it.script is not None]
        if not found:
            known = [it.id for it in self.store.jobs(world.id, before_seq=None, limit=20)]
            raise unknown("job", job_id, known)
        return found[0]
