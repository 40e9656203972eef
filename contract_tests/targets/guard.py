"""The guard in front of a server: it stops requests that could cost more than the budget.

Before a request that may cost, its highest price is reserved; the answer shows how much of that was
spent. A request that the budget does not cover never reaches the server.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract

from ..rules.prices import price_of, worst_price
from ..traces.trace import Raw, find_operation, understand
from .callback import Callback
from .costs import Change, Costs, idempotency_key
from .live import NotSentError, UnreachableError
from .needs import UnableError
from .open_jobs import OpenJob
from .replayed import credits_answer
from .run_log import Remembered, RunLog
from .target import Identity, MockControls, OutgoingRequest, Prompts, Target

BUDGET_HEADER = "x-screentest-budget"
#: A live server's request to wait is followed this often, and never for longer than this.
_RETRIES_MAX = 3
_RETRY_S_MAX = 120


class SpentError(UnableError):
    """The budget does not cover the next request, which may cost *price*."""

    def __init__(self, message: str, price: int) -> None:
        super().__init__(message)
        self.price = price


class ReadOnlyError(UnableError):
    """The request would change something, and only reading is allowed."""


@dataclass(slots=True)
class CreditBudget:
    """Credits that may be spent; None means unlimited. Safe to share between threads.

    *reserved* is for requests that are not answered yet, and for *pending* jobs, which are paid
    when they succeed. `spent + reserved` exceeds *limit* only if a server takes more than its own
    prices.
    """

    limit: int | None
    spent: int = 0
    reserved: int = 0
    pending: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def left(self) -> int:
        return max(0, (self.limit or 0) - self.spent - self.reserved)

    def reserve(self, amount: int) -> bool:
        """Reserve *amount*. False, and no change, when the budget does not cover it."""
        with self._lock:
            if self.limit is not None and self.spent + self.reserved + amount > self.limit:
                self.refused += 1
                return False
            self.reserved += amount
            return True

    def settle(self, amount: int, change: Change) -> None:
        """End the reservation of *amount*; *change* is what the answer showed."""
        with self._lock:
            assert self.reserved >= amount, (self.reserved, amount)
            self.reserved += change.pending - amount
            self.pending += change.pending
            self.spent += change.spent


def price_at_most(contract: Contract, wire: OutgoingRequest) -> int:
    """The highest cost of a request, by the contract's prices and the request's fields."""
    operation, _ = find_operation(contract, wire.method, wire.path)
    if operation is None or contract.behaviour.operations[operation.id].price is None:
        return 0
    asked = understand(contract, unanswered(wire), number=0, actor="", key="")
    checks = load_checks(contract)
    price = price_of(contract, checks, asked)
    return worst_price(contract, checks, asked.operation) if price is None else price


def unanswered(wire: OutgoingRequest) -> Raw:
    """A request without an answer yet."""
    return wire.answered(0, {}, b"", 0)


@dataclass(slots=True)
class BudgetGuard:
    """Passes requests on, or stops them. With *knows_past* no account was used before."""

    contract: Contract
    budget: CreditBudget
    is_read_only: bool = False
    knows_past: bool = False
    log: RunLog | None = None
    _costs: Costs = field(init=False)

    def __post_init__(self) -> None:
        self._costs = Costs(self.contract, self.knows_past)

    def pass_on(
        self,
        wire: OutgoingRequest,
        send: Callable[[OutgoingRequest], Raw],
        *,
        is_paid: bool = True,
    ) -> Raw:
        """The answer to *wire*, if it may pass; one that is not *is_paid* costs nothing.

        Raises:
            SpentError: the budget does not cover it.
            ReadOnlyError: it would change something, and only reading is allowed.
        """
        if self.is_read_only and changes_something(self.contract, wire):
            raise ReadOnlyError(f"{wire.method} {wire.path} changes something (--read-only)")
        price = price_at_most(self.contract, wire) if is_paid else 0
        known = self.log.recalled(wire) if self.log is not None else None
        if known is not None:
            # Its cost is in the budget from the beginning of the run.
            self._costs.change(known, price)
            return known
        if not self.budget.reserve(price):
            left = self.budget.left
            raise SpentError(
                f"{wire.method} {wire.path} may cost {price}, {left} credits are left", price
            )
        if self.log is not None:
            self.log.sent(price)
        # Without an answer this is unknown; the server may have taken its price.
        change: Change = Change(spent=price)
        raw: Raw | None = None
        try:
            raw = send(wire)
            change = self._costs.change(raw, price) if is_paid else Change()
        except NotSentError:
            change = Change()
            raise
        finally:
            self.budget.settle(price, change)
            if self.log is not None:
                self.log.ended(wire, raw, change.spent, change.pending)
        assert raw is not None
        return raw

    def adopt(self, job: OpenJob, owner: Identity) -> None:
        """Reserve what a job of an earlier run may still cost; it cannot be stopped any more."""
        self.budget.settle(0, self._costs.adopt(job, owner))

    def look_again(self, send: Callable[[OutgoingRequest], Raw]) -> None:
        """Read the jobs without an observed end once more, to settle their costs."""
        for wire in self._costs.looks():
            self.budget.settle(0, self._costs.change(send(wire)))


def _nothing(wire: OutgoingRequest | str, raw: Raw) -> None:
    """Ignore an answer."""


@dataclass(slots=True)
class Guarded:
    """A target behind a guard. While it *is_hasty*, no request is sent again.

    With a *log*, what an earlier run was answered is not asked again.
    """

    target: Target
    contract: Contract
    budget: CreditBudget
    is_read_only: bool = False
    is_hasty: bool = False
    on_answer: Callable[[OutgoingRequest | str, Raw], None] = _nothing
    log: RunLog | None = None
    _guard: BudgetGuard = field(init=False)

    def __post_init__(self) -> None:
        is_new = self.target.controls is not None
        self._guard = BudgetGuard(self.contract, self.budget, self.is_read_only, is_new, self.log)
        if self.log is not None:
            self.budget.settle(0, Change(self.log.spent, self.log.pending))

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
    def empty(self) -> Identity | None:
        return self.target.empty

    @property
    def revoked(self) -> Identity | None:
        return self.target.revoked

    @property
    def controls(self) -> MockControls | None:
        return self.target.controls

    @property
    def callback(self) -> Callback | None:
        found = self.target.callback
        if found is None or self.log is None:
            return found
        return replace(found, receiver=Remembered(found.receiver, self.log, self.now_ms))

    @property
    def prompts(self) -> Prompts:
        return self.target.prompts

    @property
    def sees_credits(self) -> bool:
        return self.target.sees_credits

    def credits(self, who: Identity) -> int:
        def read() -> Raw:
            return credits_answer(who, self.target.credits(who), self.now_ms())[1]

        return int(self._looked(credits_answer(who, 0, 0)[0], read).body)

    @property
    def is_mock(self) -> bool:
        return self.target.is_mock

    @property
    def patience_ms(self) -> int:
        return self.target.patience_ms if self.log is None else sys.maxsize

    def now_ms(self) -> int:
        real_ms = self.target.now_ms()
        return real_ms if self.log is None else self.log.time_ms(real_ms)

    def wait(self, ms: int) -> None:
        if self.log is None:
            self.target.wait(ms)
        else:
            self.log.wait(ms, self.target)

    def close(self) -> None:
        with suppress(UnreachableError):  # jobs without an observed end stay as they were counted
            self._guard.look_again(self.target.send)
        if self.log is not None:
            self.log.close()
        self.target.close()

    def fetch(self, url: str) -> Raw:
        return self._looked(url, lambda: self.target.fetch(url))

    def _looked(self, name: OutgoingRequest | str, look: Callable[[], Raw]) -> Raw:
        """What *look* gives, which costs nothing, or what it gave in an earlier run."""
        log = self.log
        raw = log.recalled(name) if log is not None else None
        if raw is None:
            raw = look()
            if log is not None:
                log.ended(name, raw)
        self.on_answer(name, raw)
        return raw

    def send(self, wire: OutgoingRequest) -> Raw:
        """Pass *wire* on if the budget allows it, and again when a live server asks to wait.

        Each attempt is reserved separately, because a server may charge before it refuses.

        Raises:
            SpentError: the budget does not cover it.
            ReadOnlyError: it would change something, and only reading is allowed.
        """
        raw = self._pass_on(wire)
        for _ in range(_RETRIES_MAX if self._is_patient else 0):
            pause_s = pause_asked_s(self.contract, wire, raw)
            if pause_s is None:
                break
            self.wait(pause_s * 1_000)
            raw = self._pass_on(wire)
        self.on_answer(wire, raw)
        return raw

    def _pass_on(self, wire: OutgoingRequest) -> Raw:
        return self._guard.pass_on(wire, self.target.send, is_paid=self._is_ours(wire))

    @property
    def _is_patient(self) -> bool:
        return self.target.controls is None and not self.is_hasty

    def adopt(self, job: OpenJob) -> None:
        """Add *job*, which an earlier run started and which is charged on success, to the costs."""
        self._guard.adopt(job, self.owner)

    def _is_ours(self, wire: OutgoingRequest) -> bool:
        """Whether the request has the credential of an account that would pay for it."""
        known = {*self.owner.keys.values()}
        if self.target.controls is None:
            others = (self.stranger, self.empty)
            known |= {key for it in others if it is not None for key in it.keys.values()}
        sent = wire.headers.values()
        return self.target.controls is not None or any(
            value.endswith(key) for value in sent for key in known if key
        )


def pause_asked_s(contract: Contract, wire: OutgoingRequest, raw: Raw) -> int | None:
    """How long to wait before *wire* is sent again; None if it must not be.

    After 429 nothing was done. After 503 a repetition may be charged twice, so only requests that
    change nothing or carry an idempotency key are repeated.
    """
    detail = raw.headers.get("retry-after", "")
    if raw.status not in {429, 503} or not detail.isdigit() or int(detail) > _RETRY_S_MAX:
        return None
    operation, _ = find_operation(contract, wire.method, wire.path)
    is_one = operation is not None and (
        idempotency_key(contract, operation.id, wire.headers) is not None
    )
    if raw.status == 503 and changes_something(contract, wire) and not is_one:
        return None
    return int(detail)


def changes_something(contract: Contract, wire: OutgoingRequest) -> bool:
    """Whether a request may change anything at the provider. Unknown requests count as changes."""
    operation, _ = find_operation(contract, wire.method, wire.path)
    if operation is None:
        return wire.method not in {"GET", "HEAD", "OPTIONS"}
    return contract.behaviour.operations[operation.id].effect != "read"
