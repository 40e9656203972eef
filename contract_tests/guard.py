"""The guard in front of a server: it lets nothing pass that costs more than was allowed.

Before a request that costs, its price is set aside; after the answer it is taken or given back. A
request that the budget does not cover never reaches the server. The guard knows prices from the
contract; it does not trust the server to tell them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from screentest.specs.checks import load_checks
from screentest.specs.contract import Contract

from .prices import price_of, worst_price
from .session import UnableError
from .target import Identity, Levers, Target, Wire
from .trace import Raw, find_operation, understand

BUDGET_HEADER = "x-screentest-budget"


class SpentError(UnableError):
    """The budget does not cover the next request."""


class ReadOnlyError(UnableError):
    """The request would change something, and only reading is allowed."""


@dataclass(slots=True)
class Budget:
    """Credits that may be spent; None is no bound. Safe to share between threads.

    `spent + reserved` never exceeds *limit*.
    """

    limit: int | None
    spent: int = 0
    reserved: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, amount: int) -> bool:
        """Set *amount* aside. False, and no change, when the budget does not cover it."""
        with self._lock:
            if self.limit is not None and self.spent + self.reserved + amount > self.limit:
                self.refused += 1
                return False
            self.reserved += amount
            return True

    def settle(self, amount: int, *, is_spent: bool) -> None:
        """End what was set aside: taken, or given back."""
        with self._lock:
            assert self.reserved >= amount, (self.reserved, amount)
            self.reserved -= amount
            if is_spent:
                self.spent += amount


def price_at_most(contract: Contract, wire: Wire) -> int:
    """What a request can cost at most, by the contract's own table and the request's own fields."""
    asked = understand(contract, unanswered(wire), number=0, actor="", key="")
    if not asked.operation:
        return 0
    checks = load_checks(contract.provider)
    price = price_of(contract, checks, asked)
    return worst_price(contract, checks, asked.operation) if price is None else price


def unanswered(wire: Wire) -> Raw:
    """A request of which no answer is known yet."""
    return Raw(wire.method, wire.path, wire.query, wire.headers, wire.body, 0, {}, b"", 0)


@dataclass(slots=True)
class Guarded:
    """A target behind a guard."""

    target: Target
    contract: Contract
    budget: Budget
    is_read_only: bool = False

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def owner(self) -> Identity:
        return self.target.owner

    @property
    def stranger(self) -> Identity | None:
        return self.target.stranger

    @property
    def levers(self) -> Levers | None:
        return self.target.levers

    @property
    def patience_ms(self) -> int:
        return self.target.patience_ms

    def now_ms(self) -> int:
        return self.target.now_ms()

    def wait(self, ms: int) -> None:
        self.target.wait(ms)

    def close(self) -> None:
        self.target.close()

    def fetch(self, url: str) -> Raw:
        return self.target.fetch(url)

    def send(self, wire: Wire) -> Raw:
        """Pass *wire* on, if it may.

        Raises:
            SpentError: the budget does not cover it.
            ReadOnlyError: it would change something, and only reading is allowed.
        """
        if self.is_read_only and changes_something(self.contract, wire):
            raise ReadOnlyError(f"{wire.method} {wire.path} changes something (--read-only)")
        price = price_at_most(self.contract, wire) if self._is_ours(wire) else 0
        if not self.budget.reserve(price):
            left = (self.budget.limit or 0) - self.budget.spent - self.budget.reserved
            raise SpentError(f"{wire.method} {wire.path} may cost {price}, {left} credits are left")
        status = 0
        try:
            raw = self.target.send(wire)
            status = raw.status
        finally:
            self.budget.settle(price, is_spent=200 <= status < 300)
        return raw

    def _is_ours(self, wire: Wire) -> bool:
        """Whether the request carries a credential that somebody would have to pay for."""
        known = {*self.owner.keys.values()}
        if self.target.levers is None and self.stranger is not None:
            known |= {*self.stranger.keys.values()}
        sent = wire.headers.values()
        return self.target.levers is not None or any(
            value.endswith(key) for value in sent for key in known if key
        )


def changes_something(contract: Contract, wire: Wire) -> bool:
    """Whether a request may change anything at the provider; an unknown one may."""
    operation, _ = find_operation(contract, wire.method, wire.path)
    if operation is None:
        return wire.method not in {"GET", "HEAD", "OPTIONS"}
    return contract.behaviour.operations[operation.id].effect != "read"
