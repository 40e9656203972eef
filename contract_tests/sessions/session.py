"""The session of a scenario: calls, resources, views of answers, and credits."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..targets.open_jobs import OpenJobs
from ..targets.target import Identity
from ..traces.expressions import evaluate
from ..traces.trace import Event
from .calls import Calls
from .resources import Resources, ResourcesState
from .shown import Shown
from .wallet import Wallet


@dataclass(frozen=True, slots=True)
class Before:
    """What a session has when a scenario begins."""

    run_id: str
    events: tuple[Event, ...]
    resources: ResourcesState


@dataclass(slots=True)
class Session(Calls):
    """All requests of one scenario to one target."""

    open_jobs: OpenJobs | None = None
    resources: Resources = field(init=False)
    shown: Shown = field(init=False)
    wallet: Wallet = field(init=False)
    _former: Identity | None = None

    @property
    def revoked(self) -> Identity:
        """A caller with a revoked key; where the API makes and revokes keys, with one of those."""
        makes = [it for it in self.checks.makes.values() if it.key]
        if self.is_steered or self.target.revoked is not None or not makes:
            return self.former
        if self._former is None:
            made = self.resources.make(makes[0].kind)
            self.resources.remove(made)
            key = str(evaluate(makes[0].key, made.exchange))
            self._former = Identity("former", {"api_key": key})
        return self._former

    @property
    def before(self) -> Before:
        """What a scenario that begins now has."""
        return Before(self.run_id, tuple(self.trace.events), self.resources.state)

    def resume(self, before: Before) -> None:
        """Begin with what an earlier session had."""
        self.trace.events[:] = before.events
        self.resources.state = before.resources

    def __post_init__(self) -> None:
        Calls.__post_init__(self)
        self.shown = Shown(self.contract, self.checks)
        self.resources = Resources(self, self.shown, self.open_jobs)
        self.wallet = Wallet(self)
