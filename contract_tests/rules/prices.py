"""Prices of requests, by the contract's tables; the highest one where a request leaves it open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from msgspec.structs import replace

from screentest.specs.behaviour.prices import Price
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.views import Fact
from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

from ..traces.expressions import NOTHING, Scope, read_fact
from ..traces.trace import MISSING, Exchange

#: Values to try for a fact without bounds: it may be a choice, or a count that begins at 0.
_OPEN_VALUES = (0, 1)
_BODY = "$request.body#/"


def prices_of(contract: Contract, checks: Checks) -> dict[str, int]:
    """The highest price of one resource of each kind, including all that it needs."""
    worst: dict[str, int] = {}
    for kind, make in checks.makes.items():
        own = worst_price(contract, checks, make.by)
        worst[kind] = own + (worst.get(make.needs, 0) if make.needs else 0)
    return worst


def worst_price(contract: Contract, checks: Checks, operation: str) -> int:
    """The most that one call of *operation* can cost by its table."""
    price = contract.behaviour.operations[operation].price
    if price is None or contract.behaviour.initial_credits is None:
        return 0
    facts = checks.price_facts.get(operation, {})
    rows = list(_leaves(price.table.rows)) if price.table else [{}]
    return max((it for row in rows for it in _amounts(price, facts, row)), default=0)


def _amounts(price: Price, facts: Mapping[str, Fact], row: Mapping[str, float]) -> Iterator[int]:
    names = sorted(price.formula.roots - row.keys())
    for values in product(*(_bounds(facts.get(name)) for name in names)):
        try:
            yield price.whole({**row, **dict(zip(names, values, strict=True))})
        except (ArithmeticError, ContractError):
            continue  # facts that exclude each other


def _bounds(fact: Fact | None) -> tuple[float, ...]:
    return fact.only if fact is not None and fact.only is not None else _OPEN_VALUES


def _leaves(rows: Json) -> Iterator[dict[str, float]]:
    if all(not isinstance(it, dict) for it in rows.values()):
        yield rows
        return
    for it in rows.values():
        yield from _leaves(it)


def price_of(
    contract: Contract,
    checks: Checks,
    exchange: Exchange,
    *,
    scope: Scope = NOTHING,
    earlier_calls: int | None = None,
) -> int | None:
    """What the request of *exchange* costs; None where a fact is neither in it nor in *scope*.

    *earlier_calls* is how often its caller did the same before; None means unknown.
    """
    price = contract.behaviour.operations[exchange.operation].price
    if price is None or contract.behaviour.initial_credits is None:
        return 0
    read = checks.price_facts.get(exchange.operation, {})
    holder = _deciding_object(price, read, exchange.sent)
    if holder is None:
        return None
    facts = dict(holder)
    for name, fact in read.items():
        at = replace(fact, source=f"{_BODY}{_last_step(fact)}" if fact.source else "")
        asked = replace(exchange, sent=holder)
        value = earlier_calls if fact.counts_calls else read_fact(at, asked, scope)
        if value is MISSING or value is None:
            return None
        facts[name] = value
    try:
        return price.amount(facts)
    except (ContractError, KeyError, TypeError, ValueError):
        return None


def _deciding_object(
    price: Price, read: Mapping[str, Fact], sent: Json
) -> Mapping[str, Json] | None:
    """What holds the fields that a price depends on; None when they are spread over several.

    A body may be wrapped in an envelope, and only the provider knows which of two objects counts.
    """
    by = price.table.by if price.table is not None else ()
    names = {*price.formula.roots, *by, *(price.defaults or ())}
    names |= {_last_step(fact) for fact in read.values() if fact.source}
    holders = [it for it in _objects(sent) if names & it.keys()]
    return None if len(holders) > 1 else holders[0] if holders else {}


def _last_step(fact: Fact) -> str:
    return fact.source.rpartition("/")[2]


def _objects(value: Json) -> Iterator[dict[str, Json]]:
    if isinstance(value, dict):
        yield value
        for it in value.values():
            yield from _objects(it)
