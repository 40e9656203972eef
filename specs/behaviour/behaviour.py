"""What a provider does over time, as data: lifecycles, prices, streams, webhooks, refusals.

Frozen structs, filled by `behaviour_file`. Durations are integer milliseconds, money is integer
credits.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property

from msgspec import Struct, field

from ..expressions.templates import Template, View
from ..json_types import Json
from .answering import Page, RefusedWhen
from .call_limits import Cadence, Concurrency, Idempotency, Limits, RateWindow
from .citations import Citations
from .forms import COOKIE, QUERY
from .outputs import StreamRules, UrlRules
from .prices import Price

#: The `does` of an operation that the behaviour file does not name. No file can contain it.
UNBEHAVED = "unbehaved"
_NOTHING = Template(None)


class Kind(Enum):
    """The meaning of a state for the engine; the provider chooses its name."""

    RESTING = "resting"  # stays until a request acts on it
    WAITING = "waiting"  # accepted, not picked up
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"  # ended by a request, such as a revoked key

    @property
    def is_final(self) -> bool:
        return self is Kind.SUCCEEDED or self is Kind.FAILED or self is Kind.CLOSED


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """One state. *lasts_ms* is (shortest, longest) for the states a job passes through."""

    name: str
    kind: Kind
    lasts_ms: tuple[int, int] | None = None


class Lifecycle(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """The states of one kind of resource and the edges between them.

    *scale* stretches every duration: (fact name, {fact value: factor}). *failure* is the reason of
    a failure that has no other.
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

    @cached_property
    def path(self) -> tuple[State, ...]:
        """The states through which a job passes before its end."""
        return tuple(
            state
            for state in self.states.values()
            if state.kind is Kind.WAITING or state.kind is Kind.RUNNING
        )

    def end(self, kind: Kind) -> State:
        """The final state of *kind*; a lifecycle has at most one."""
        return next(state for state in self.states.values() if state.kind is kind)


class ResourceKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of resource that accounts own. *id_form*, such as `job_{base62:12}`, makes its ids.

    *called* is its name in messages. *view* is a template of its reply body, where no function
    builds one; *detail* of what the control API adds. *outside* has the JSON Schema of each field
    of a resource that is made outside of the API; None where the API is the only way.
    """

    name: str
    id_form: str = field(name="id")
    called: str
    lifecycle: Lifecycle | None = None
    parent: str | None = None
    counts_as_running: bool = False
    view: View | None = None
    detail: Template | None = None
    outside: Mapping[str, Json] | None = None


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that an operation acts on.

    *id_from* says where its id is: `path.videoId`, `query.id` or `body.uri`. *within* names an
    earlier target that must be its parent. *states* limits the states in which the operation works.
    """

    kind: str = field(name="resource")
    id_from: str = field(name="id")
    within: str | None = None
    states: frozenset[str] = frozenset()
    hidden: bool = False


class ModelRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The models that a call can ask for (*names*), and the paths into its facts that name one."""

    at: tuple[str, ...]
    names: tuple[str, ...]


class OperationRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation does beyond its shape. All lists may be empty.

    *does* works on resources of the kind *of*, or on the one that it *starts* or acts on. *let*
    names values for what follows it. *keeps* is what a new resource keeps of the request, and what
    an update changes. *item* is what a list shows of each resource, in place of its view.
    """

    id: str = field(name="operation")
    source: tuple[str, ...] = ()
    effect: str = "read"
    targets: tuple[Target, ...] = field(default=(), name="acts_on")
    price: Price | None = None
    starts: str | None = None
    does: str | None = None
    of: str | None = None
    parent: Template | None = None
    let: Mapping[str, Template] = {}
    refuses: tuple[RefusedWhen, ...] = ()
    keeps: Template | None = None
    item: View | None = None
    page: Page | None = None
    answer: View | None = None
    headers: Template | None = None
    status: Template | None = None
    is_anonymous: bool = field(default=False, name="anonymous")
    models: ModelRules | None = None

    @property
    def is_unbehaved(self) -> bool:
        """Whether the behaviour file does not name it, so that it keeps nothing."""
        return self.does == UNBEHAVED


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """How a security scheme of the OpenAPI file is read from a request.

    *forms* are (header, scheme word or empty); the first is the documented one. *key_kind* is the
    kind of key that it takes. Keys from the provider itself expire after *lives_ms*; None: never.
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


class WebhookEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent when a job of *lifecycle* ends in a state of kind *ends*.

    *data* is a template for what only this event carries.
    """

    type: str
    lifecycle: str
    ends: Kind
    data: Template = _NOTHING
    source: str = ""


class WebhookRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Deliveries: their events by type, templates of body, headers and signed text, retry waits.

    *retries_ms* are the waits after each failed attempt; the last attempt has none.
    *endpoints_max* is per account. `timestamp` is the time of *clock*: `machine` or `world`.
    """

    events: Mapping[str, WebhookEvent]
    id_form: str = field(name="id")
    body: Template
    headers: Mapping[str, str]
    signed: str
    retries_ms: tuple[int, ...]
    endpoints_max: int
    secret_form: str
    source: str
    clock: str = "machine"

    def event(self, lifecycle: str, end: Kind) -> WebhookEvent | None:
        """The event of a job of *lifecycle* that ends in *end*; None if there is none."""
        events = self.events.values()
        return next((it for it in events if (it.lifecycle, it.ends) == (lifecycle, end)), None)


class Interpretation(Struct, frozen=True):
    """A point where the document is silent, with the reading we chose and the others.

    *patches* are JSON merge patches (RFC 7396) by the name of the file that they change, and by
    reading. The provider's module does what no patch expresses.
    """

    name: str
    id: str
    default: str
    alternatives: Mapping[str, str]
    reason: str
    patches: Mapping[str, Mapping[str, Json]]

    @property
    def readings(self) -> frozenset[str]:
        """The default and its alternatives."""
        return frozenset({self.default, *self.alternatives})

    @property
    def patched(self) -> frozenset[str]:
        """The readings that change a file of the contract."""
        return frozenset(value for changes in self.patches.values() for value in changes)


class Behaviour(Struct, frozen=True, dict=True):
    """Everything about a provider that OpenAPI cannot express."""

    provider: str
    name: str
    base_url: str
    also_at: tuple[str, ...]
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

    def wording_of(self, reason: str) -> RefusalRule | None:
        """The reply to a refusal for *reason*, if the contract has one.

        That of a hidden resource is `not_found`.
        """
        is_hidden = reason == "foreign" and self.foreign == "hide"
        return self.refusals.get("not_found" if is_hidden else reason)

    def lifecycle_of(self, kind: str) -> Lifecycle | None:
        """The lifecycle of a *kind*; None if it has none, or is not a resource."""
        resource = self.resources.get(kind)
        return resource.lifecycle if resource is not None else None

    def meaning_of(self, kind: str, state: str | None) -> Kind | None:
        """The meaning of a *state* of a *kind*; None if there is no such state."""
        lifecycle = self.lifecycle_of(kind)
        if lifecycle is None or state is None or state not in lifecycle.states:
            return None
        return lifecycle.states[state].kind

    @cached_property
    def credential_headers(self) -> frozenset[str]:
        """The headers in which the provider takes credentials, in lower case."""
        places = (place for it in self.credentials.values() for place, _ in it.forms)
        return frozenset(
            "cookie" if it.startswith(COOKIE) else it.lower()
            for it in places
            if not it.startswith(QUERY)
        )

    @cached_property
    def key_forms(self) -> frozenset[str]:
        """The forms of the provider's keys, such as `sk_live_{hex:32}`."""
        return frozenset(it.key_form for it in self.credentials.values())
