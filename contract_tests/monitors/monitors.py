"""All monitors over one trace."""

from __future__ import annotations

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules.judge import Judge
from ..traces.trace import Event, Trace
from .access import Access
from .figures import Figures
from .lifecycles import Lifecycles
from .money import Money
from .repeats import Repeats
from .shapes import Shapes
from .streams import EventStreams


class Monitors:
    """Gets every event of one world, in order, and judges what it can.

    *is_open* lets answers carry fields that are not documented, as live providers may. With
    *sees_all*, no account is used beside the events, so that its balances can be reckoned.
    """

    def __init__(
        self,
        contract: Contract,
        checks: Checks,
        judge: Judge,
        *,
        is_open: bool = False,
        sees_all: bool = False,
    ) -> None:
        self._parts = (
            *((Figures(contract, checks, judge),) if sees_all else ()),
            Shapes(contract, checks, judge, is_open),
            Lifecycles(contract, checks, judge),
            EventStreams(contract, judge),
            Access(contract, checks, judge),
            Repeats(contract, judge),
            Money(contract, checks, judge),
        )

    def see(self, event: Event) -> None:
        """Judge one more event."""
        for part in self._parts:
            part.see(event)


def watch(contract: Contract, checks: Checks, judge: Judge, trace: Trace) -> None:
    """Judge a whole trace."""
    monitors = Monitors(contract, checks, judge)
    for event in trace.events:
        monitors.see(event)
