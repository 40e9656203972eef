"""Rows in the order in which people read them: newest first, one page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from screentest.specs.json_types import Json

from ...kernel.rows import Entry
from ...kernel.webhooks import Delivery
from .view import View

#: Rows of a page.
ROWS = 50
#: A drawing and a list about one job have no more than this of a kind.
OF_A_JOB = 100

#: What a line's status may be asked for.
STATUSES: Mapping[str, tuple[int, int]] = {
    "2xx": (200, 299),
    "3xx": (300, 399),
    "4xx": (400, 499),
    "5xx": (500, 599),
}
_HAS_FINDINGS = b'"findings":[{'


def requests(view: View, *, limit: int = ROWS, **wanted: str) -> list[tuple[int, Json]]:
    """(number, line) of the newest requests; *wanted* takes the place of the page's filters."""
    asked = wanted or view.args
    low, high = STATUSES.get(asked.get("status", ""), (0, 999))
    provider, operation = asked.get("provider", ""), asked.get("operation", "")
    containing = [asked["job"].encode()] if asked.get("job") else []
    if asked.get("finding") == "any":
        containing.append(_HAS_FINDINGS)
    elif asked.get("finding"):
        containing.append(f'"code":"{asked["finding"]}"'.encode())
    with view.world.rows.transaction() as rows:
        return rows.journal.newest(
            before=view.number("before") if not wanted else None,
            limit=limit,
            fits=lambda line: (
                low <= line.status <= high
                and (not provider or line.provider == provider)
                and (not operation or line.operation == operation)
            ),
            containing=containing,
        )


def deliveries(
    view: View, *, limit: int = ROWS, fits: Callable[[Delivery], bool] = lambda _: True
) -> list[Delivery]:
    """The newest deliveries that are *fits*, after everything due has happened."""
    with view.world.rows.transaction() as rows:
        view.worlds.clocks.settle(view.world)
        newest = rows.deliveries.newest(before_seq=view.number("before"))
        return list(islice(filter(fits, newest), limit))


def entries(view: View, account: str) -> list[Entry]:
    """All ledger lines of *account*, oldest first, after everything due has happened."""
    with view.world.rows.transaction() as rows:
        view.worlds.clocks.settle(view.world)
        return rows.entries.of(account)


def next_before(found: int, limit: int, last: int | None) -> int | None:
    """Where the next page begins: before *last*, if this page is full."""
    return last if found >= limit else None
