"""What the answers of a provider show of its resources."""

from __future__ import annotations

from dataclasses import dataclass

from screentest.specs.behaviour.behaviour import Kind, Lifecycle
from screentest.specs.checks.checks import Checks, View
from screentest.specs.contracts.contract import Contract

from ..monitors.lifecycles import observations, state_of
from ..traces.trace import Exchange
from .made import Made


@dataclass(frozen=True, slots=True)
class Shown:
    """Reads states and views from answers."""

    contract: Contract
    checks: Checks

    def lifecycle_of(self, kind: str) -> Lifecycle | None:
        """The lifecycle of a *kind*; None where it has none, or is not a resource."""
        resource = self.contract.behaviour.resources.get(kind)
        return resource.lifecycle if resource is not None else None

    def meaning_of(self, kind: str, state: str | None) -> Kind | None:
        """What a *state* of a *kind* means; None when it has no such state."""
        lifecycle = self.lifecycle_of(kind)
        if lifecycle is None or state is None or state not in lifecycle.states:
            return None
        return lifecycle.states[state].kind

    def kind_of_answer(self, resource: str, exchange: Exchange) -> Kind | None:
        """What the state of a *resource* that *exchange* shows means."""
        for view, scope in observations(self.checks, exchange):
            if view.resource == resource:
                return self.meaning_of(resource, state_of(view, exchange, scope))
        return None

    def kind_seen(self, made: Made, exchange: Exchange) -> Kind | None:
        """What the state that *exchange* shows of *made* means; None when it shows none."""
        return self.meaning_of(made.make.kind, self.state_seen(made, exchange))

    def state_seen(self, made: Made, exchange: Exchange) -> str | None:
        for view, scope in observations(self.checks, exchange):
            if view.resource == made.make.kind:
                return state_of(view, exchange, scope)
        return None

    def view(self, made: Made) -> View | None:
        """How the reading operation shows *made*."""
        views = self.checks.views.get(made.make.read or "", ())
        return next((view for view in views if view.resource == made.make.kind), None)
