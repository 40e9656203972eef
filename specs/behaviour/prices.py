"""What operations cost, in integer credits.

Structs of a behaviour file, filled by `behaviour_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct, field

from ..errors import ContractError
from ..expressions.expressions import Expression
from ..expressions.templates import Template
from ..json_types import Json


class Moment(Enum):
    """When a price is charged."""

    ACCEPTANCE = "acceptance"  # charged with the accepting answer, refunded on failure
    COMPLETION = "completion"  # held at acceptance, charged when the job succeeds
    ANSWER = "answer"  # charged with a successful answer, no job involved


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation costs. *table* adds facts: (names of the deciding facts, nested rows).

    *facts* is filled for a request, whose fields are facts as well.

    Without *balance_min* credits even a lower price is refused. An operation whose price is
    *kept_on_error* costs as much when it ends in a server error.
    """

    formula: Expression = field(name="amount")
    moment: Moment
    source: str
    table: tuple[tuple[str, ...], Mapping[str, Json]] | None = None
    defaults: Mapping[str, Json] | None = None
    facts: Template | None = None
    balance_min: int = 0
    kept_on_error: bool = False

    def amount(self, facts: Mapping[str, Json]) -> int:
        """Credits for a request with these *facts*.

        Raises:
            ContractError: a fact is missing, the table has no such row, or the amount is negative
                or not a whole number.
        """
        known = {**(self.defaults or {}), **facts}
        if self.table is not None:
            names, rows = self.table
            row: Json = rows
            for name in names:
                row = row.get(str(known.get(name)))
                if row is None:
                    raise ContractError(f"no price for {name} {known.get(name)!r}")
            known |= row
        return self.whole(known)

    def whole(self, facts: Mapping[str, Json]) -> int:
        """As `amount`, for *facts* that a row of the table is already among."""
        amount = self.formula.evaluate(facts)
        if type(amount) is not int or amount < 0:
            raise ContractError(
                f"price {self.formula.text!r} gives {amount}, not a whole number >= 0"
            )
        return amount
