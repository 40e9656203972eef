"""The credits of a scenario's accounts, and prices by the contract's own formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

from ..rules.prices import worst_price
from ..targets.needs import Need, NeedError, UnableError
from ..targets.plans import flat
from ..targets.target import Identity
from ..traces.expressions import Scope, read_fact
from ..traces.trace import MISSING, Balance, asked_only
from .calls import Calls
from .made import Made

#: What an account of a scenario has at least, and for how many calls it suffices.
_CREDITS_MIN, _CALLS_MAX = 100_000, 200


@dataclass(frozen=True, slots=True)
class Wallet:
    """Reads, sets and predicts credits."""

    calls: Calls

    def rich(self, name: str = "rich", **options: Any) -> Identity:
        """An account that can pay: a new one where the target makes accounts, else the owner."""
        if not self.calls.is_steered:
            return self.calls.owner
        credits = self._plenty if self.has_money else None
        return self.calls.controls.new_identity(name, credits=credits, **options)

    @property
    def _plenty(self) -> int:
        """More than a scenario spends."""
        contract, checks = self.calls.contract, self.calls.checks
        worst = max(worst_price(contract, checks, it) for it in contract.operations)
        return max(_CREDITS_MIN, _CALLS_MAX * worst)

    def other(self, name: str, **options: Any) -> Identity:
        """The same, but never the owner."""
        return self.rich(name, **options) if self.calls.is_steered else self.calls.stranger

    @property
    def sees_balances(self) -> bool:
        """Whether the credits of an account can be read at any time."""
        return self.has_money and (self.calls.is_steered or self.calls.target.sees_credits)

    @property
    def has_money(self) -> bool:
        return self.calls.contract.behaviour.initial_credits is not None

    def balance(self, who: Identity | None = None) -> Balance:
        """The credits of *who*, recorded in the trace."""
        balance = self._read(who or self.calls.owner)
        self.calls.see(balance)
        return balance

    def _read(self, who: Identity) -> Balance:
        if self.calls.is_steered:
            return self.calls.controls.balance(who)
        if not self.calls.target.sees_credits:
            raise NeedError(Need.BALANCE)
        credits = self.calls.target.credits(who)
        return Balance(self.calls.target.now_ms(), who.label, credits)

    def set_credits(self, who: Identity, credits: int) -> None:
        """Set the credits of *who*; the trace shows the new balance."""
        self.balance(who)
        self.calls.controls.set_credits(who, credits)
        self.balance(who)

    def price(
        self,
        operation: str,
        plan: RequestPlan | None = None,
        needed: Made | None = None,
        who: Identity | None = None,
    ) -> int:
        """What a request of *who* costs by the contract's own formula.

        Raises:
            UnableError: a fact that the formula needs is not known.
        """
        price = self.calls.contract.behaviour.operations[operation].price
        if price is None:
            return 0
        plan = self.calls.plan(operation) if plan is None else plan
        facts: dict[str, Json] = dict(flat(plan.fields))
        made = needed.exchange if needed is not None else None
        asked = asked_only(operation, plan.fields)
        for name, fact in self.calls.checks.price_facts.get(operation, {}).items():
            value = (
                self._calls(operation, who or self.calls.owner)
                if fact.counts_calls
                else (read_fact(fact, asked, Scope(made=made)))
            )
            if value is not MISSING:
                facts[name] = value
        try:
            return price.amount(facts)
        except (ContractError, KeyError, TypeError) as error:
            raise UnableError(f"the price of {operation} is not known: {error}") from None

    def _calls(self, operation: str, who: Identity) -> int:
        seen = [it for it in self.calls.trace.exchanges if it.operation == operation]
        return sum(1 for it in seen if it.is_success and it.key == who.label)
