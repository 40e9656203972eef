"""Everything about a provider that OpenAPI cannot express, as the mock and the kit use it.

`behaviour_file` makes it from behaviour.yaml and readings.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from ..expressions.templates import Template
from ..json_types import Json
from .call_limits import Cadence, Concurrency, Idempotency, Limits, RateWindow
from .citations import Citations
from .credentials import Credential
from .deliveries import WebhookRules
from .forms import COOKIE, QUERY
from .interpretations import Interpretation
from .lifecycles import Kind, Lifecycle
from .operations import OperationRules, ResourceKind
from .outputs import StreamRules, UrlRules
from .refusals import RefusalRule
from .retirement import Retirement


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
    refusal_body: Template
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
    retires: tuple[Retirement, ...]
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
