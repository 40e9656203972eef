"""Whether balances move by what was asked for, and by nothing else."""

from __future__ import annotations

from typing import Any

from screentest.specs.behaviour import Moment
from screentest.specs.checks import Checks
from screentest.specs.contract import Contract
from screentest.specs.errors import ContractError

from ..expressions import NOTHING, read_fact
from ..judge import Judge
from ..trace import MISSING, Balance, Event, Exchange

Json = Any


class Money:
    """Judges `money.…` wherever a balance was looked at right before and right after a request."""

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
        told = f"{name or exchange.path} changed {before.total} credits to {after.total}"
        price = self._contract.behaviour.operations[name].price if name else None
        if price is None:
            self._judge.check("money.free", told, exchange, holds=change == 0)
        elif not exchange.is_success:
            self._judge.check(f"money.{name}.refused", told, exchange, holds=change == 0)
        else:
            cost = 0 if price.moment is Moment.COMPLETION else self._cost(exchange)
            if cost is not None and not self._is_repeat(exchange):
                told += f"; it costs {cost} at once"
                self._judge.check(f"money.{name}.price", told, exchange, holds=change == cost)

    def _is_repeat(self, exchange: Exchange) -> bool:
        rules = self._contract.behaviour.idempotency
        return rules is not None and rules.header in exchange.request_headers

    def _cost(self, exchange: Exchange) -> int | None:
        """What a request costs by the table; None where facts are not in the request."""
        price = self._contract.behaviour.operations[exchange.operation].price
        assert price is not None
        facts = dict(plain_fields(exchange.sent))
        for name, fact in self._checks.price_facts.get(exchange.operation, {}).items():
            if fact.counts_calls:
                return None
            value = read_fact(fact, exchange, NOTHING)
            if value is not MISSING:
                facts[name] = value
        try:
            return price.amount(facts)
        except (ContractError, KeyError, TypeError, ValueError):
            return None


def plain_fields(value: Json) -> list[tuple[str, Json]]:
    """The fields of a body that are no objects, those inside an envelope too."""
    if not isinstance(value, dict):
        return []
    found: list[tuple[str, Json]] = []
    for name, it in value.items():
        found += plain_fields(it) if isinstance(it, dict) else [(name, it)]
    return found
