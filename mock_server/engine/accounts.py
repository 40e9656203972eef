"""The accounts of worlds, with their first keys."""

from __future__ import annotations

from ..kernel.errors import MockError, unknown
from ..kernel.rows import Account
from .keys import CONTROL_NAME, first_keys, first_of_kind, mint_key
from .timekeeper import Timekeeper
from .world import World

ACCOUNTS_MAX = 10_000
#: The balance of a new account of a provider without credits; none of its calls has a price.
_UNMETERED = 0


class Accounts:
    """The accounts of all worlds."""

    def __init__(self, clocks: Timekeeper) -> None:
        self._clocks = clocks

    def add(
        self, world: World, provider_id: str, *, credits: int | None = None, tier: str | None = None
    ) -> tuple[Account, dict[str, str]]:
        """A new account with its keys by kind. *credits* None gives the provider's amount.

        Raises:
            MockError: unknown tier, or too many accounts.
        """
        ctx = self._clocks.instant(world, provider_id)
        tiers = ctx.behaviour.tiers
        tier = tier if tier is not None else tiers[0]
        if tier not in tiers:
            raise unknown("tier", tier, tiers, status=422)
        number = world.rows.count("account")
        if number > ACCOUNTS_MAX:
            raise MockError(f"more than {ACCOUNTS_MAX} accounts", code="too_many", status=409)
        account = Account(f"acct_{number}", provider_id, tier, 0, 0, 0, 0, ctx.now_ms)
        world.rows.accounts.put(account)
        # The first balance is a grant as well: the ledger explains every credit.
        first = ctx.behaviour.initial_credits if credits is None else credits
        ctx.ledger.set_available(account.id, first or _UNMETERED, ctx.now_ms)
        keys: dict[str, str] = {}
        for credential in first_of_kind(ctx.behaviour):
            _, keys[credential.key_kind] = mint_key(ctx, account.id, credential, CONTROL_NAME)
        return self.get(world, account.id), keys

    def get(self, world: World, account_id: str) -> Account:
        """The account called *account_id*.

        Raises:
            MockError: the world has no such account.
        """
        found = world.rows.accounts.get(account_id)
        if found is None:
            known = [it.id for it in world.rows.accounts.of_world()][:20]
            raise unknown("account", account_id, known)
        return found

    def first_keys(self, world: World, provider_id: str) -> dict[str, str]:
        """The raw keys of the world's first account of *provider_id*, by kind.

        Raw keys are not stored; these are minted again from the seed.
        """
        return first_keys(self._clocks.instant(world, provider_id))
