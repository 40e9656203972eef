"""One world at one instant: what a rule may read or change.

Provider modules reach the mock through this class and `Call` alone. An instant is made for one
transaction and one `now`, so a rule cannot depend on when it happens to run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from math import ceil
from random import Random

from msgspec import Struct, field
from msgspec.structs import replace

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.lifecycles import Kind, State
from screentest.specs.behaviour.operations import ResourceKind
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..kernel.clock import NEVER_MS
from ..kernel.environ_keys import FILES
from ..kernel.faults import Fault, count_match
from ..kernel.ids import mint, stream
from ..kernel.ledger import Ledger
from ..kernel.lifecycle import Script
from ..kernel.rows import Event, Resource
from ..kernel.signing import signed_query
from ..store.working_set import WorkingSet
from .world import World

#: The content of a resource without any. Like every row it is never changed.
_NO_FIELDS: Mapping[str, Json] = {}


class Lasting(Struct, gc=False):
    """Until when the facts that a request has read stay true, if nothing is written meanwhile."""

    until_ms: int = NEVER_MS

    def end_by(self, until_ms: int) -> None:
        """Note that a fact which was read may change at *until_ms*."""
        if until_ms < self.until_ms:
            self.until_ms = until_ms


class Instant(Struct, frozen=True):
    """A world as one provider sees it at *now_ms*.

    *number* is the request's number in the world; 0 where a due effect runs.

    An answer to a poll is reused until a fact in it changes, so each property and method notes in
    *lasting* how long its result is valid. *at_ms* and *request* are the time and the number
    without that note, for uses that are not part of an answer.
    """

    contract: Contract
    world: World
    at_ms: int
    base_url: str
    request: int = 0
    lasting: Lasting = field(default_factory=Lasting)

    @property
    def now_ms(self) -> int:
        """The time. An answer that shows it is valid for a millisecond."""
        self.lasting.end_by(self.at_ms + 1)
        return self.at_ms

    @property
    def number(self) -> int:
        """The number of the request, which no other request has."""
        # Two answers with it differ, so none of them can be reused.
        self.lasting.end_by(self.at_ms)
        return self.request

    @property
    def rows(self) -> WorkingSet:
        """The rows of the world."""
        return self.world.rows

    @property
    def behaviour(self) -> Behaviour:
        return self.contract.behaviour

    @property
    def provider(self) -> str:
        # Each call asks for it some twenty times, so not through another property.
        return self.contract.behaviour.provider

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.rows)

    def reading(self, interpretation: str) -> str:
        """The reading in force for an interpretation."""
        return self.contract.reading_of(interpretation)

    def rng(self, *purpose: object) -> Random:
        """A seeded generator for *purpose*, independent of all others."""
        return stream(self.world.seed, self.provider, *purpose)

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
        # Two counters: one orders all resources of a world, the other one makes the ids of a kind
        # independent of the other kinds.
        seq = self.rows.count("resource")
        number = self.rows.count(f"{self.provider}/{kind}")
        resource = Resource(
            provider=self.provider,
            kind=kind,
            id=mint(rules.id_form, number, self.world.seed, self.provider, kind),
            account=account,
            parent=parent,
            seq=seq,
            created_ms=self.now_ms,
            doc=dict(doc) if doc else _NO_FIELDS,
            script=script,
            is_running_slot=script is not None and rules.counts_as_running,
        )
        self.rows.resources.put(resource)
        self.rows.make_room(self.now_ms)
        return resource

    def find(self, kind: str, id_: str) -> Resource | None:
        return self.rows.resources.find(self.provider, kind, id_)

    def newest(self, kind: str, parent: str) -> Resource | None:
        """The newest resource of *kind* below *parent*."""
        return self.rows.resources.newest_child(self.provider, kind, parent)

    def save(
        self,
        resource: Resource,
        doc: Mapping[str, Json] | None = None,
        script: Script | None = None,
    ) -> Resource:
        """*resource* with the fields of *doc* set, and with another *script* if one is given."""
        changed = replace(
            # A new row: others may still read the old one, outside of this transaction.
            resource,
            doc={**resource.doc, **(doc or {})},
            script=script or resource.script,
        )
        self.rows.resources.put(changed)
        return changed

    # States

    def state(self, job: Resource) -> str:
        """The job's current state, in the provider's words."""
        assert job.script is not None, job.kind
        return job.script.state_at(self._age_ms(job))

    def _age_ms(self, job: Resource) -> int:
        """The offset of now in the script of *job*, for a result that changes with its state."""
        offset_ms = job.offset_ms(self.at_ms)
        changes_ms = job.script.changes_after(offset_ms) if job.script is not None else None
        if changes_ms is not None:
            self.lasting.end_by(job.created_ms + changes_ms)
        return offset_ms

    def kind(self, job: Resource) -> Kind:
        """What the job's current state means to the engine."""
        return self.state_rules(job, self.state(job)).kind

    def progress(self, job: Resource) -> int:
        """0 to 100."""
        lifecycle = self.kind_rules(job).lifecycle
        assert job.script is not None
        assert lifecycle is not None
        shown, until_ms = job.script.progress(job.offset_ms(self.at_ms), lifecycle)
        if until_ms is not None:
            self.lasting.end_by(job.created_ms + until_ms)
        return shown

    def entered_ms(self, job: Resource) -> int:
        """When the job entered its current state."""
        assert job.script is not None
        return job.created_ms + job.script.entered_at(self._age_ms(job))

    def remaining_ms(self, job: Resource) -> int:
        """Milliseconds until the job ends; 0 if it has ended or is held."""
        ends_ms = job.script.ends_ms if job.script is not None else None
        if ends_ms is None or ends_ms <= self._age_ms(job):
            return 0
        return ends_ms - job.offset_ms(self.now_ms)

    def wall_wait_ms(self, job: Resource) -> int | None:
        """Milliseconds of real time until *job* enters its next state.

        0 if only an explicit advance gets there; None without a next state.
        """
        assert job.script is not None, job.kind
        step = job.script.next_after(self._age_ms(job))
        if step is None:
            return None
        # Rounded up: a client that waits exactly so long must find the next state.
        speed = self.world.clock.own_speed
        return ceil((step[0] - job.offset_ms(self.now_ms)) / speed) if speed else 0

    def kind_rules(self, resource: Resource) -> ResourceKind:
        return self.behaviour.resources[resource.kind]

    def state_rules(self, resource: Resource, state: str) -> State:
        lifecycle = self.kind_rules(resource).lifecycle
        assert lifecycle is not None
        return lifecycle.states[state]

    # What leaves the mock

    def url(self, name: str, **parts: str) -> str:
        """An absolute URL of the kind *name*, signed where the contract says so."""
        rules = self.behaviour.urls[name]
        path = rules.path.format(**parts)
        address = f"{self.base_url}{FILES}{path}"
        if not rules.names:
            return address
        assert rules.lives_ms is not None, name
        # A resource with a valid URL is not dropped from the history.
        for id_ in parts.values():
            self.rows.note_signed(id_, self.now_ms + rules.lives_ms)
        query = signed_query(rules, path, url_secret(self.world), self.now_ms, self.number)
        return f"{address}?{query}"

    def record(self, type_: str, subject: str, **doc: Json) -> Event:
        """Add an event to the world's list, and return it."""
        seq = self.rows.count("event")
        event = Event(seq, self.now_ms, type_, subject, doc)
        self.rows.events.put(event)
        return event

    def apply_fault(
        self,
        type_: str,
        facts: Mapping[str, str | None],
        can_act: Callable[[Fault], bool] = lambda _: True,
    ) -> Fault | None:
        """The injected fault of *type_* that applies to a target with these *facts*, if any.

        A fault for which *can_act* is false counts neither as seen nor as fired.
        """
        known = {"provider": self.provider, **facts}
        # The first fault that applies acts alone: later ones do not count this target.
        for raw in self.rows.documents.of("fault"):
            fault = Fault.from_json(raw)
            if fault.type != type_ or fault.is_spent or not fault.fits(known):
                continue
            if not fault.is_in_force(self.at_ms):
                continue
            if not can_act(fault):
                continue
            # Stored even if it does not apply, because `nth` and `probability` count every match.
            fault, applies = count_match(fault, self.world.seed)
            self.rows.documents.save("fault", fault.id, 0, fault.to_json())
            if applies:
                return fault
        return None

    @property
    def has_faults(self) -> bool:
        """Whether the world has any injected fault."""
        return bool(self.rows.documents.of("fault"))


def url_secret(world: World) -> bytes:
    """The secret that signs the URLs of *world*."""
    # By world and seed: equal runs give equal URLs, and a URL does not open files of other worlds.
    return hashlib.sha256(f"url/{world.id}/{world.seed}".encode()).digest()


def step_label(kind: Kind) -> str:
    """What the control API calls the entry into a state of *kind*."""
    return "completed" if kind is Kind.SUCCEEDED else kind.value
