"""How a provider's promises are observed: the content of checks.yaml.

It says where answers show what a provider does: the smallest request that an operation accepts,
where a job's id and state are, which fields never change. Only the contract kit reads it. The
structs are filled by `checks_file`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ..clauses.clauses import Clause
from ..formats import FILLED, Key, ManySources, Sources, means
from ..json_types import Json
from .flows import Flow
from .places import (
    Added,
    Conditions,
    Expression,
    Expressions,
    NotNegative,
    OfOperation,
    OptionalStatus,
    Shows,
    Summary,
    When,
    Without,
)
from .request_plan import RequestPlan
from .views import Fact, View

_Two = Annotated[Expressions, Meta(min_length=2, max_length=2)]


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation that answers the finished file itself."""

    operation: OfOperation
    type: Annotated[str, means("The media type of the file.", "video/mp4")]
    early: Annotated[int | None, means("The status before it is finished.", 404)] = None
    source: ManySources = ()


class Make(Struct, frozen=True, forbid_unknown_fields=True):
    """How one resource of a kind is made."""

    kind: Key
    by: Annotated[str, means("The operation that makes it.", "createVideo")]
    ids: Annotated[
        Mapping[str, Expression],
        means(
            "Its names from now on, which path parameters take; the first is its own id. "
            "One with a dot is a field of the request that reads it.",
            {"id": "$response.body#/id"},
        ),
        Meta(min_length=1),
    ]
    needs: Annotated[str | None, means("A kind that must have succeeded before.", "plan")] = None
    read: Annotated[str | None, means("The operation that reads it.", "getVideo")] = None
    job: Annotated[
        Expression, means("Its id in the control API, if another.", "$response.body#/job")
    ] = ""
    key: Annotated[
        Expression, means("The credential that it is, if it is one.", "$response.body#/rawKey")
    ] = ""
    content: Annotated[
        Content | None,
        means("The file itself.", {"operation": "getContent", "type": "video/mp4", "early": 404}),
    ] = None

    @property
    def own_id(self) -> str:
        return next(iter(self.ids))


class CountedBy(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation whose answer shows a number of items."""

    operation: OfOperation
    at: Annotated[Expression, means("Where the number is.", "$response.body#/total")]


class SameAsAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What is the same in the answer to a repeated request."""

    same: Annotated[Expression, means("Where it is.", "$response.body#/exportId")]
    source: ManySources = ()


class ListRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a listing operation promises of its order and its length."""

    operation: Key
    items: Annotated[Expression, means("The list.", "$response.body#/videos")]
    id: Annotated[Expression, means("The id of an item.", "$item#/id")]
    of: Annotated[str, means("The kind in `makes` whose resources are listed.", "video")]
    named: Annotated[
        str, means("The name in its `ids` that the listed id equals; the first.", "id")
    ] = field(default="", name="as")
    newest_first: Annotated[bool, means("Whether the newest item comes first.", False)] = True
    oldest_first: Annotated[
        Mapping[str, str], means("Query parameters that reverse the order.", {"order": "asc"})
    ] = {}
    limit: Annotated[str, means("The query parameter that bounds the length.", "limit")] = ""
    after: Annotated[
        str, means("The query parameter for the last id of the page before.", "after")
    ] = ""
    more: Annotated[
        Expression, means("Whether there is another page.", "$response.body#/has_more")
    ] = ""
    counted_by: Annotated[
        CountedBy | None,
        means("What shows the length.", {"operation": "getStats", "at": "$response.body#/total"}),
    ] = None
    source: ManySources = ()
    when: When = {}


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that must be refused or accepted; without *request* the smallest one, changed."""

    name: Key
    operation: OfOperation
    summary: Summary
    because: Annotated[str, means("The reason of the refusal, in `refused` alone.", "invalid")] = ""
    status: OptionalStatus = None
    plan: Annotated[
        RequestPlan | None, means("It replaces the smallest request.", {"raw": "{"})
    ] = field(default=None, name="request")
    added: Added = field(default_factory=dict[str, Json], name="with")
    without: Without = ()
    costs: Annotated[NotNegative | None, means("The credits that it costs.", 20)] = None
    shows: Shows = {}
    finally_shows: Annotated[
        Conditions,
        means("What the finished resource shows.", {"$response.body#/status": "done"}),
    ] = field(default_factory=dict[str, Json], name="finally")
    source: ManySources = ()
    when: When = {}


class Relation(Struct, frozen=True, forbid_unknown_fields=True):
    """A sum, an equality, an order of times or a part of a text inside one answer."""

    name: Key
    operation: OfOperation
    summary: Summary
    status: OptionalStatus = None
    total: Annotated[Expression, means("The number.", "$response.body#/total")] = ""
    parts: Annotated[
        Expressions, means("Numbers whose sum it is.", ["$response.body#/a", "$response.body#/b"])
    ] = ()
    at_least: Annotated[bool, means("`total` may be more than the sum.", True)] = False
    counts: Annotated[Expression, means("A list with as many items.", "$response.body#/all")] = ""
    ascending: Annotated[
        Expressions,
        means("Times that follow each other.", ["$response.body#/from", "$response.body#/to"]),
    ] = ()
    equal: Annotated[
        _Two, means("Two equal values.", ["$response.body#/id", "$request.path.id"])
    ] = ()
    contains: Annotated[
        _Two, means("A text and a part of it.", ["$response.body#/url", "$response.body#/id"])
    ] = ()
    fact: Annotated[
        Fact | None, means("`total` is the price with it.", {"from": "$request.body#/seconds"})
    ] = None
    price: Annotated[str, means("The operation that has this price.", "createVideo")] = ""
    source: ManySources = ()
    when: When = {}


class MayRefuse(Struct, frozen=True, forbid_unknown_fields=True):
    """Statuses with which an operation may refuse requests that match its schema."""

    statuses: Annotated[
        tuple[Annotated[int, Meta(ge=400, le=599)], ...],
        means("The statuses.", [409]),
        Meta(min_length=1),
    ]
    source: ManySources


class InvalidAs(Struct, frozen=True, forbid_unknown_fields=True):
    """The status of invalid requests, where it differs from that of the refusal `invalid`."""

    status: Annotated[int, means("Their status.", 422)]
    location: Annotated[Literal["", "body", "query"], means("Where they are wrong.", "query")] = ""
    missing: Annotated[str, means("The dotted name of the field that they lack.", "prompt")] = ""


class Cadence(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a provider wants to be polled."""

    first_ms: Annotated[int, means("The pause at first.", 2_000), Meta(ge=1)] = 2_000
    for_ms: Annotated[int, means("How long it holds.", 60_000), Meta(ge=0)] = 60_000
    then_ms: Annotated[int, means("The pause afterwards.", 10_000), Meta(ge=1)] = 10_000
    source: ManySources = ()


class Unwraps(Struct, frozen=True, forbid_unknown_fields=True):
    """Request bodies whose content is the body itself, under a reading without this envelope."""

    field: Annotated[str, means("The field that is the envelope.", "data")]
    but: Annotated[tuple[str, ...], means("Operations that keep it.", ["freeScript"])]


_OF_LIST = {"items": "$response.body#/videos", "id": "$item#/id", "of": "video"}
_VIEW = {"resource": "video", "id": "$response.body#/id"}
_NO_PROMPT = {"operation": "createVideo", "summary": "no prompt"}


class Checks(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a provider's answers show what its contract promises. Only the contract kit reads it.

    Values that start with `$` are runtime expressions: $response.body#/pointer,
    $response.header.name, $request.body#/pointer, $item#/pointer, $ids.name, $job.details#/pointer.
    """

    requests: Annotated[
        Mapping[str, RequestPlan],
        means(
            "The smallest request that each operation accepts.",
            {"createVideo": {"json": {"prompt": "a lamp"}}, "getVideo": {}},
        ),
    ]
    cadence: Annotated[
        Cadence,
        means("How often it is polled.", {"first_ms": 5_000, "for_ms": 60_000, "then_ms": 10_000}),
    ] = Cadence()
    price_facts: Annotated[
        Mapping[str, Mapping[str, Fact]],
        means(
            "Facts of a price that no field of the body gives, by operation and name.",
            {"createVideo": {"scenes": {"count": "$request.body#/scenes"}}},
        ),
    ] = {}
    makes: Annotated[
        Mapping[str, Make],
        means(
            "How one resource of each kind is made, in an order in which each has what it needs.",
            {"video": {"by": "createVideo", "ids": {"id": "$response.body#/id"}}},
        ),
    ] = {}
    views: Annotated[
        Mapping[str, tuple[View, ...]],
        means("What the answers of operations show of resources.", {"getVideo": [_VIEW]}),
    ] = {}
    lists: Annotated[
        Mapping[str, ListRules],
        means("What listing operations promise.", {"listVideos": _OF_LIST}),
    ] = {}
    refused: Annotated[
        tuple[Example, ...],
        means(
            "Requests with exactly one fault.",
            [{**_NO_PROMPT, "because": "invalid", "without": ["prompt"]}],
        ),
    ] = ()
    accepted: Annotated[
        tuple[Example, ...],
        means(
            "Requests that must be accepted.",
            [{"operation": "createVideo", "summary": "a seed", "with": {"seed": 3}}],
        ),
    ] = ()
    relations: Annotated[
        tuple[Relation, ...],
        means(
            "Relations inside one answer, judged wherever it is seen.",
            [
                {
                    "operation": "getVideo",
                    "summary": "the id that was asked for",
                    "equal": ["$response.body#/id", "$request.path.id"],
                }
            ],
        ),
    ] = ()
    flows: Annotated[
        Mapping[str, Flow],
        means(
            "Several calls in a row; each flow is one rule.",
            {"again": {"summary": "x", "source": ["A1"], "steps": [{"call": "getVideo"}]}},
        ),
        Meta(extra_json_schema={"propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"}}),
    ] = {}
    unreachable: Annotated[
        Mapping[str, str],
        means(
            "Operations that no client reaches by the API alone, with the reason.",
            {"getInvoice": "invoices are made by hand"},
        ),
    ] = {}
    may_refuse: Annotated[
        Mapping[str, MayRefuse],
        means(
            "Operations that refuse some requests of the right shape, as documented.",
            {"createVideo": {"statuses": [409], "source": "A1"}},
        ),
    ] = {}
    same_as_asked: Annotated[
        Mapping[str, SameAsAsked],
        means(
            "Kinds of which a repeated request answers the first result.",
            {"export": {"same": "$response.body#/exportId"}},
        ),
    ] = {}
    invalid_as: Annotated[
        tuple[InvalidAs, ...],
        means("Other statuses of invalid requests.", [{"status": 422, "location": "query"}]),
    ] = ()
    also: Annotated[
        Mapping[str, Sources],
        means("Further clauses that a rule judges, by its id.", {"life.video.final": "OS-048"}),
    ] = {}
    answers_in: Annotated[
        str, means("The field of answers with their content, under such a reading.", "result")
    ] = ""
    unwraps: Annotated[
        Unwraps | None, means("An envelope that a reading removes.", {"field": "data", "but": []})
    ] = None
    clauses: Annotated[Mapping[str, Clause], FILLED] = {}
