"""What operations cost, in integer credits."""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct, field

from ..errors import ContractError
from ..expressions.expressions import Expression, read_expression
from ..expressions.templates import Template
from ..formats import Source, means
from ..json_types import Json


class Moment(Enum):
    """When a price is charged."""

    ACCEPTANCE = "acceptance"  # charged with the accepting answer, refunded on failure
    COMPLETION = "completion"  # held at acceptance, charged when the job succeeds
    ANSWER = "answer"  # charged with a successful answer, no job involved


class PriceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of a price that other facts decide."""

    by: Annotated[
        tuple[str, ...], means("The deciding facts, in order.", ["model"]), Meta(min_length=1)
    ]
    rows: Annotated[
        Mapping[str, Json],
        means("The facts, by the values of the deciding ones.", {"lamp-2": {"rate": 5}}),
    ]


class Price(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """What an operation costs."""

    written: Annotated[
        str | int,
        means(
            "Credits: a number, or an expression in CEL's syntax over the request's fields, "
            "`defaults` and the row of `table`. Numbers are exact.",
            "ceil(seconds * 24 / 2)",
        ),
    ] = field(name="amount")
    moment: Annotated[Moment, means("When it is charged.", "acceptance")]
    source: Source = ""
    table: Annotated[
        PriceTable | None,
        means("Facts by other facts.", {"by": ["model"], "rows": {"lamp-2": {"rate": 5}}}),
    ] = None
    defaults: Annotated[
        Mapping[str, Json] | None, means("Facts that a request leaves out.", {"seconds": 4})
    ] = None
    facts: Annotated[
        Template | None,
        means(
            "Further facts for `amount` and `table`, as templates.",
            {"scenes": "$size(found.plan.doc.scenes)"},
        ),
    ] = None
    balance_min: Annotated[
        int, means("The credits without which even a lower price is refused.", 10), Meta(ge=0)
    ] = 0
    kept_on_error: Annotated[bool, means("Whether an answer of 500 keeps the credits.", True)] = (
        False
    )

    @cached_property
    def formula(self) -> Expression:
        """The expression of the amount.

        Raises:
            ContractError: it cannot be read; a file with it is refused.
        """
        return read_expression(str(self.written))

    def amount(self, facts: Mapping[str, Json]) -> int:
        """Credits for a request with these *facts*.

        Raises:
            ContractError: a fact is missing, the table has no such row, or the amount is negative
                or not a whole number.
        """
        known = {**(self.defaults or {}), **facts}
        if self.table is not None:
            row: Json = self.table.rows
            for name in self.table.by:
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
