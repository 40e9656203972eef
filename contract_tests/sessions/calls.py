"""The calls of one scenario, by the names of the contract, and their trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from screentest.specs.checks.checks import Checks, Example
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..monitors.monitors import Monitors
from ..rules.judge import Judge
from ..targets.plans import changed
from ..targets.request_builder import UnableError, wire_of_plan
from ..targets.target import ANONYMOUS, Identity, MockControls, OutgoingRequest, Target
from ..traces.trace import Balance, Exchange, Raw, SeenDelivery, Trace, understand


@dataclass(slots=True)
class Calls:
    """Requests to one target. Monitors judge every exchange."""

    target: Target
    contract: Contract
    checks: Checks
    judge: Judge
    is_open: bool = False
    trace: Trace = field(init=False)
    _monitors: Monitors = field(init=False)

    def __post_init__(self) -> None:
        self.trace = Trace(self.contract.provider)
        self._monitors = Monitors(self.contract, self.checks, self.judge, is_open=self.is_open)

    @property
    def owner(self) -> Identity:
        return self.target.owner

    @property
    def stranger(self) -> Identity:
        found = self.target.stranger
        if found is None:
            raise UnableError("it needs a second account (--second-api-key)")
        return found

    @property
    def controls(self) -> MockControls:
        found = self.target.controls
        if found is None:
            raise UnableError("it needs a server that can be steered, such as our own mock")
        return found

    def call(
        self,
        operation: str,
        plan: RequestPlan | None = None,
        *,
        ids: Mapping[str, Json] | None = None,
        who: Identity | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Send a request to *operation*: *plan*, by default the smallest request."""
        who = self.owner if who is None else who
        plan = self.plan(operation) if plan is None else plan
        shape = self.contract.operations[operation]
        wire = wire_of_plan(self.contract, shape, plan, ids or {}, who, headers or {})
        sent = dict(plan.form) if plan.form is not None else plan.json if plan.raw else None
        return self._note(self.target.send(wire), who, sent)

    def send(self, wire: OutgoingRequest, who: Identity = ANONYMOUS) -> Exchange:
        """Send a request that no plan describes."""
        return self._note(self.target.send(wire), who, None)

    def fetch(self, url: str) -> Exchange:
        """GET a URL from an answer of the provider."""
        raw = self.target.fetch(url)
        found = understand(self.contract, raw, number=self._number, actor="anonymous", key="")
        exchange = replace(found, operation="")
        self.trace.add(exchange)
        return exchange

    def _note(self, raw: Raw, who: Identity, sent: Json) -> Exchange:
        exchange = understand(
            self.contract, raw, number=self._number, actor=who.name, key=who.label, sent=sent
        )
        self.see(exchange)
        return exchange

    def see(self, event: Exchange | Balance | SeenDelivery) -> None:
        """Add an event to the trace, and let the monitors judge it."""
        self.trace.add(event)
        self._monitors.see(event)

    @property
    def _number(self) -> int:
        return len(self.trace.events) + 1

    def plan(self, operation: str) -> RequestPlan:
        """The smallest request that *operation* accepts."""
        return self.checks.requests.get(operation, RequestPlan())

    def plan_of(self, example: Example) -> RequestPlan:
        """The request of an example: its own, or the smallest one with changes."""
        if example.plan is not None:
            return example.plan
        return changed(self.plan(example.operation), example.added, example.without)
