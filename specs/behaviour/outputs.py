"""Event streams and signed URLs of a provider."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from ..expressions.templates import Template
from ..formats import Key, Source, means
from ..json_types import Json

Fields = Mapping[str, Json]
_NAMES = {it: it for it in ("signature", "date", "expires", "nonce")}


class StreamRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The events of a streaming operation, as templates over the job's facts."""

    operation: Key
    lifecycle: Annotated[str, means("The lifecycle of the job that the stream follows.", "plan")]
    events: Annotated[
        tuple[Fields, ...],
        means("The templates of the events, in order.", [{"event": "done"}]),
        Meta(min_length=1),
    ]
    on_error: Annotated[
        Fields, means("The template of the event of a failure.", {"event": "error"})
    ]
    order: Annotated[tuple[str, ...], means("The names of events in their order.", ["plan"])]
    last: Annotated[tuple[str, ...], means("The names of events that end it.", ["done", "error"])]
    name_field: Annotated[str, means("The field that has an event's name.", "event")]
    rising_field: Annotated[str, means("The field that only rises.", "progress")]
    source: Source = ""
    fails_after: Annotated[
        str,
        means("The event after which a job fails that was to fail; the last unless given.", "plan"),
    ] = ""
    json: Annotated[
        Literal["compact", "spaced"],
        means("Whether JSON has a blank after each comma and colon.", "spaced"),
    ] = "compact"
    when_abandoned: Annotated[
        Literal["goes_on", "fails"],
        means("What happens to the job when its client disconnects.", "fails"),
    ] = "goes_on"

    @property
    def is_spaced(self) -> bool:
        """Whether JSON has a blank after each comma and colon."""
        return self.json == "spaced"

    @property
    def fails_when_abandoned(self) -> bool:
        """Whether the job ends when its client leaves the stream."""
        return self.when_abandoned == "fails"


class FileRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The file behind a URL with an `{id}`, once the resource has succeeded: a video or a picture.

    A video has the ids of its resource and its world in it.
    """

    kind: Annotated[str, means("The kind of resource.", "video")] = field(name="of")
    size: Annotated[Template, means("Width and height.", [1280, 720], "$media.sizes[doc.aspect]")]
    still: Annotated[
        Template | None,
        means(
            "A picture in place of the video: poster and spritesheet are JPEG, preview is WebP, "
            "page is PNG; null is the video.",
            "poster",
        ),
    ] = None
    fps: Annotated[Template | None, means("Frames a second.", 30)] = None
    seconds: Annotated[
        Template | None, means("The length; the nearest there is.", "$doc.seconds")
    ] = None
    stamp: Annotated[
        Template | None, means("What else it has in it.", {"prompt": "$digest([doc.prompt])"})
    ] = None


class UrlRules(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of URL in the provider's answers. A URL that expires is signed."""

    name: Key
    path: Annotated[
        str, means("A template; `{id}` is the id of the resource.", "exports/{id}/video.mp4")
    ]
    lives_ms: Annotated[int | None, means("The lifetime; null: it never expires.", 3_600_000)]
    source: Source = ""
    names: Annotated[
        Mapping[str, str],
        means("The query parameters of a URL that expires, by role.", {"signature": "sig"}),
        Meta(extra_json_schema={"propertyNames": {"enum": ["algorithm", *_NAMES]}}),
    ] = {}
    file: Annotated[
        FileRules | None,
        means("The file that it serves.", {"of": "video", "size": [1280, 720]}),
    ] = None

    def parts_of(self, path: str) -> Mapping[str, str] | None:
        """What *path* has in place of the fields of the template; None for another kind of URL."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[A-Za-z0-9_-]{1,64})", re.escape(self.path))
        match = re.fullmatch(pattern, path)
        return match.groupdict() if match is not None else None

    def __post_init__(self) -> None:
        # What expires carries its end in its query, under the provider's names or plain ones.
        names = {} if self.lives_ms is None else {**_NAMES, **self.names}
        force_setattr(self, "names", names)
