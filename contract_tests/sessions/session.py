"""The session of a scenario: calls, resources, views of answers, and credits."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..targets.guard import Guarded
from ..targets.open_jobs import OpenJobs
from ..targets.run_lines import Gap
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

    def begin_part(self, name: str) -> None:
        """What follows is the part *name* of a run that can be continued."""
        if isinstance(self.target, Guarded) and self.target.log is not None:
            self.is_continued = self.judge.is_late = False
            self.target.log.on_gap = self._note_gap
            self.target.log.begin(name, self.target.target.now_ms())

    def end_part(self, *, is_done: bool) -> None:
        """That part is over; *is_done* says that a continued run has nothing more to ask in it."""
        if isinstance(self.target, Guarded) and self.target.log is not None:
            self.target.log.end(is_done=is_done)

    def is_short(self, ms: int) -> bool:
        """Whether a wait of *ms* is part of this run, and not of a later one."""
        log = self.target.log if isinstance(self.target, Guarded) else None
        return ms <= (self.target.patience_ms if log is None else log.patience_ms)

    def _note_gap(self, gap: Gap) -> None:
        # Scenarios that ran meanwhile come later in the trace, which monitors read in order.
        self.is_continued = gap is Gap.PARKED
        self.judge.is_late = gap is Gap.INTERRUPTED
