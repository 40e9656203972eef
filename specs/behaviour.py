"""What a provider does over time, as data: lifecycles, prices, limits, streams, refusals.

Frozen structs, read from a file by `behaviour_file`. Durations are integer milliseconds, money
is integer credits.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property

from msgspec import Struct, field

from .arithmetic import Formula
from .citations import Citations
from .errors import ContractError
from .json_types import Json


class Kind(Enum):
    """What a state means to the engine; its name belongs to the provider."""

    RESTING = "resting"  # stays until somebody acts
    WAITING = "waiting"  # accepted, not picked up
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"  # ended by an act, such as a revoked key

    @property
    def is_final(self) -> bool:
        return self is Kind.SUCCEEDED or self is Kind.FAILED or self is Kind.CLOSED


class Moment(Enum):
    """When a price is taken."""

    ACCEPTANCE = "acceptance"  # charged with the accepting answer, given back on failure
    COMPLETION = "completion"  # set aside at acceptance, taken when the job succeeds
    ANSWER = "answer"  # charged with a successful answer, no job involved


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """One state. *lasts_ms* is (shortest, longest) for the states a job passes through."""

    name: str
    kind: Kind
    lasts_ms: tuple[int, int] | None = None


class Lifecycle(Struct, frozen=True, forbid_unknown_fields=True):
    """The states of one kind of resource and the edges between them.

    *scale* stretches every duration: (fact name, {fact value: factor}). *failure* is the reason
    told when nobody gave one.
    """

    name: str
    states: Mapping[str, State]
    edges: Mapping[str, tuple[str, ...]]
    source: str
    failure: str = ""
    scale: tuple[str, Mapping[str, float]] | None = None

    @property
    def simulated(self) -> bool:
        """Whether jobs pass through its states by themselves."""
        return any(state.lasts_ms for state in self.states.values())

    @property
    def path(self) -> tuple[State, ...]:
        """The states a job passes through on its way, without its end."""
        return tuple(
            state
            for state in self.states.values()
            if state.kind is Kind.WAITING or state.kind is Kind.RUNNING
        )

    def end(self, kind: Kind) -> State:
        """The final state of *kind*; a lifecycle has at most one."""
        return next(state for state in self.states.values() if state.kind is kind)


class ResourceKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of thing that accounts own. *id_form* such as `job_{base62:12}` mints its ids.

    *called* is its name in messages. *view* is the reply body of a resource where
    no function shapes it. *outside* are the fields of one that is made outside of the API, with
    the JSON Schema of each; None where that cannot be.
    """

    name: str
    id_form: str = field(name="id")
    called: str
    lifecycle: Lifecycle | None = None
    parent: str | None = None
    counts_as_running: bool = False
    view: Json = None
    outside: Mapping[str, Json] | None = None


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation costs. *table* adds facts: (names of the deciding facts, nested rows).

    Without *balance_min* credits even a lower price is refused.
    """

    formula: Formula = field(name="amount")
    moment: Moment
    source: str
    table: tuple[tuple[str, ...], Mapping[str, Json]] | None = None
    defaults: Mapping[str, Json] | None = None
    balance_min: int = 0

    def amount(self, facts: Mapping[str, Json]) -> int:
        """Credits for a request with these *facts*.

        Raises:
            ContractError: a fact is missing, or the table has no such row.
        """
        known = {**(self.defaults or {}), **facts}
        if self.table is not None:
            names, rows = self.table
            row: Json = rows
            for name in names:
                row = row.get(str(known.get(name)))
                if row is None:
                    raise ContractError(f"no price for {name} {known.get(name)!r}")
            known |= row
        return self.formula.amount({name: known[name] for name in self.formula.names})


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that an operation acts on.

    *id_from* says where its id stands: `path.videoId`, `query.id` or `body.uri`. *within* names an
    earlier target that must be its parent. *states* limits the states in which the operation works.
    """

    kind: str = field(name="resource")
    id_from: str = field(name="id")
    within: str | None = None
    states: frozenset[str] = frozenset()
    hidden: bool = False


class ModelRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Which models a call can ask for (*names*), and where it says which: paths into its facts."""

    at: tuple[str, ...]
    names: tuple[str, ...]


class OperationRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation does beyond its shape. All lists may be empty."""

    id: str = field(name="operation")
    source: tuple[str, ...] = ()
    effect: str = "read"
    targets: tuple[Target, ...] = field(default=(), name="acts_on")
    price: Price | None = None
    starts: str | None = None
    does: str | None = None
    answer: Json = None
    status: int | None = None
    is_anonymous: bool = field(default=False, name="anonymous")
    models: ModelRules | None = None


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """How a security scheme of the OpenAPI file is read from a request.

    *forms* are (header, scheme word or empty); the first is the documented one. *key_kind* is the
    kind of key that opens it. Keys that the provider itself hands out work for *lives_ms*; None
    means for ever.
    """

    scheme: str
    forms: tuple[tuple[str, str], ...] = field(name="accepts")
    key_kind: str = field(name="key")
    key_form: str = field(name="form")
    active_max: int | None = None
    lives_ms: int | None = None
    source: str = ""


class RefusalRule(Struct, frozen=True, forbid_unknown_fields=True):
    """The provider's answer to one reason of refusal; *message* is a template over facts.

    *departure* names the interpretation that takes the answer out of the documented contract.
    """

    status: int
    message: str
    body: Json = None
    headers: Mapping[str, str] | None = None
    departure: str | None = None


class RateWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """At most *limit* accepted calls of *operations* per sliding *per_ms*, for one *scope*.

    With *counts* `refused_too` a call that was refused for its content takes room as well. *when*
    limits the window to one reading of an interpretation.
    """

    name: str
    operations: frozenset[str]
    limit: int
    per_ms: int
    scope: str
    source: str
    counts: str = "accepted"
    when: Mapping[str, str] = {}

    @property
    def counts_refused(self) -> bool:
        """Whether a refused call takes room."""
        return self.counts == "refused_too"

    @property
    def reading(self) -> tuple[str, str] | None:
        """The interpretation and the value under which the window is in force; None for always."""
        return next(iter(self.when.items()), None)


class Concurrency(Struct, frozen=True, forbid_unknown_fields=True):
    """At most *limits[tier]* running jobs per *scope* (`account` or `key`).

    With *counts* `paid_calls_too` a call that pays for its answer takes a place as well: for
    *answers_take_ms* after it came in, or with None until it is answered.
    """

    limits: Mapping[str, int]
    scope: str
    source: str
    retry_after_s: int | None = None
    counts: str = "jobs"
    answers_take_ms: int | None = None

    @property
    def counts_paid_calls(self) -> bool:
        """Whether a call that pays for its answer takes a place."""
        return self.counts == "paid_calls_too"


class Idempotency(Struct, frozen=True, forbid_unknown_fields=True):
    """Replays the first answer of *operations* to the same *header* value for *keeps_ms*.

    A key is unique within its *scope*, `operation` or `account`.
    """

    header: str
    operations: frozenset[str]
    keeps_ms: int
    source: str
    scope: str = "operation"
    keeps_refusals: bool = False
    marks_repetitions: bool = True

    @property
    def spans_operations(self) -> bool:
        """Whether the same key in another operation of the account is the same key."""
        return self.scope == "account"


class Cadence(Struct, frozen=True, forbid_unknown_fields=True):
    """The *operations* that clients poll, and the pause that the provider advises between polls.

    *at_least_ms* 0 means that it advises none.
    """

    operations: frozenset[str]
    at_least_ms: int
    source: str


class StreamRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The events of a streaming operation, as templates over the job's facts.

    *fails_after* names the event after which a job fails that was to fail from its start; empty
    means after all of them. With *json* `spaced` each comma and colon has a blank after it. With
    *when_abandoned* `fails` the job ends when its client leaves the stream.
    """

    operation: str
    lifecycle: str
    events: tuple[Mapping[str, Json], ...]
    on_error: Mapping[str, Json]
    order: tuple[str, ...]
    last: tuple[str, ...]
    name_field: str
    rising_field: str
    source: str
    fails_after: str = ""
    json: str = "compact"
    when_abandoned: str = "goes_on"

    @property
    def is_spaced(self) -> bool:
        """Whether JSON has a blank after each comma and colon."""
        return self.json == "spaced"

    @property
    def fails_when_abandoned(self) -> bool:
        """Whether the job ends when its client leaves the stream."""
        return self.when_abandoned == "fails"


class UrlRules(Struct, frozen=True, forbid_unknown_fields=True):
    """A URL that the provider hands out. *lives_ms* None means it never expires.

    *path* is a template such as `exports/{id}/video.mp4`. *names* maps the roles `algorithm date
    expires nonce signature` to query parameter names; a URL with such names is signed.
    """

    name: str
    path: str
    lives_ms: int | None
    names: Mapping[str, str]
    source: str


class WebhookEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent when a job of *lifecycle* ends in a state of kind *ends*.

    *data* is a template for what only this event carries.
    """

    type: str
    lifecycle: str
    ends: Kind
    data: Json = None
    source: str = ""


class WebhookRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Deliveries: their events by type, templates of body, headers and signed text, retry waits.

    *retries_ms* are the waits after each failed attempt; after the last one the delivery is given
    up. *endpoints_max* is per account.
    """

    events: Mapping[str, WebhookEvent]
    id_form: str = field(name="id")
    body: Mapping[str, Json]
    headers: Mapping[str, str]
    signed: str
    retries_ms: tuple[int, ...]
    endpoints_max: int
    secret_form: str
    source: str

    def event(self, lifecycle: str, end: Kind) -> WebhookEvent | None:
        """What is sent when a job of *lifecycle* ends so; None when nothing is."""
        events = self.events.values()
        return next((it for it in events if (it.lifecycle, it.ends) == (lifecycle, end)), None)


class Interpretation(Struct, frozen=True):
    """A point where the document is silent, with the reading we chose and the others.

    *rules* and *shapes* hold, by reading, a JSON merge patch (RFC 7396) of the behaviour file and
    of the OpenAPI document. The provider's module does what neither patch expresses.
    """

    name: str
    id: str
    default: str
    alternatives: Mapping[str, str]
    reason: str
    rules: Mapping[str, Json]
    shapes: Mapping[str, Json]

    @property
    def readings(self) -> frozenset[str]:
        """The default and its alternatives."""
        return frozenset({self.default, *self.alternatives})

    @property
    def patched(self) -> frozenset[str]:
        """The readings that change the behaviour file or the OpenAPI document."""
        return frozenset({*self.rules, *self.shapes})


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes of requests in bytes. *field_bytes_max* is for one text of a form.

    Without a *source* the figures are ours, and no other server need keep them.
    """

    json_bytes_max: int
    upload_bytes_max: int
    source: str = ""
    field_bytes_max: int = 500_000


class Behaviour(Struct, frozen=True, dict=True):
    """Everything of a provider that OpenAPI cannot say."""

    provider: str
    name: str
    base_url: str
    document_url: str
    document_read: str
    prefixes: tuple[str, ...]
    environment: Mapping[str, str]
    initial_credits: int | None
    tiers: tuple[str, ...]
    credentials: Mapping[str, Credential]
    refusal_order: tuple[str, ...]
    refusal_body: Json
    refusals: Mapping[str, RefusalRule]
    foreign: str
    unknown_fields: str
    drops_empty_form_texts: bool
    trailing_slash: str
    lifecycles: Mapping[str, Lifecycle]
    resources: Mapping[str, ResourceKind]
    operations: Mapping[str, OperationRules]
    cites: Citations
    limits: Limits
    rate_windows: tuple[RateWindow, ...]
    concurrency: Concurrency | None
    idempotency: Idempotency | None
    cadence: Cadence | None
    streams: Mapping[str, StreamRules]
    urls: Mapping[str, UrlRules]
    webhooks: WebhookRules | None
    media: Json
    interpretations: Mapping[str, Interpretation]
    facts: Json

    @cached_property
    def credential_headers(self) -> frozenset[str]:
        """The headers in which the provider takes credentials, in lower case."""
        return frozenset(
            header.lower() for it in self.credentials.values() for header, _ in it.forms
        )

    @cached_property
    def key_forms(self) -> frozenset[str]:
        """The forms of the provider's keys, such as `sk_live_{hex:32}`."""
        return frozenset(it.key_form for it in self.credentials.values())
