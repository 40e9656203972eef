"""The webhooks of a provider: events, templates, signature, retries."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ..expressions.templates import Template
from ..formats import Key, Source, instead, means
from .lifecycles import Kind, State

_Positive = Annotated[int, Meta(ge=1)]
_ENDS = instead({"enum": ["succeeded", "failed"]})
EXAMPLE = {"video.done": {"lifecycle": "video", "ends": "succeeded"}}


class WebhookEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent when a job ends, or enters a state: one of `ends` and `enters` is given."""

    type: Key
    lifecycle: Annotated[str, means("The lifecycle of the job.", "video")]
    ends: Annotated[Kind | None, means("The kind of its last state.", "succeeded"), _ENDS] = None
    data: Annotated[
        Template, means("A template for what only this event has.", {"url": "$job.url.video"})
    ] = field(default_factory=lambda: Template(None))
    source: Source = ""
    enters: Annotated[
        frozenset[str],
        means("The states on which it is sent; that at acceptance is not announced.", ["running"]),
    ] = frozenset()


class WebhookRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Deliveries: events, templates, signature, retries."""

    events: Annotated[Mapping[str, WebhookEvent], means("By type.", EXAMPLE), Meta(min_length=1)]
    id_form: Annotated[str, means("The form of an event's id.", "evt_{hex:24}")] = field(name="id")
    body: Annotated[
        Template,
        means(
            "A template: `$id`, `$type`, `$created.iso` (.s, .ms), `$data`, and of the job what "
            "its view may name.",
            {"id": "$id", "job": "$job.id", "data": "$data"},
        ),
    ]
    headers: Annotated[
        Mapping[str, str],
        means(
            "Templates: `{signature.hex}` (.base64), `{timestamp.s}` (.ms, .iso), `{id}`, "
            "`{type}`, `{attempt}`.",
            {"X-Signature": "t={timestamp.s},v1={signature.hex}"},
        ),
    ]
    retries_ms: Annotated[
        tuple[_Positive, ...], means("The waits after failed attempts.", [60_000, 300_000])
    ]
    endpoints_max: Annotated[_Positive, means("The most endpoints of an account.", 10)]
    secret_form: Annotated[str, means("The form of secrets.", "whsec_{base62:32}")]
    source: Source = ""
    signed: Annotated[str, means("The text that HMAC-SHA256 signs.", "{timestamp.s}.{body}")] = (
        "{timestamp.s}.{body}"
    )
    clock: Annotated[Literal["machine", "world"], means("Whose time `timestamp` is.", "world")] = (
        "machine"
    )

    address: Annotated[
        Template | None,
        means(
            "Where the request that made the job wants its events, beside registered endpoints.",
            "$job.input.?webhook.orValue(null)",
        ),
    ] = None
    only: Annotated[
        Template | None,
        means(
            "The types of events that this request wants; null for all.",
            "$job.input.?webhook_events_filter.orValue(null)",
        ),
    ] = None
    secret_is: Annotated[
        Literal["text", "base64"],
        means(
            "What of the secret is the key of the signature: its text, or what the part behind its "
            "first underscore encodes, as Standard Webhooks defines it.",
            "base64",
        ),
    ] = "text"

    @property
    def is_signed(self) -> bool:
        """Whether a header has a signature."""
        return any("{signature." in it for it in self.headers.values())

    def event(self, lifecycle: str, state: State) -> WebhookEvent | None:
        """The event of a job of *lifecycle* that enters *state*; None if there is none."""
        for it in self.events.values():
            if it.lifecycle == lifecycle and (it.ends is state.kind or state.name in it.enters):
                return it
        return None

    def signature(self, secret: str, text: str) -> bytes:
        """The HMAC-SHA256 of *text* by *secret*."""
        key = secret.encode()
        if self.secret_is == "base64":
            key = base64.b64decode(secret.partition("_")[2])
        return hmac.new(key, text.encode(), hashlib.sha256).digest()
