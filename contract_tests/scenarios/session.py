"""A scenario's hands: calls in the contract's words, resources made and polled, money looked at.

Everything that is sent and seen goes into one trace, and the monitors see it as it happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from screentest.specs.behaviour import Kind, Lifecycle, Moment
from screentest.specs.checks import Checks, Example, Make, RequestPlan, View
from screentest.specs.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

from ..monitors.lifecycles import observations, state_of
from ..monitors.monitors import Monitors
from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import names_needed
from ..rules.prices import price_of, worst_price
from ..targets.open_jobs import OpenJob, OpenJobs, asked_by
from ..targets.plans import changed, flat
from ..targets.request_builder import UnableError, wire_of_plan
from ..targets.target import ANONYMOUS, Identity, MockControls, OutgoingRequest, Target
from ..traces.expressions import Scope, evaluate, has_value, read_fact
from ..traces.trace import MISSING, Balance, Delivery, Exchange, Raw, Trace, understand

#: Polls of one job: more than a cadence of two seconds needs for the longest documented job.
_POLLS_MAX = 400
#: How much longer than documented a job may take before it counts as stuck.
_LATENESS = 3


class RefusedError(UnableError):
    """The server did not accept what a scenario needs; *exchange* has its answer.

    A request that never reached it, for the guard stopped it, is no refusal of the server.
    """

    def __init__(self, exchange: Exchange) -> None:
        name = exchange.operation
        super().__init__(f"{name} was refused: {exchange.status} {exchange.body[:200]!r}")
        self.exchange = exchange


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a scenario made: its ids, and the exchange that made it."""

    make: Make
    ids: Mapping[str, Json]
    exchange: Exchange
    owner: Identity
    open_job: OpenJob | None = None

    @property
    def own_id(self) -> str:
        return str(self.ids[self.make.own_id])


@dataclass(slots=True)
class Session:
    """One scenario's conversation with one target."""

    target: Target
    contract: Contract
    checks: Checks
    judge: Judge
    is_open: bool = False
    open_jobs: OpenJobs | None = None
    trace: Trace = field(init=False)
    _monitors: Monitors = field(init=False)
    _ready: dict[str, Made] = field(default_factory=dict[str, Made])

    def __post_init__(self) -> None:
        self.trace = Trace(self.contract.provider)
        self._monitors = Monitors(self.contract, self.checks, self.judge, is_open=self.is_open)

    # Who

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

    # Calls

    def call(
        self,
        operation: str,
        plan: RequestPlan | None = None,
        *,
        ids: Mapping[str, Json] | None = None,
        who: Identity | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Send a request to *operation*: its smallest one, unless *plan* is another."""
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
        """GET an address that the provider handed out."""
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

    def see(self, event: Exchange | Balance | Delivery) -> None:
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

    # Resources

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
        make, who = self.checks.makes[kind], who or self.owner
        asked = self.plan(make.by) if plan is None else plan
        resumed = self._resumed(make, who, asked)
        if resumed is not None:
            return resumed
        ids: dict[str, Json] = {}
        needed: Made | None = None
        if make.needs is not None:
            needed = self.ready(make.needs, who=who)
            ids |= needed.ids
        made = self.call(make.by, plan, ids=ids, who=who, headers=headers)
        if not made.is_success:
            raise RefusedError(made)
        found = self.made_by(make, made, who, ids, needed)
        return self._noted(found, asked, needed)

    def _noted(self, made: Made, asked: RequestPlan, needed: Made | None) -> Made:
        """*made*, kept for the next run where it is a job of the owner that may take its time."""
        make, lifecycle = made.make, self.lifecycle_of(made.make.kind)
        if self.open_jobs is None or made.owner != self.owner or make.read is None:
            return made
        if lifecycle is None or not lifecycle.simulated:
            return made
        price = self.contract.behaviour.operations[make.by].price
        pending = 0
        if price is not None and price.moment is Moment.COMPLETION:
            scope = Scope(made=needed.exchange if needed else None)
            known = price_of(self.contract, self.checks, made.exchange, scope=scope)
            worst = worst_price(self.contract, self.checks, make.by)
            pending = worst if known is None else known
        job = self.open_jobs.note(make.kind, asked_by(asked), made.ids, pending)
        return Made(make, made.ids, made.exchange, made.owner, job)

    def _resumed(self, make: Make, who: Identity, asked: RequestPlan) -> Made | None:
        """A job of an earlier run that is still open, instead of a new one.

        Raises:
            UnableError: the server does not say how it stands; it may still run, and a new one
                would be paid for twice.
        """
        if self.open_jobs is None or make.read is None or who != self.owner:
            return None
        unknown = self.contract.behaviour.refusals.get("not_found")
        for job in self.open_jobs.left_over(make.kind, asked_by(asked)):
            self.open_jobs.on_resume(job)
            shown = self.call(make.read, ids=job.ids, who=who)
            made = Made(make, job.ids, shown, who, job)
            if shown.is_success or self.kind_seen(made, shown) is not None:
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
            details = self.controls.details(str(job))
        scope = Scope(ids=ids, details=details, made=needed.exchange if needed else None)
        found = {name: evaluate(at, exchange, scope) for name, at in make.ids.items()}
        if not has_value(found[make.own_id]):
            raise UnableError(f"the answer of {make.by} shows no {make.own_id}")
        shown = {name: value for name, value in found.items() if has_value(value)}
        return Made(make, {**ids, **shown}, exchange, who)

    def ready(self, kind: str, *, who: Identity | None = None) -> Made:
        """A resource of *kind* that has succeeded; the same one again for the same account."""
        who = who or self.owner
        key = f"{kind}/{who.label}"
        if key not in self._ready:
            made = self.make(kind, who=who)
            self.finish(made)
            self._ready[key] = made
        return self._ready[key]

    def lifecycle_of(self, kind: str) -> Lifecycle | None:
        """How a *kind* moves; None where it does not, or is no resource of the contract."""
        resource = self.contract.behaviour.resources.get(kind)
        return resource.lifecycle if resource is not None else None

    def meaning_of(self, kind: str, state: str | None) -> Kind | None:
        """What a *state* of a *kind* means; None when it has no such state."""
        lifecycle = self.lifecycle_of(kind)
        if lifecycle is None or state is None or state not in lifecycle.states:
            return None
        return lifecycle.states[state].kind

    def keep(self, made: Made) -> None:
        """Let *made*, which has ended, be what `ready` gives from now on."""
        self._ready[f"{made.make.kind}/{made.owner.label}"] = made

    def kind_of_answer(self, resource: str, exchange: Exchange) -> Kind | None:
        """What the state of a *resource* that *exchange* shows means."""
        for view, scope in observations(self.checks, exchange):
            if view.resource == resource:
                return self.meaning_of(resource, state_of(view, exchange, scope))
        return None

    def finish(self, made: Made) -> list[Exchange]:
        """Poll until *made* has ended; every answer on the way, the last one last."""
        return list(self.polls(made))

    def polls(self, made: Made) -> Iterator[Exchange]:
        """Read *made* until it has ended, at the provider's cadence or at each transition."""
        make, lifecycle = made.make, self.lifecycle_of(made.make.kind)
        if make.read is None or lifecycle is None or not lifecycle.simulated:
            return
        stuck_ms = self.target.now_ms() + self.longest_ms(made.make.kind) * _LATENESS
        started_ms = self.target.now_ms()
        for _ in range(_POLLS_MAX):
            exchange = self.read(made)
            yield exchange
            kind = self.kind_seen(made, exchange)
            if kind is None or kind.is_final:
                if self.open_jobs is not None and made.open_job is not None:
                    self.open_jobs.forget(made.open_job)
                return
            if self.target.now_ms() > stuck_ms:
                detail = f"it was still {kind.value} after {stuck_ms - started_ms} ms"
                self.judge.check_optional(
                    rule_ids.life(make.kind, "ends"), detail, made.exchange, exchange, holds=False
                )
                raise UnableError(f"the {make.kind} did not end")
            self.pause(self.target.now_ms() - started_ms)
        raise UnableError(f"the {make.kind} did not end within {_POLLS_MAX} polls")

    def pause(self, waited_ms: int) -> None:
        """Wait between two polls: to the next transition where it is known, else by the cadence."""
        cadence = self.checks.cadence
        pause_ms = cadence.first_ms if waited_ms < cadence.for_ms else cadence.then_ms
        if self.target.controls is not None:
            due_ms = self.target.controls.next_due_ms()
            left_ms = due_ms - self.target.now_ms() if due_ms is not None else pause_ms
            # Two looks between transitions are enough to see a figure rise or fall.
            pause_ms = max(1, left_ms) if left_ms <= pause_ms else max(pause_ms, left_ms // 4)
        self.target.wait(pause_ms)

    def longest_ms(self, kind: str) -> int:
        """The longest that a resource of *kind* is documented to take, with every stretch."""
        lifecycle = self.lifecycle_of(kind)
        assert lifecycle is not None, kind
        factor = max(lifecycle.scale[1].values(), default=1) if lifecycle.scale else 1
        spans = [state.lasts_ms[1] for state in lifecycle.states.values() if state.lasts_ms]
        return int(sum(spans) * factor) + 1_000

    def read(self, made: Made, *, who: Identity | None = None) -> Exchange:
        """What the reading operation answers about *made* now."""
        assert made.make.read is not None, made.make.kind
        return self.call(made.make.read, ids=made.ids, who=who or made.owner)

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

    def job_of(self, made: Made) -> str:
        """The id under which the server's own controls know *made*."""
        found = evaluate(made.make.job, made.exchange) if made.make.job else made.own_id
        return str(found)

    def ids_of(
        self, operation: str, *, who: Identity | None = None, fresh: bool = False
    ) -> Mapping[str, Json]:
        """Ids for every name that a request to *operation* needs, of something that exists.

        *fresh* makes something new instead of taking what has ended.
        """
        make = self.maker_for(operation)
        if make is None:
            return {}
        return (self.make if fresh else self.ready)(make.kind, who=who).ids

    def maker_for(self, operation: str) -> Make | None:
        """How to get what *operation* acts on; None when it acts on nothing.

        Raises:
            UnableError: nothing in the checks makes it.
        """
        names = names_needed(self.contract.operations[operation], self.plan(operation))
        if not names:
            return None
        kinds = [target.kind for target in self.contract.behaviour.operations[operation].targets]
        known = [
            make
            for make in self.checks.makes.values()
            if make.by != operation and names <= make.ids.keys()
        ]
        if not known:
            raise UnableError(f"nothing makes the {', '.join(sorted(names))} of {operation}")
        return min(known, key=lambda make: make.kind not in kinds[-1:])

    def rich(self, name: str = "rich", **options: Any) -> Identity:
        """A new account with more credits than any scenario spends."""
        credits = 100_000 if self.has_money else None
        return self.controls.new_identity(name, credits=credits, **options)

    def _calls(self, operation: str, who: Identity) -> int:
        seen = [it for it in self.trace.exchanges if it.operation == operation]
        return sum(1 for it in seen if it.is_success and it.key == who.label)

    # Money

    @property
    def has_money(self) -> bool:
        return self.contract.behaviour.initial_credits is not None

    def money(self, who: Identity | None = None) -> Balance:
        """The credits of *who*, noted in the trace."""
        balance = self.controls.balance(who or self.owner)
        self.see(balance)
        return balance

    def set_credits(self, who: Identity, credits: int) -> None:
        """Give *who* exactly so many credits; the trace shows it as a balance."""
        self.money(who)
        self.controls.set_credits(who, credits)
        self.money(who)

    def price(
        self,
        operation: str,
        plan: RequestPlan | None = None,
        needed: Made | None = None,
        who: Identity | None = None,
    ) -> int:
        """What a request of *who* costs by the contract's own formula.

        Raises:
            UnableError: a fact that the formula needs is not known.
        """
        price = self.contract.behaviour.operations[operation].price
        if price is None:
            return 0
        plan = self.plan(operation) if plan is None else plan
        facts: dict[str, Json] = dict(flat(plan.fields))
        made = needed.exchange if needed is not None else None
        asked = Exchange(
            0, 0, "", "", operation, "", "", "", {}, b"", plan.fields, 0, {}, b"", None
        )
        for name, fact in self.checks.price_facts.get(operation, {}).items():
            value = (
                self._calls(operation, who or self.owner)
                if fact.counts_calls
                else (read_fact(fact, asked, Scope(made=made)))
            )
            if value is not MISSING:
                facts[name] = value
        try:
            return price.amount(facts)
        except (ContractError, KeyError, TypeError) as error:
            raise UnableError(f"the price of {operation} is not known: {error}") from None
