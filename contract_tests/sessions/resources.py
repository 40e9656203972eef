"""The resources of one scenario: made, resumed from an earlier run, and polled to their end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field

from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Make
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import names_needed
from ..rules.prices import price_of, worst_price
from ..targets.needs import UnableError
from ..targets.open_jobs import OpenJobs, asked_by
from ..targets.plans import changed
from ..targets.target import Identity
from ..traces.expressions import Scope, evaluate, has_value
from ..traces.trace import Exchange
from .calls import Calls
from .made import Made, NotAcceptedError
from .shown import Shown

#: Polls of one job: more than a cadence of two seconds needs for the longest documented job.
_POLLS_MAX = 400
#: How much longer than documented a job may take before it counts as stuck.
_LATENESS = 3
#: Scenarios share a resource no longer than this; the shortest documented life of a file is longer.
_FRESH_MS = 30 * 60_000


@dataclass(frozen=True, slots=True)
class ResourcesState:
    """What is ready, what has ended, and in which state it was seen, at one moment."""

    ready: Mapping[str, Made]
    ended: Set[tuple[str, str]]
    states: Mapping[tuple[str, str], tuple[str | None, int]]


@dataclass(slots=True)
class Resources:
    """Makes and polls resources. *open_jobs* keeps the unfinished ones for a later run."""

    calls: Calls
    shown: Shown
    open_jobs: OpenJobs | None = None
    _ready: dict[str, Made] = field(default_factory=dict[str, Made])
    _ended: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _states: dict[tuple[str, str], tuple[str | None, int]] = field(
        default_factory=dict[tuple[str, str], tuple[str | None, int]]
    )
    _looked_at: int = 0

    @property
    def state(self) -> ResourcesState:
        """What is known of the resources now."""
        return ResourcesState(dict(self._ready), set(self._ended), dict(self._states))

    @state.setter
    def state(self, state: ResourcesState) -> None:
        self._ready, self._ended = dict(state.ready), set(state.ended)
        self._states, self._looked_at = dict(state.states), len(self.calls.trace.events)

    def make(
        self,
        kind: str,
        *,
        who: Identity | None = None,
        plan: RequestPlan | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Made:
        """A new resource of *kind*, not yet ended.

        Raises:
            RefusedError: it was not accepted.
            UnableError: its answer does not show what was made.
        """
        make, who = self.calls.checks.makes[kind], who or self.calls.owner
        asked = self.calls.plan(make.by) if plan is None else plan
        resumed = self._resumed(make, who, asked)
        if resumed is not None:
            return resumed
        ids: dict[str, Json] = {}
        needed: Made | None = None
        if make.needs is not None:
            needed = self.ready(make.needs, who=who)
            ids |= needed.ids
        made = self.calls.call(make.by, plan, ids=ids, who=who, headers=headers)
        if not made.is_success:
            raise NotAcceptedError(made)
        found = self.made_by(make, made, who, ids, needed)
        return self._noted(found, asked, needed)

    def _noted(self, made: Made, asked: RequestPlan, needed: Made | None) -> Made:
        """*made*; also stored for the next run if it is a job of the owner that may take long."""
        make, lifecycle = made.make, self.calls.contract.behaviour.lifecycle_of(made.make.kind)
        if self.open_jobs is None or made.owner != self.calls.owner or make.read is None:
            return made
        if lifecycle is None or not lifecycle.simulated:
            return made
        price = self.calls.contract.behaviour.operations[make.by].price
        pending = 0
        if price is not None and price.moment is Moment.COMPLETION:
            scope = Scope(made=needed.exchange if needed else None)
            known = price_of(self.calls.contract, self.calls.checks, made.exchange, scope=scope)
            worst = worst_price(self.calls.contract, self.calls.checks, make.by)
            pending = worst if known is None else known
        job = self.open_jobs.note(make.kind, asked_by(asked), made.ids, pending)
        return Made(make, made.ids, made.exchange, made.owner, job)

    def _resumed(self, make: Make, who: Identity, asked: RequestPlan) -> Made | None:
        """A job of an earlier run that is still open, instead of a new one.

        Raises:
            UnableError: the server does not show its state; it may still run, and a new one
                would be paid for twice.
        """
        if self.open_jobs is None or make.read is None or who != self.calls.owner:
            return None
        unknown = self.calls.contract.behaviour.refusals.get("not_found")
        for job in self.open_jobs.left_over(make.kind, asked_by(asked)):
            self.open_jobs.on_resume(job)
            shown = self.calls.call(make.read, ids=job.ids, who=who)
            made = Made(make, job.ids, shown, who, job)
            if shown.is_success or self.shown.kind_seen(made.make.kind, shown) is not None:
                self.open_jobs.resume(job)
                return made
            if unknown is None or shown.status != unknown.status:
                raise UnableError(
                    f"{shown.line}: the {make.kind} of an earlier run may still run; it is kept "
                    f"in {self.open_jobs.path}"
                )
            self.open_jobs.forget(job)
        return None

    def made_by(
        self,
        make: Make,
        exchange: Exchange,
        who: Identity,
        ids: Mapping[str, Json],
        needed: Made | None = None,
    ) -> Made:
        """What *exchange* made, with its ids."""
        details: Json = None
        if any("$job." in at for at in make.ids.values()):
            job = evaluate(make.job, exchange)
            details = self.calls.controls.details(str(job))
        scope = Scope(ids=ids, details=details, made=needed.exchange if needed else None)
        found = {name: evaluate(at, exchange, scope) for name, at in make.ids.items()}
        if not has_value(found[make.own_id]):
            raise UnableError(f"the answer of {make.by} shows no {make.own_id}")
        shown = {name: value for name, value in found.items() if has_value(value)}
        return Made(make, {**ids, **shown}, exchange, who)

    def ready(self, kind: str, *, who: Identity | None = None) -> Made:
        """A resource of *kind* that has succeeded; always the same one for the same account."""
        who = who or self.calls.owner
        key = f"{kind}/{who.label}"
        if key not in self._ready or self._is_used(self._ready[key]):
            made = self.make(kind, who=who)
            self.finish(made)
            if not self.calls.is_steered and made.make.read is not None:
                self._note_state(made, self.read(made))
            self._ready[key] = made
        return self._ready[key]

    def _is_used(self, made: Made) -> bool:
        """Whether *made* is gone or in another state than when it was ready.

        Scenarios share what they made only at a server that has one world for all of them.
        """
        if self.calls.is_steered or made.make.read is None:
            return False
        if made.owner == self.calls.target.empty:
            return False  # It cannot pay for another one.
        shown = self.read(made)
        state = self.shown.state_seen(made.make.kind, shown)
        before, at_ms = self._states[made.make.kind, made.own_id]
        is_old = shown.at_ms - at_ms > _FRESH_MS
        return is_old or not shown.is_success or state != before

    def _note_state(self, made: Made, shown: Exchange) -> None:
        key = (made.make.kind, made.own_id)
        self._states[key] = self.shown.state_seen(made.make.kind, shown), shown.at_ms

    def keep(self, made: Made) -> None:
        """Make `ready` return *made*, which has ended, from now on."""
        self._ready[f"{made.make.kind}/{made.owner.label}"] = made
        if not self.calls.is_steered and made.make.read is not None:
            self._note_state(made, self.read(made))

    def finish_all(self) -> None:
        """Poll every job to its end that was made at a server with one world for all scenarios.

        What counts towards a limit and does not end by itself, such as a key, is removed.
        """
        if self.calls.is_steered:
            return
        since, self._looked_at = self._looked_at, len(self.calls.trace.events)
        for exchange in self.calls.trace.events[since : self._looked_at]:
            if isinstance(exchange, Exchange) and exchange.is_success:
                for made in self._made_in(exchange):
                    self.finish(made)
                    self.remove(made)

    def _made_in(self, exchange: Exchange) -> Iterator[Made]:
        """What *exchange* made for an account of the user."""
        accounts = (self.calls.owner, self.calls.target.stranger, self.calls.target.empty)
        who = next((it for it in accounts if it is not None and it.label == exchange.key), None)
        for make in self.makes_of(exchange.operation) if exchange.operation else ():
            if who is not None:
                with suppress(UnableError):
                    made = self.made_by(make, exchange, who, exchange.path_values)
                    if (make.kind, made.own_id) not in self._ended:
                        yield made

    def makes_of(self, operation: str) -> list[Make]:
        """How that is read which *operation* makes; another operation may make the same kind."""
        kind = self.calls.contract.behaviour.operations[operation].starts
        makes = list(self.calls.checks.makes.values())
        own = [it for it in makes if it.by == operation]
        return own or [it for it in makes if kind is not None and it.kind == kind and it.read]

    def remove(self, made: Made) -> None:
        """Delete *made* if it is a key, which counts towards a limit and does not end by itself."""
        lifecycle = self.calls.contract.behaviour.lifecycle_of(made.make.kind)
        if lifecycle is None or lifecycle.simulated or not made.make.kind.endswith("key"):
            return
        for name, rules in self.calls.contract.behaviour.operations.items():
            if rules.effect == "destructive" and self.maker_for(name) == made.make:
                self.calls.call(name, ids=made.ids, who=made.owner)
                self._ended.add((made.make.kind, made.own_id))

    def finish(self, made: Made) -> list[Exchange]:
        """Poll until *made* has ended. Returns all answers in order."""
        return list(self.polls(made))

    def polls(self, made: Made) -> Iterator[Exchange]:
        """Read *made* until it has ended, at the provider's cadence or at each transition."""
        make, lifecycle = made.make, self.calls.contract.behaviour.lifecycle_of(made.make.kind)
        if make.read is None or lifecycle is None or not lifecycle.simulated:
            return
        stuck_ms = self.calls.target.now_ms() + self.longest_ms(made.make.kind) * _LATENESS
        started_ms = self.calls.target.now_ms()
        for _ in range(_POLLS_MAX):
            exchange = self.read(made)
            yield exchange
            kind = self.shown.kind_seen(made.make.kind, exchange)
            if kind is None or kind.is_final:
                self._ended.add((make.kind, made.own_id))
                if self.open_jobs is not None and made.open_job is not None:
                    self.open_jobs.forget(made.open_job)
                return
            if self.calls.target.now_ms() > stuck_ms:
                detail = f"it was still {kind.value} after {stuck_ms - started_ms} ms"
                self.calls.judge.check_optional(
                    rule_ids.life(make.kind, "ends"), detail, made.exchange, exchange, holds=False
                )
                raise UnableError(f"the {make.kind} did not end")
            self.pause(self.calls.target.now_ms() - started_ms)
        raise UnableError(f"the {make.kind} did not end within {_POLLS_MAX} polls")

    def pause(self, waited_ms: int) -> None:
        """Wait between two polls: until the next transition if it is known, else by the cadence."""
        cadence = self.calls.checks.cadence
        pause_ms = cadence.first_ms if waited_ms < cadence.for_ms else cadence.then_ms
        if self.calls.is_steered:
            due_ms = self.calls.controls.next_due_ms()
            left_ms = due_ms - self.calls.target.now_ms() if due_ms is not None else pause_ms
            # Two polls between transitions are enough to see a value rise or fall.
            pause_ms = max(1, left_ms) if left_ms <= pause_ms else max(pause_ms, left_ms // 4)
        self.calls.target.wait(pause_ms)

    def longest_ms(self, kind: str) -> int:
        """The longest documented duration of a resource of *kind*, with every extension."""
        lifecycle = self.calls.contract.behaviour.lifecycle_of(kind)
        assert lifecycle is not None, kind
        factor = max(lifecycle.scale.factors.values(), default=1) if lifecycle.scale else 1
        spans = [state.lasts_ms[1] for state in lifecycle.states.values() if state.lasts_ms]
        return int(sum(spans) * factor) + 1_000

    def read(self, made: Made, *, who: Identity | None = None) -> Exchange:
        """The present answer of the reading operation about *made*."""
        assert made.make.read is not None, made.make.kind
        fields = {name: value for name, value in made.ids.items() if "." in name}
        plan = changed(self.calls.plan(made.make.read), fields) if fields else None
        return self.calls.call(made.make.read, plan, ids=made.ids, who=who or made.owner)

    def job_of(self, made: Made) -> str:
        """The id of *made* in the server's control API."""
        found = evaluate(made.make.job, made.exchange) if made.make.job else made.own_id
        return str(found)

    def ids_of(
        self, operation: str, *, who: Identity | None = None, fresh: bool = False
    ) -> Mapping[str, Json]:
        """Ids of existing resources for every name that a request to *operation* needs.

        *fresh* makes a new resource instead of using one that has ended.
        """
        make = self.maker_for(operation)
        if make is None:
            return {}
        return (self.make if fresh else self.ready)(make.kind, who=who).ids

    def maker_for(self, operation: str) -> Make | None:
        """How to make the resource that *operation* acts on; None if it acts on none.

        Raises:
            UnableError: nothing in the checks makes it.
        """
        names = names_needed(self.calls.contract.operations[operation], self.calls.plan(operation))
        if not names:
            return None
        kinds = [
            target.kind for target in self.calls.contract.behaviour.operations[operation].targets
        ]
        known = [
            make
            for make in self.calls.checks.makes.values()
            if make.by != operation and names <= make.ids.keys()
        ]
        if not known:
            raise UnableError(f"nothing makes the {', '.join(sorted(names))} of {operation}")
        return min(known, key=lambda make: make.kind not in kinds[-1:])
