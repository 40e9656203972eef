"""The webhooks of a provider: events, templates, signature, retries."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ..expressions.templates import Template
from ..formats import Key, Source, instead, means
from .lifecycles import Kind

_Positive = Annotated[int, Meta(ge=1)]
_ENDS = instead({"enum": ["succeeded", "failed"]})
EXAMPLE = {"video.done": {"lifecycle": "video", "ends": "succeeded"}}


class WebhookEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent when a job ends."""

    type: Key
    lifecycle: Annotated[str, means("The lifecycle of the job.", "video")]
    ends: Annotated[Kind, means("The kind of its last state.", "succeeded"), _ENDS]
    data: Annotated[
        Template, means("A template for what only this event has.", {"url": "$job.url.video"})
    ] = field(default_factory=lambda: Template(None))
    source: Source = ""


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

    def event(self, lifecycle: str, end: Kind) -> WebhookEvent | None:
        """The event of a job of *lifecycle* that ends in *end*; None if there is none."""
        events = self.events.values()
        return next((it for it in events if (it.lifecycle, it.ends) == (lifecycle, end)), None)
