"""Whether balances change by the price of a request, and by nothing else."""

from __future__ import annotations

from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.prices import price_of
from ..traces.trace import Balance, Event, Exchange


class Money:
    """Judges `money.…` wherever a balance was read right before and right after a request."""

    def __init__(self, contract: Contract, checks: Checks, judge: Judge) -> None:
        self._contract = contract
        self._checks = checks
        self._judge = judge
        self._before: Balance | None = None
        self._between: list[Exchange] = []

    def see(self, event: Event) -> None:
        if self._contract.behaviour.initial_credits is None:
            return
        if isinstance(event, Exchange):
            self._between.append(event)
        elif isinstance(event, Balance):
            if self._before is not None and len(self._between) == 1:
                self._judge_pair(self._before, self._between[0], event)
            self._before, self._between = event, []

    def _judge_pair(self, before: Balance, exchange: Exchange, after: Balance) -> None:
        is_still = before.at_ms == after.at_ms == exchange.ended_ms
        if not is_still or not (before.actor == after.actor == exchange.key):
            return
        change = before.total - after.total
        name = exchange.operation
        detail = f"{name or exchange.path} changed {before.total} credits to {after.total}"
        price = self._contract.behaviour.operations[name].price if name else None
        if price is None:
            self._judge.check(rule_ids.MONEY_FREE, detail, exchange, holds=change == 0)
        elif exchange.status >= 500 and price.kept_on_error:
            return
        elif not exchange.is_success:
            self._judge.check(rule_ids.money(name, "refused"), detail, exchange, holds=change == 0)
        else:
            cost = (
                0
                if price.moment is Moment.COMPLETION
                else price_of(self._contract, self._checks, exchange)
            )
            if cost is not None and not self._is_repeat(exchange):
                detail += f"; it costs {cost} at once"
                self._judge.check(
                    rule_ids.money(name, "price"), detail, exchange, holds=change == cost
                )

    def _is_repeat(self, exchange: Exchange) -> bool:
        rules = self._contract.behaviour.idempotency
        return rules is not None and rules.header in exchange.request_headers
