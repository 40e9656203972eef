"""One world at one instant: everything a rule may look at or change.

A provider's module meets the mock through this class alone. It is made for one transaction and for
one `now`, so nothing that is written in terms of it can depend on when it happens to run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from math import ceil
from random import Random

from msgspec import Struct

from screentest.specs.behaviour import Behaviour, Kind, Moment, ResourceKind, State
from screentest.specs.contract import Contract
from screentest.specs.json_types import Json

from ..kernel.clock import rfc3339
from ..kernel.errors import MockError
from ..kernel.faults import Fault, strikes
from ..kernel.ids import mint, stream
from ..kernel.ledger import Ledger
from ..kernel.lifecycle import Script, delayed, draw_script, kept_waiting
from ..kernel.rows import Account, Effect, Event, Resource
from ..kernel.signing import signed_query
from ..store.sqlite import Store

#: Bounds one world's memory; the control API documents the refusal.
RESOURCES_MAX = 200_000


class Settings(Struct, frozen=True):
    """What somebody chose for a world. *pace* stretches documented durations; 0 means at once."""

    pace: float = 1.0
    choices: Mapping[str, str] = {}
    has_magic: bool = True


class Cost(Struct, frozen=True):
    """What a job costs and when it is taken."""

    amount: int
    moment: Moment


class Instant(Struct, frozen=True):
    """A world, a provider in it, and a now. *number* is the request's, 0 for effects.

    *speed* is how fast the world's time runs by itself; 0 where only an act moves it.
    """

    rows: Store
    contract: Contract
    world: str
    seed: int
    settings: Settings
    now_ms: int
    base_url: str
    number: int = 0
    speed: float = 0.0

    @property
    def behaviour(self) -> Behaviour:
        return self.contract.behaviour

    @property
    def provider(self) -> str:
        return self.contract.provider

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.rows, self.world)

    def choice(self, interpretation: str) -> str:
        """The reading in force for a point where the document is silent."""
        known = self.behaviour.interpretations[interpretation]
        return self.settings.choices.get(f"{self.provider}.{interpretation}", known.default)

    def rng(self, *purpose: object) -> Random:
        """A seeded generator of its own for *purpose*."""
        return stream(self.seed, self.provider, *purpose)

    # Resources

    def add(
        self,
        kind: str,
        account: str,
        doc: Mapping[str, Json],
        *,
        parent: str | None = None,
        script: Script | None = None,
    ) -> Resource:
        """A new resource with a minted id."""
        rules = self.behaviour.resources[kind]
        seq = self.rows.count(self.world, "resource")
        if seq > RESOURCES_MAX:
            raise MockError(
                f"more than {RESOURCES_MAX} resources were made in world {self.world}; reset it",
                code="too_many",
                status=503,
            )
        number = self.rows.count(self.world, f"{self.provider}/{kind}")
        resource = Resource(
            provider=self.provider,
            kind=kind,
            id=mint(rules.id_form, number, self.seed, self.provider, kind),
            account=account,
            parent=parent,
            seq=seq,
            created_ms=self.now_ms,
            doc=dict(doc),
            script=script,
            is_running_slot=script is not None and rules.counts_as_running,
        )
        self.rows.add_resource(self.world, resource)
        return resource

    def start(
        self,
        kind: str,
        account: str,
        doc: Mapping[str, Json],
        *,
        parent: str | None = None,
        cost: Cost | None = None,
        operation: str = "",
        fails: str | None = None,
        waits_ms: int = 0,
        slower_ms: int = 0,
        stalls: bool = False,
    ) -> Resource:
        """Accept a job: draw its whole script, take or set aside its *cost*, schedule its effects.

        *doc* is also where durations find the facts that stretch them. *fails* is the reason of a
        failure that is certain already (empty for the usual one). It leaves its first state
        *waits_ms* later than drawn, ends *slower_ms* later, or *stalls* where it runs. The caller
        has checked that *cost* can be paid.
        """
        lifecycle = self.behaviour.resources[kind].lifecycle
        assert lifecycle is not None, kind
        fault = self.strike("job_failure", {"operation": operation, "account": account})
        reason, at, spoken = fails, 1.0, None
        if operation in self.behaviour.streams:
            broken = self.strike("stream_error", {"operation": operation, "account": account})
            if broken is not None:
                fault, spoken = broken, int(broken.attributes["after_events"])
        if fault is not None:
            reason = fault.attributes.get("reason") or lifecycle.failure
            at = float(fault.attributes.get("at", 1.0))
        number = self.rows.count(self.world, "script")
        script = draw_script(
            lifecycle,
            self.rng("script", number),
            doc,
            pace=self.settings.pace,
            fails=(reason or lifecycle.failure) if reason is not None else None,
            fails_at=at,
        )
        if waits_ms:
            script = kept_waiting(script, waits_ms)
        if slower_ms or stalls:
            script = delayed(script, slower_ms, stalls=stalls)
        # What happens later, without a request, still hands out addresses that reach us.
        kept = {**doc, "operation": operation, "base_url": self.base_url}
        if at < 1.0:
            kept["fails_at"] = at
        if spoken is not None:
            kept["events_before_error"] = spoken
        elif reason is not None and at == 1.0 and operation in self.behaviour.streams:
            kept["fails_after"] = self.behaviour.streams[operation].fails_after
        if cost is not None:
            kept["cost"] = cost.amount
        job = self.add(kind, account, kept, parent=parent, script=script)
        if cost is not None and cost.amount:
            self._take(job, cost)
        self.schedule_step(job, 1)
        return job

    def _take(self, job: Resource, cost: Cost) -> None:
        if cost.moment is Moment.ACCEPTANCE:
            paid = self.ledger.charge(job.account, cost.amount, self.now_ms, job.id, self.number)
        elif self.reserves:
            paid = self.ledger.hold(job.account, cost.amount, self.now_ms, job.id, self.number)
        else:
            paid = True
        assert paid, "the gate before this checked the balance"

    @property
    def reserves(self) -> bool:
        """Whether the cost of a running job is set aside, or only checked when it starts."""
        known = self.behaviour.interpretations
        return "credit_hold" not in known or self.choice("credit_hold") == "reserve"

    def schedule_step(self, job: Resource, step: int) -> None:
        """Make the *step*-th step of a job's script due; nothing if it has no such step."""
        assert job.script is not None
        if job.script.held_ms is not None or step >= len(job.script.steps):
            return
        offset_ms, state = job.script.steps[step]
        self.rows.add_effect(
            self.world,
            Effect(
                seq=self.rows.count(self.world, "effect"),
                due_ms=max(job.created_ms + offset_ms, self.now_ms),
                kind="step",
                subject=f"{job.provider}/{job.kind}/{job.id}",
                step=step,
                label=f"job.{step_label(self.state_rules(job, state).kind)}",
            ),
        )

    def find(self, kind: str, id_: str) -> Resource | None:
        return self.rows.resource(self.world, self.provider, kind, id_)

    def newest(self, kind: str, parent: str) -> Resource | None:
        """The youngest resource of *kind* below *parent*."""
        return self.rows.newest_child(self.world, self.provider, kind, parent)

    def save(self, resource: Resource) -> None:
        self.rows.save_resource(self.world, resource)

    def account(self, account: str) -> Account:
        found = self.rows.account(self.world, account)
        assert found is not None, account
        return found

    # States

    def state(self, job: Resource) -> str:
        """The state of a job now, in the provider's words."""
        assert job.script is not None, job.kind
        return job.script.state_at(job.offset_ms(self.now_ms))

    def kind(self, job: Resource) -> Kind:
        """What the state of a job means."""
        return self.state_rules(job, self.state(job)).kind

    def progress(self, job: Resource) -> int:
        """0 to 100."""
        lifecycle = self.kind_rules(job).lifecycle
        assert job.script is not None
        assert lifecycle is not None
        return job.script.progress(job.offset_ms(self.now_ms), lifecycle)

    def entered_ms(self, job: Resource) -> int:
        """When the job entered the state it is in."""
        assert job.script is not None
        return job.created_ms + job.script.entered_at(job.offset_ms(self.now_ms))

    def remaining_ms(self, job: Resource) -> int:
        """Until a job ends; 0 when it has ended, or is held."""
        ends_ms = job.script.ends_ms if job.script is not None else None
        return max(0, ends_ms - job.offset_ms(self.now_ms)) if ends_ms is not None else 0

    def wall_wait_ms(self, job: Resource) -> int | None:
        """How long the caller waits, on a wall clock, until *job* enters its next state.

        0 where waiting alone gets nowhere; None when there is no next state.
        """
        assert job.script is not None, job.kind
        offset_ms = job.offset_ms(self.now_ms)
        step = job.script.next_after(offset_ms)
        if step is None:
            return None
        return ceil((step[0] - offset_ms) / self.speed) if self.speed else 0

    def kind_rules(self, resource: Resource) -> ResourceKind:
        return self.behaviour.resources[resource.kind]

    def state_rules(self, resource: Resource, state: str) -> State:
        lifecycle = self.kind_rules(resource).lifecycle
        assert lifecycle is not None
        return lifecycle.states[state]

    # What leaves the mock

    def url(self, name: str, **parts: str) -> str:
        """An absolute URL of the kind *name*, signed when the contract says so."""
        rules = self.behaviour.urls[name]
        path = rules.path.format(**parts)
        query = signed_query(rules, path, self.url_secret, self.now_ms, self.number)
        return f"{self.base_url}/_storage/{path}" + (f"?{query}" if query else "")

    @property
    def url_secret(self) -> bytes:
        return hashlib.sha256(f"url/{self.world}/{self.seed}".encode()).digest()

    def record(self, type_: str, subject: str, **doc: Json) -> Event:
        """Note that something happened."""
        seq = self.rows.count(self.world, "event")
        event = Event(seq, self.now_ms, type_, subject, doc)
        self.rows.add_event(self.world, event)
        return event

    def strike(
        self,
        type_: str,
        facts: Mapping[str, str | None],
        can_act: Callable[[Fault], bool] = lambda _: True,
    ) -> Fault | None:
        """The ordered fault of *type_* that meets a target with these *facts* now, if any.

        One that *can_act* denies has not met it: it counts neither as seen nor as fired.
        """
        known = {"provider": self.provider, **facts}
        for raw in self.rows.documents(self.world, "fault"):
            fault = Fault.from_json(raw)
            if fault.type != type_ or fault.is_spent or not fault.fits(known):
                continue
            if not can_act(fault):
                continue
            fault, hit = strikes(fault, self.seed)
            self.rows.save_document(self.world, "fault", fault.id, 0, fault.to_json())
            if hit:
                return fault
        return None

    @property
    def has_faults(self) -> bool:
        """Whether any fault is on order in this world."""
        return bool(self.rows.documents(self.world, "fault"))

    @property
    def now(self) -> str:
        """RFC 3339."""
        return rfc3339(self.now_ms)


def step_label(kind: Kind) -> str:
    """What the control API calls the entry into a state of *kind*."""
    return "completed" if kind is Kind.SUCCEEDED else kind.value
