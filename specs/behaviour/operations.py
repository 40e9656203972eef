"""The resources that accounts own, and what operations do with them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from ..expressions.templates import Template, View
from ..formats import Cited, Key, instead, means
from ..json_types import Json
from .lifecycles import Lifecycle
from .outputs import FileRules
from .prices import Price

#: The `does` of an operation that the behaviour file does not name. No file can contain it.
UNBEHAVED = "unbehaved"
_DEEDS = [
    "create",
    "read",
    "list",
    "update",
    "cancel",
    "delete",
    "file",
    "issue",
    "revoke",
    "example",
]
_STATES = {"type": "object", "additionalProperties": {"type": "object"}}


def _written_as(type_: str) -> Meta:
    """A template that is a value of *type_*, or an expression for one."""
    return Meta(extra_json_schema={"type": [type_, "string"], "pattern": r"^\$"})


_VIEW = Meta(extra_json_schema={"properties": {"when": _STATES}})


class ResourceKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of resource that accounts own."""

    name: Key
    id_form: Annotated[
        str,
        means(
            "The form of its ids: `{hex:12}`, `{base36:12}`, `{base62:12}`, `{number}`.",
            "job_{base62:12}",
        ),
    ] = field(name="id")
    called: Annotated[str, means("Its name in messages; by default that of the kind.", "film")] = ""
    lifecycle: Annotated[
        Lifecycle | None,
        means("The lifecycle that it has.", "video"),
        instead({"type": "string"}),
    ] = None
    parent: Annotated[str | None, means("The kind of resource that it is part of.", "plan")] = None
    counts_as_running: Annotated[
        bool, means("Whether it takes a place among running jobs.", True)
    ] = False
    let: Annotated[
        Mapping[str, Template],
        means(
            "Values with names, for its other templates; each is made when it is needed.",
            {"shots": "$size(doc.scenes)"},
        ),
    ] = {}
    state: Annotated[
        Template | None,
        means(
            "The state of one that passes through none by itself.",
            "$newest('render', id) == null ? 'draft' : 'rendered'",
        ),
    ] = None
    view: Annotated[
        View | None,
        means(
            "A template of what answers show of it: `$expression` is a value, `{name}` a part of "
            "a text. `when: {state: {fields}}` adds fields by state.",
            {"id": "$id", "status": "$state", "when": {"done": {"url": "$url.video"}}},
        ),
        _VIEW,
    ] = None
    detail: Annotated[
        Template | None,
        means(
            "What the control API shows of it beyond its state, as templates.",
            {"size": "$doc.size"},
        ),
    ] = None
    outside: Annotated[
        Mapping[str, Mapping[str, Json]] | None,
        means(
            "It can also be made outside of the API, with these fields: the JSON Schema of each. "
            "One with a `default` may be left out.",
            {"title": {"type": "string", "default": "A lamp"}},
        ),
    ] = None

    def __post_init__(self) -> None:
        force_setattr(self, "called", self.called or self.name.replace("_", " "))


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that an operation acts on."""

    kind: Annotated[str, means("Its kind.", "video")] = field(name="resource")
    id_from: Annotated[
        str,
        means("Where its id is in the request.", "path.id"),
        Meta(pattern=r"^(path|query|body)\."),
    ] = field(name="id")
    within: Annotated[
        str | None, means("The kind of an earlier target that must be its parent.", "plan")
    ] = None
    states: Annotated[
        frozenset[str], means("The states in which the operation works; all.", ["done"])
    ] = frozenset()
    hidden: Annotated[bool, means("Whether a wrong state is answered as not found.", True)] = False


class ModelRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The models that a call can ask for."""

    at: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z_]+(\.[A-Za-z_]+)+$")], ...],
        means(
            "The places in the request, or in a resource (`video.model`), that name one.",
            ["body.model"],
        ),
        Meta(min_length=1),
    ]
    names: Annotated[tuple[str, ...], means("The models.", ["lamp-2"]), Meta(min_length=1)]


class RefusedWhen(Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal that an operation makes by itself."""

    when: Annotated[Template, means("The condition.", "$reading.extensions == 'strict'")]
    reason: Annotated[str, means("The reason of the refusal.", "invalid")]
    facts: Annotated[
        Template | None, means("Facts for its reply.", {"problem": "no such voice"})
    ] = None


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """Which resources a list has, newest first unless *rising*."""

    limit: Annotated[Template | None, means("How many at most.", "$query.limit", 20)] = None
    after: Annotated[
        Template | None, means("The id behind which the page starts.", "$query.?after")
    ] = None
    offset: Annotated[
        Template | None, means("How many come before the page.", "$query.offset", 0)
    ] = None
    rising: Annotated[
        Template | None, means("Whether the oldest come first.", "$query.order == 'asc'")
    ] = None
    unknown: Annotated[
        Template | None,
        means("The reason of the refusal of an unknown `after`; null ignores it.", "not_found"),
    ] = None
    where: Annotated[
        Template | None, means("Which resources; asked for each.", "$doc.made_by == 'api'")
    ] = None


class IssuedKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that an operation issues."""

    credential: Annotated[str, means("The credential whose form it has.", "apiKey")]
    name: Annotated[Template, means("Its name.", "$body.name")]
    key: Annotated[str | None, means("Its kind, if not the credential's.", "refresh")] = None


class OperationRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation does beyond its shape."""

    id: Key = field(name="operation")
    source: Annotated[tuple[Cited, ...], means("The clauses about it.", ["OZ-117"])] = ()
    effect: Annotated[
        Literal["read", "write", "billable", "destructive"],
        means("What a call changes.", "billable"),
    ] = "read"
    targets: Annotated[
        tuple[Target, ...],
        means("The resources that it acts on.", [{"resource": "video", "id": "path.id"}]),
    ] = field(default=(), name="acts_on")
    price: Annotated[
        Price | None, means("What it costs.", {"amount": "5 * seconds", "moment": "acceptance"})
    ] = None
    starts: Annotated[str | None, means("The kind of resource that it makes.", "video")] = None
    does: Annotated[
        str | None,
        means(
            "What it does with the resource that it starts, acts on or names in `of`; without it, "
            "it answers the documented example.",
            "create",
        ),
        instead({"enum": [*_DEEDS, "example"]}),
    ] = None
    of: Annotated[
        str | None,
        means("The kind of resource that it makes or lists, where it starts no job.", "video"),
    ] = None
    parent: Annotated[
        Template | None, means("The id of the parent of what it makes.", "$found.video.id")
    ] = None
    let: Annotated[
        Mapping[str, Template],
        means("Values with names, in order, for its templates.", {"size": "$body.size"}),
    ] = {}
    refuses: Annotated[
        tuple[RefusedWhen, ...],
        means(
            "Further refusals, judged in order before anything is done.",
            [{"when": "$body.seconds > 10", "reason": "invalid"}],
        ),
    ] = ()
    keeps: Annotated[
        Template | None,
        means(
            "What a new resource keeps, as `doc`, or what an update changes.",
            {"size": "$body.?size.orValue('720p')"},
        ),
    ] = None
    item: Annotated[
        View | None,
        means("What a list shows of each resource, in place of its view.", {"id": "$id"}),
        _VIEW,
    ] = None
    account: Annotated[
        Template | None,
        means(
            "The id of the account that gets the keys; the caller's unless given.", "$key.account"
        ),
    ] = None
    issues: Annotated[
        Mapping[str, IssuedKey],
        means(
            "The keys that it issues, by the names under which `issued` has them.",
            {"key": {"credential": "apiKey", "name": "$body.name"}},
        ),
    ] = {}
    revokes: Annotated[
        Template | None, means("The digest of the key that it revokes.", "$key.digest")
    ] = None
    page: Annotated[
        Page | None,
        means(
            "Which resources a list has; without it, the newest `query.limit`, 100 at most.",
            {"limit": "$query.limit", "after": "$query.?after"},
        ),
    ] = None
    failure: Annotated[
        str | None,
        means(
            "It is answered at once, and fails with this problem where a fault or a directive "
            "says so.",
            "The generation failed.",
        ),
    ] = None
    file: Annotated[
        FileRules | None,
        means(
            "The file that it answers with, or the range of it that a request asks for.",
            {"of": "video", "size": [1280, 720]},
        ),
    ] = None
    answer: Annotated[
        View | None,
        means("A template of the body, as `view`; by default the view.", {"videos": "$items"}),
        _VIEW,
    ] = None
    envelope: Annotated[
        Template | None,
        means("What is around the answer, which it knows as `made`.", {"data": "$made"}),
    ] = None
    headers: Annotated[
        Template | None,
        means("Templates of headers; `$optional.none()` leaves one out.", {"Location": "/v/{id}"}),
        _written_as("object"),
    ] = None
    status: Annotated[
        Template | None,
        means(
            "The status of the answer, or an expression; the first success unless given.",
            202,
            "$int(reading.create_status)",
        ),
        _written_as("integer"),
    ] = None
    is_anonymous: Annotated[bool, means("Whether it needs no credential.", True)] = field(
        default=False, name="anonymous"
    )
    models: Annotated[
        ModelRules | None,
        means("The models that a call asks for.", {"at": ["body.model"], "names": ["lamp-2"]}),
    ] = None

    @property
    def is_unbehaved(self) -> bool:
        """Whether the behaviour file does not name it, so that it keeps nothing."""
        return self.does == UNBEHAVED
