"""Event streams and signed URLs of a provider.

Structs of a behaviour file, filled by `behaviour_file`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from ..expressions.templates import Template
from ..json_types import Json


class StreamRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The events of a streaming operation, as templates over the job's facts.

    *fails_after* names the event after which a failure that was certain from the start comes; empty
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


class FileRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The file behind a URL with an `{id}`: that of a resource of a kind, once it has succeeded.

    It is a video, or a picture of the kind *still*, of *size* (width and height). A video has the
    length nearest to *seconds*, and *stamp* in it beside the ids of its resource and world.
    """

    kind: str = field(name="of")
    size: Template
    still: str | None = None
    fps: Template | None = None
    seconds: Template | None = None
    stamp: Template | None = None


class UrlRules(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of URL in the provider's answers. *lives_ms* None means it never expires.

    *path* is a template such as `exports/{id}/video.mp4`. *names* maps the roles `algorithm date
    expires nonce signature` to query parameter names. A URL that expires has all but the first.
    """

    name: str
    path: str
    lives_ms: int | None
    names: Mapping[str, str]
    source: str
    file: FileRules | None = None
