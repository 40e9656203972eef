"""The price of a call."""

from __future__ import annotations

from screentest.specs.errors import ContractError

from ..engine.facts import call_facts
from ..engine.provider import Call


def price_of(call: Call) -> int:
    """What *call* costs in credits; 0 for an operation without a price.

    Raises:
        RefusedError: the contract has no price for what the request asks for.
    """
    price = call.rules.price
    if price is None:
        return 0
    # A copy: the facts of the provider must not become fields of the request.
    facts = dict(call.body) if isinstance(call.body, dict) else {}
    if price.facts is not None:
        facts |= price.facts.fill(call_facts(call))
    supply = call.provider.price_facts.get(call.operation.id)
    if supply is not None:
        facts |= supply(call)
    try:
        return price.amount(facts)
    except ContractError as error:
        raise call.refuse("invalid", problem=str(error)) from None
