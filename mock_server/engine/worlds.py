"""All worlds of a process: making, finding, resetting, restoring and ending them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError

from ..kernel.clock import Clock
from ..kernel.errors import MockError, unknown
from ..kernel.rows import Settings, WorldRow
from ..kernel.snapshots import Head, Line
from ..store.store import Store
from ..store.working_set import WorkingSet
from . import outbox
from .accounts import Accounts
from .snapshot_keys import NewKey, are_taken, renew_keys
from .timekeeper import Timekeeper, WallClock
from .webhooks import Webhooks
from .world import Plan, World, check_world

if TYPE_CHECKING:
    from .provider import Provider

DEFAULT_WORLD = "default"
#: Every world keeps its rows in memory, and parallel tests need far fewer.
WORLDS_MAX = 200


class Worlds:
    """All worlds of one process, over one store.

    *clocks* moves their clocks, *accounts* has their accounts, *webhooks* records deliveries.
    *wall_ms* and *system_ms* are the two clocks of the `Timekeeper`. With *is_strict*, a reply of
    the mock that breaks the contract becomes a 500; otherwise it is sent with a warning.
    With *refuses_unbehaved* an operation that no behaviour file names is answered 501.
    """

    def __init__(
        self,
        store: Store,
        contracts: Sequence[Contract],
        wall_ms: WallClock,
        system_ms: WallClock | None = None,
        *,
        is_strict: bool = True,
        refuses_unbehaved: bool = False,
    ) -> None:
        self.store = store
        self.is_strict = is_strict
        self.refuses_unbehaved = refuses_unbehaved
        self.contracts = {contract.provider: contract for contract in contracts}
        self.clocks = Timekeeper(self.contracts, wall_ms, system_ms, number=store.keeper.number)
        self.accounts = Accounts(self.clocks)
        self.webhooks = Webhooks(self.clocks, self.find)
        self._open: dict[str, World] = {}
        # The verdict of a run counts what happened in worlds that no longer exist.
        self._before_end: list[Callable[[World], None]] = []
        store.on_load(self._begin_again)
        store.on_change(self._renew, lambda rows: self._open.pop(rows.id, None))
        self._look()
        store.keeper.listen(self._on_change)

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The functions of the providers, loaded when first asked for."""
        return self.clocks.providers

    def contract(self, provider_id: str) -> Contract:
        """The contract of a served provider.

        Raises:
            MockError: the provider is unknown or not served.
        """
        if provider_id not in self.contracts:
            raise unknown("provider", provider_id, self.contracts, status=422)
        return self.contracts[provider_id]

    def get(self, world_id: str) -> World:
        """The world called *world_id*, with its rows as they are now.

        Raises:
            MockError: there is no such world.
        """
        world = self.find(world_id)
        # Beginning a transaction may show that another process has reset or deleted the world.
        if world is not None and not world.rows.is_quick:
            with world.rows.transaction():
                world = self._open.get(world_id)
        if world is None:
            raise unknown("world", world_id, list(self._open)[:20])
        return world

    def find(self, world_id: str) -> World | None:
        """The world called *world_id*, if it exists."""
        world = self._open.get(world_id)
        if world is None and self.store.keeper.is_shared:
            self._look()
            world = self._open.get(world_id)
        return world

    def all(self) -> list[World]:
        """Every world."""
        if self.store.keeper.is_shared:
            self._look()
        return list(self._open.values())

    def _look(self) -> None:
        """Find the worlds that other processes have made."""
        self.store.look()
        for rows in self.store.worlds():
            if rows.id not in self._open:
                self._renew(rows)

    def create(self, plan: Plan, world_id: str | None = None) -> World:
        """A new world, with one account per provider.

        Raises:
            MockError: there are too many worlds.
        """
        if len(self.all()) >= WORLDS_MAX:
            raise MockError(
                f"more than {WORLDS_MAX} worlds; delete some first", code="too_many", status=409
            )
        # A restored world may have the keys that a new world of its old name would mint.
        homes = {world.home for world in self.all()} - {DEFAULT_WORLD}
        rows = self.store.add(world_id, homes)
        try:
            with rows.transaction():
                # Another process may have been first.
                return self._renew(rows) if rows.has_begun else self._begin(rows, plan)
        # Also after Ctrl+C: a world that has not begun must not keep its name.
        except BaseException:
            self._open.pop(rows.id, None)
            self.store.drop(rows.id)
            raise

    def _begin(self, rows: WorkingSet, plan: Plan) -> World:
        wall_ms = self.clocks.outside_ms(plan.mode)
        now_ms = plan.now_ms if plan.now_ms is not None else wall_ms
        rows.save_world(
            WorldRow(
                id=rows.id,
                seed=plan.seed,
                clock=Clock(plan.mode, now_ms, wall_ms, plan.speed),
                home=rows.id,
                settings=Settings(
                    plan.pace,
                    has_magic=plan.has_magic,
                    has_fault_header=plan.has_fault_header,
                    label=plan.label,
                ),
                first=plan.to_json(),
            )
        )
        # Known to other threads after the commit only, so that a failed one leaves no world.
        world = World(rows)
        self._add_first_accounts(world)
        rows.after_commit(partial(self._open.__setitem__, rows.id, world))
        return world

    def _add_first_accounts(self, world: World) -> None:
        """Add an account of each provider that has none."""
        # A file may be older than a contract that is served now.
        known = {account.provider for account in world.rows.accounts.of_world()}
        for provider_id in (it for it in self.contracts if it not in known):
            self.accounts.add(world, provider_id, credits=world.first.credits.get(provider_id))

    def set_readings(self, world: World, readings: Mapping[str, str]) -> None:
        """Switch interpretations of *world*, by `provider.interpretation`.

        Raises:
            MockError: the rules of these readings contradict each other.
        """
        with self.clocks.moving(world):
            merged = {**world.settings.choices, **readings}
            try:
                # Compiled now, so that a contradiction is an error of this call and not of the
                # next request.
                for contract in self.contracts.values():
                    contract.under(merged)
            except ContractError as error:
                raise MockError(
                    f"these readings contradict each other: {error}", code="unknown_reading"
                ) from None
            world.settings = replace(world.settings, choices=merged)

    def before_end(self, listener: Callable[[World], None]) -> None:
        """Call *listener* with each world that is about to be deleted or reset."""
        self._before_end.append(listener)

    def _announce_end(self, world: World) -> None:
        for listener in self._before_end:
            listener(world)

    def reset(self, world: World) -> World:
        """*world* as it was when it began."""
        with world.rows.transaction():
            self._announce_end(world)
            # Read before the rows are cleared, which hold it.
            plan = world.first
            world.rows.clear()
            begun = self._begin(world.rows, plan)
        self.clocks.notify(world.id)
        return begun

    def restore(
        self, world: World, head: Head, lines: Sequence[Line]
    ) -> tuple[World, list[NewKey]]:
        """*world* with the content of a snapshot, but its own label; and the keys that are new.

        Its clock continues at the time of the snapshot. If another world has one of the snapshot's
        keys, all of them are minted again.

        Raises:
            MockError: the rows are invalid; the world is unchanged.
        """
        check_world(head.world)
        rows, new_keys = world.rows, list[NewKey]()
        with rows.transaction():
            rows.clear()
            outside_ms = self.clocks.outside_ms(head.world.clock.mode)
            clock = replace(head.world.clock, base_ms=head.now_ms, wall_ms=outside_ms)
            # The label belongs to this world, such as the running test, and not to the snapshot.
            label = world.settings.label
            rows.save_world(
                replace(
                    head.world,
                    id=world.id,
                    clock=clock,
                    settings=replace(head.world.settings, label=label),
                    first={**head.world.first, "label": label},
                )
            )
            again = World(rows)
            if are_taken(rows, lines):
                # Keys are minted from the id of a world, so these differ from the snapshot's.
                rows.save_world(replace(rows.world, home=world.id))
                lines, new_keys = renew_keys(lines, partial(self.clocks.instant, again))
            rows.restore(lines)
            self._take_back(again)
            rows.after_commit(partial(self._open.__setitem__, rows.id, again))
        self.clocks.notify(world.id)
        return again, new_keys

    def _renew(self, rows: WorkingSet) -> World:
        """A new `World` over *rows*, without the state that this process had of the old one."""
        world = self._open[rows.id] = World(rows)
        return world

    def _begin_again(self, rows: WorkingSet) -> None:
        """Prepare a world that was loaded: its file may be older than a provider."""
        world = self._renew(rows)
        self._add_first_accounts(world)
        self._take_back(world)

    def overdue(self) -> list[World]:
        """Worlds with overdue effects that no process has run.

        Raises:
            NotKeptError: the keeper cannot be read.
        """
        return [world for it in self.store.overdue() if (world := self.find(it)) is not None]

    def catch_up(self, world: World) -> None:
        """Run what is due in *world*, and the webhooks claimed by a process that has ended."""
        with world.rows.transaction():
            self._take_back(world)
            self.clocks.settle(world)

    def _on_change(self, world_id: str) -> None:
        # An empty id means that any world may have changed.
        for name in [world_id] if world_id else [*self._open]:
            self.clocks.notify_of_others(name)

    def _take_back(self, world: World) -> None:
        """Make webhook attempts due again that a process claimed and never finished."""
        is_shared, wall_ms = world.rows.is_shared, self.clocks.wall_ms()
        for delivery in world.rows.deliveries.claimed():
            # Another process may still be sending it, until its claim ends.
            if is_shared and (delivery.claimed_until_ms or 0) > wall_ms:
                continue
            if delivery.provider in self.contracts:
                outbox.take_back(self.clocks.instant(world, delivery.provider), delivery)

    def delete(self, world: World) -> None:
        """End *world* and delete everything in it.

        Raises:
            MockError: it is the default world, which always exists.
        """
        if world.id == DEFAULT_WORLD:
            raise MockError("the default world cannot be deleted; reset it instead", status=409)
        # Under the lock of the world: a call that waits for it then finds the world gone.
        with world.rows.transaction():
            self._announce_end(world)
            self.store.delete(world.id)
            del self._open[world.id]
        self.clocks.notify(world.id)
