"""How a provider refuses requests."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..expressions.templates import Template
from ..formats import means

Gate = Literal[
    "authentication",
    "body",
    "validation",
    "idempotency",
    "rate_limit",
    "existence",
    "ownership",
    "state",
    "content",
    "concurrency",
    "credits",
]


class RefusalRule(Struct, frozen=True, forbid_unknown_fields=True):
    """The provider's answer to one reason of refusal."""

    status: Annotated[int, means("The status.", 404), Meta(ge=400, le=599)]
    message: Annotated[str, means("A template over the facts of the refusal.", "No {resource}.")]
    body: Annotated[
        Template | None, means("Its own body; `$message` is the message.", {"m": "$message"})
    ] = None
    headers: Annotated[
        Mapping[str, str] | None, means("Templates of its headers.", {"Retry-After": "{wait_s}"})
    ] = None
    departure: Annotated[
        str | None,
        means("The interpretation that takes it out of the documented contract.", "extensions"),
    ] = None


class RefusalsSection(Struct, frozen=True, forbid_unknown_fields=True):
    """How requests are refused."""

    order: Annotated[
        tuple[Gate, ...], means("The gates in their order.", ["authentication", "validation"])
    ] = ()
    foreign: Annotated[
        Literal["refuse", "hide"], means("How another account's resource is answered.", "hide")
    ] = "refuse"
    unknown_fields: Annotated[
        Literal["ignore", "refuse"], means("How a field without a schema is answered.", "refuse")
    ] = "ignore"
    empty_form_texts: Annotated[
        Literal["kept", "absent"], means("Whether an empty form field was sent.", "absent")
    ] = "kept"
    trailing_slash: Annotated[
        Literal["none", "redirect_307", "append_301"],
        means("How a path with the other ending is answered.", "append_301"),
    ] = "none"
    body: Annotated[Template | None, means("The body of every refusal.", {"error": "$message"})] = (
        None
    )
    replies: Annotated[
        Mapping[str, RefusalRule],
        means("By reason.", {"not_found": {"status": 404, "message": "No {resource}."}}),
    ] = {}
