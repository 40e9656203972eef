"""The account without credits: a few that it has are spent first, on what later calls need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.prices import worst_price
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from .scenario import Scenario

#: Credits that the kit spends on calls that nothing needs.
_REST_MAX = 30


def dry_accounts(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """One scenario, before those about too few credits; none for a provider without credits."""
    priced = _priced(contract) if contract.behaviour.initial_credits is not None else []
    if priced:
        least = min(worst_price(contract, checks, name) for name in priced)
        yield Scenario(
            "few credits",
            "spend what the account without credits has",
            _run_dry,
            sum(prices.values()) + max(_REST_MAX, least),
            _REST_MAX // max(1, least) or 1,
            needs=frozenset({Need.EMPTY_ACCOUNT}),
            prepares=True,
        )


def _priced(contract: Contract) -> list[str]:
    """The operations that are not free."""
    rules = contract.behaviour.operations.items()
    return [name for name, it in rules if it.price is not None and it.price.formula.text != "0"]


def _run_dry(session: Session) -> None:
    """Let the account make what later calls of it need, then spend the rest."""
    if session.is_steered:
        return
    who, prices = session.empty, dict[str, int]()
    for name in _priced(session.contract):
        maker = session.resources.maker_for(name)
        with suppress(UnableError):
            if maker is None:
                prices[name] = session.wallet.price(name, who=who)
            else:
                session.resources.ready(maker.kind, who=who)
    name = min((it for it in prices if prices[it]), key=lambda it: prices[it], default="")
    calls = max(1, _REST_MAX // prices[name]) if name else 0
    for _ in range(calls):
        before = session.wallet.balance(who).total if session.wallet.sees_balances else None
        answer = session.call(name, who=who)
        if before == prices[name]:
            rule = rule_ids.money(name, "enough")
            detail = f"with {before} of {before} credits it was answered {answer.status}"
            session.judge.check(rule, detail, answer, holds=answer.is_success)
        if not answer.is_success:
            return
        session.resources.finish_all()
    if name:
        session.rich_empty = f"the account of --empty-api-key paid for {calls} calls of {name}"
        raise NeedError(Need.EMPTY_ACCOUNT, message=session.rich_empty)
