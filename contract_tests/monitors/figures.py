"""Whether the figures of money in answers agree with prices, and with each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.views import View
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.prices import price_of, worst_price
from ..traces.expressions import as_number, evaluate, has_value
from ..traces.trace import Balance, Event, Exchange
from .lifecycles import observations, state_of


@dataclass(slots=True)
class _Account:
    """The last balance that answers of one account showed, and what happened since."""

    balance: float | None = None
    paid: float = 0
    may_return: float = 0
    is_clear: bool = True
    between: list[Exchange] = field(default_factory=list[Exchange])


@dataclass(slots=True)
class Figures:
    """Judges `money.….price`, `.shown`, `.refused` and `money.free` by what answers show.

    It must see every request of an account. A balance then follows from the one before, except
    for refunds of jobs whose end was not seen.
    """

    contract: Contract
    checks: Checks
    judge: Judge
    _accounts: dict[str, _Account] = field(default_factory=dict[str, _Account])
    _jobs: dict[tuple[str, str], tuple[str, float]] = field(
        default_factory=dict[tuple[str, str], tuple[str, float]]
    )

    def see(self, event: Event) -> None:
        if isinstance(event, Balance):
            self._accounts.pop(event.actor, None)
        elif isinstance(event, Exchange) and event.key and self._shows_any:
            self._see(event)

    @property
    def _shows_any(self) -> bool:
        views = (it for views in self.checks.views.values() for it in views)
        return any(it.charged or it.balance for it in views)

    def _see(self, exchange: Exchange) -> None:
        account = self._accounts.setdefault(exchange.key, _Account())
        name = exchange.operation
        price = self.contract.behaviour.operations[name].price if name else None
        account.between.append(exchange)
        for view in self.checks.views.get(name, ()):
            if exchange.is_success and (view.charged or view.balance) and price is not None:
                self._paid(account, view, exchange)
                return
        may_take = price is not None and (exchange.is_success or exchange.status >= 500)
        if may_take and worst_price(self.contract, self.checks, name):
            # What it took is not shown, so the next balance does not follow from the last one.
            account.is_clear = False
        self._ended(exchange)

    def _paid(self, account: _Account, view: View, exchange: Exchange) -> None:
        name = exchange.operation
        is_first = self._job_of(exchange) not in self._jobs
        charged = _figure(view.charged, exchange)
        price = price_of(self.contract, self.checks, exchange)
        if charged is not None and price is not None and is_first:
            detail = f"{view.charged} is {charged:g}; it costs {price}"
            self.judge.check(
                rule_ids.money(name, "price"), detail, exchange, holds=charged == price
            )
        taken = charged if charged is not None else price
        rules = self.contract.behaviour.operations[name]
        if not is_first:
            return
        if taken is None:
            account.is_clear = False
            return
        if rules.price is not None and rules.price.moment is Moment.COMPLETION:
            return
        job = self._job_of(exchange)
        if job is not None:
            self._jobs[job] = (exchange.key, taken)
        account.paid += taken
        if view.balance:
            self._balanced(account, view, exchange)
        account.may_return += taken

    def _balanced(self, account: _Account, view: View, exchange: Exchange) -> None:
        """The balance of *exchange* follows from the last one."""
        now = _figure(view.balance, exchange)
        if now is None:
            return
        if account.balance is not None and account.is_clear:
            least = account.balance - account.paid
            holds = least <= now <= least + account.may_return
            more = f" and at most {account.may_return:g} given back" if account.may_return else ""
            detail = (
                f"{view.balance} is {now:g} after {account.balance:g}, with {account.paid:g} "
                f"charged{more}"
            )
            name = exchange.operation
            self.judge.check(rule_ids.money(name, "shown"), detail, exchange, holds=holds)
            if not account.may_return:
                self._judge_between(account, detail, holds=holds)
        account.balance, account.paid, account.is_clear = now, 0, True
        account.between = []

    def _judge_between(self, account: _Account, detail: str, *, holds: bool) -> None:
        """What happened between two balances without a price, or was refused, took nothing."""
        for exchange in account.between[:-1]:
            if not exchange.operation:
                continue
            price = self.contract.behaviour.operations[exchange.operation].price
            if price is None and exchange.is_success:
                self.judge.check(rule_ids.MONEY_FREE, detail, exchange, holds=holds)
            elif price is not None and 400 <= exchange.status < 500:
                rule = rule_ids.money(exchange.operation, "refused")
                self.judge.check(rule, detail, exchange, holds=holds)

    def _job_of(self, exchange: Exchange) -> tuple[str, str] | None:
        starts = self.contract.behaviour.operations[exchange.operation].starts
        for view, scope in observations(self.checks, exchange):
            if view.resource == starts:
                return view.resource, str(evaluate(view.id, exchange, scope))
        return None

    def _ended(self, exchange: Exchange) -> None:
        """A job that ended: nothing of it returns later, and its refund is what was charged."""
        for view, scope in observations(self.checks, exchange):
            key = (view.resource, str(evaluate(view.id, exchange, scope)))
            resource = self.contract.behaviour.resources.get(view.resource)
            if key not in self._jobs or resource is None or resource.lifecycle is None:
                continue
            state = resource.lifecycle.states.get(state_of(view, exchange, scope) or "")
            if state is None or not state.kind.is_final:
                continue
            label, charged = self._jobs.pop(key)
            account = self._accounts.setdefault(label, _Account())
            refunded = evaluate(view.refunded, exchange) if view.refunded else None
            if has_value(refunded):
                detail = f"{view.refunded} is {refunded!r}; {charged:g} was paid"
                rule = rule_ids.money(exchange.operation, "shown")
                self.judge.check(rule, detail, exchange, holds=as_number(refunded) == charged)
            if state.kind is Kind.SUCCEEDED:
                account.may_return = max(0, account.may_return - charged)
            elif state.kind is Kind.FAILED:
                account.is_clear = False


def _figure(at: str, exchange: Exchange) -> float | None:
    found = as_number(evaluate(at, exchange)) if at else None
    return None if found is None else float(found)
