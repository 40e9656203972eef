"""What the answers of a provider show of its resources."""

from __future__ import annotations

from dataclasses import dataclass

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.views import View
from screentest.specs.contracts.contract import Contract

from ..monitors.lifecycles import observations, state_of
from ..traces.trace import Exchange
from .made import Made


@dataclass(frozen=True, slots=True)
class Shown:
    """Reads states and views from answers."""

    contract: Contract
    checks: Checks

    def state_seen(self, kind: str, exchange: Exchange) -> str | None:
        """The state of a resource of *kind* that *exchange* shows; None when it shows none."""
        for view, scope in observations(self.checks, exchange):
            if view.resource == kind:
                return state_of(view, exchange, scope)
        return None

    def kind_seen(self, kind: str, exchange: Exchange) -> Kind | None:
        """The kind of that state."""
        return self.contract.behaviour.meaning_of(kind, self.state_seen(kind, exchange))

    def view(self, made: Made) -> View | None:
        """How the reading operation shows *made*."""
        views = self.checks.views.get(made.make.read or "", ())
        return next((view for view in views if view.resource == made.make.kind), None)
