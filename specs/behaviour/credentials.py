"""Where requests have keys, and the forms of keys."""

from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from ..formats import FILLED, Key, Source, means, one_of
from .forms import COOKIE, QUERY

_Positive = Annotated[int, Meta(ge=1)]


class KeyPlace(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a request has a key."""

    header: Annotated[str, means("The header.", "Authorization")] = ""
    scheme: Annotated[str, means("The word before the key in the header.", "Bearer")] = ""
    query: Annotated[str, means("The query parameter.", "api_key")] = ""
    cookie: Annotated[str, means("The cookie.", "session")] = ""

    @property
    def form(self) -> tuple[str, str]:
        """The place (a header, or `?query`, or `;cookie`), and the scheme word or nothing."""
        if self.query:
            return QUERY + self.query, ""
        return (COOKIE + self.cookie, "") if self.cookie else (self.header.lower(), self.scheme)


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """How a security scheme of the OpenAPI file is read from a request."""

    scheme: Key
    accepts: Annotated[
        tuple[Annotated[KeyPlace, one_of("header", "query", "cookie")], ...],
        means(
            "Where the key may be; the first is the documented place.",
            [{"header": "Authorization", "scheme": "Bearer"}],
        ),
        Meta(min_length=1),
    ]
    key_kind: Annotated[str, means("The kind of key that it takes.", "api_key")] = field(name="key")
    key_form: Annotated[str, means("The form of its keys.", "sk_{base62:32}")] = field(name="form")
    active_max: Annotated[_Positive | None, means("The most active keys.", 10)] = None
    lives_ms: Annotated[
        _Positive | None,
        means("How long a key from the provider itself lives; for ever.", 864_000_000),
    ] = None
    source: Source = ""
    forms: Annotated[tuple[tuple[str, str], ...], FILLED] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "forms", tuple(it.form for it in self.accepts))
