"""How a provider's promises are observed: the content of checks.yaml.

It says where answers show what a provider does: the smallest request that an operation accepts,
where a job's id and state are, which fields never change. Only the contract kit reads it. The
structs are filled by `checks_file`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from ..clauses.clauses import Clause
from ..json_types import Json
from .flows import Flow
from .request_plan import RequestPlan


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """A number read from a trace: a field with a default, or the number of items of a list.

    *shown* is where an answer shows the number that the provider used, which then counts.
    *counts_calls*: the number of earlier successful calls by the same account. With *only*, a
    number outside these bounds is unknown, as where a provider clamps it.
    """

    source: str = field(default="", name="from")
    default: Json = None
    count: str = ""
    with_text: str = ""
    counts_calls: bool = field(default=False, name="calls")
    only: tuple[int | float, int | float] | None = None
    shown: str = ""


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation that answers the finished file itself; *early* is its status before that."""

    operation: str
    type: str
    early: int | None = None
    source: tuple[str, ...] = ()


class Make(Struct, frozen=True, forbid_unknown_fields=True):
    """How one resource of *kind* is made: by an operation, after *needs* has succeeded.

    *ids* are names for expressions over the creating exchange; the first is its own id.
    """

    kind: str
    by: str
    ids: Mapping[str, str]
    needs: str | None = None
    read: str | None = None
    job: str = ""
    content: Content | None = None

    @property
    def own_id(self) -> str:
        return next(iter(self.ids))


class MediaView(Struct, frozen=True, forbid_unknown_fields=True):
    """The finished file: where an answer shows its URL, and the facts that it was made from."""

    at: str
    size_by: tuple[Fact, ...] = ()
    sizes: Json = None
    seconds: Fact | None = None
    fps: int | float | None = None
    source: tuple[str, ...] = ()


class StateCase(Struct, frozen=True, forbid_unknown_fields=True):
    """A state in the contract's words, and the conditions on an answer that shows it."""

    name: str = field(name="is")
    where: Mapping[str, Json]


class View(Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer shows of resources of one kind. All parts but *id* may be empty."""

    operation: str
    resource: str
    id: str
    status: int | None = None
    each: str = ""
    asked: str = ""
    state: str | tuple[StateCase, ...] = ""
    aliases: Mapping[str, str] = {}
    progress: str = ""
    constant: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    ascending: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    shown: Mapping[str, tuple[str, ...]] = {}
    echoes: Mapping[str, str] = {}
    urls: Mapping[str, str] = {}
    media: MediaView | None = None
    charged: str = ""
    balance: str = ""
    refunded: str = ""
    source: tuple[str, ...] = ()


class CountedBy(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation whose answer shows a number of items, and where."""

    operation: str
    at: str


class SameAsAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What is the same in the answer to a repeated request."""

    same: str
    source: tuple[str, ...] = ()


class ListRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a listing operation promises of its order and its length.

    *oldest_first* are query parameters that reverse the order. *counted_by* is an operation that
    shows the number of items, and where.
    """

    operation: str
    items: str
    id: str
    of: str
    named: str = field(name="as")
    newest_first: bool = True
    oldest_first: Mapping[str, str] = {}
    limit: str = ""
    after: str = ""
    more: str = ""
    counted_by: CountedBy | None = None
    source: tuple[str, ...] = ()


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that must be refused (*because* is the reason), or accepted (*because* is empty).

    *added* replaces or adds fields of the smallest request, *without* leaves some out; *plan*
    replaces the whole request.
    """

    name: str
    operation: str
    summary: str
    because: str = ""
    status: int | None = None
    plan: RequestPlan | None = field(default=None, name="request")
    added: Mapping[str, Json] = field(default_factory=dict[str, Json], name="with")
    without: tuple[str, ...] = ()
    costs: int | None = None
    shows: Mapping[str, Json] = {}
    finally_shows: Mapping[str, Json] = field(default_factory=dict[str, Json], name="finally")
    source: tuple[str, ...] = ()


class Relation(Struct, frozen=True, forbid_unknown_fields=True):
    """A sum, an equality, an order of times or a part of a text inside one answer."""

    name: str
    operation: str
    summary: str
    status: int | None = None
    total: str = ""
    parts: tuple[str, ...] = ()
    counts: str = ""
    ascending: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    fact: Fact | None = None
    price: str = ""
    source: tuple[str, ...] = ()


class MayRefuse(Struct, frozen=True, forbid_unknown_fields=True):
    """Statuses with which an operation may refuse requests that match its schema."""

    statuses: tuple[int, ...]
    source: tuple[str, ...]


class InvalidAs(Struct, frozen=True, forbid_unknown_fields=True):
    """The *status* of requests that are invalid at a *location*, or that lack *missing*.

    It is given where it differs from that of the refusal `invalid`.
    """

    status: int
    location: str = ""
    missing: str = ""


class Cadence(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a provider wants to be polled: *first_ms* during *for_ms*, then *then_ms*."""

    first_ms: int = 2_000
    for_ms: int = 60_000
    then_ms: int = 10_000
    source: tuple[str, ...] = ()


class Checks(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the kit needs to observe a provider, beside its contract.

    *clauses* are the sentences of the provider's document, by id. *also* are further clauses that
    a rule of the kit judges, by the id of the rule.
    """

    requests: Mapping[str, RequestPlan]
    cadence: Cadence = Cadence()
    price_facts: Mapping[str, Mapping[str, Fact]] = {}
    makes: Mapping[str, Make] = {}
    views: Mapping[str, tuple[View, ...]] = {}
    lists: Mapping[str, ListRules] = {}
    refused: tuple[Example, ...] = ()
    accepted: tuple[Example, ...] = ()
    relations: tuple[Relation, ...] = ()
    flows: tuple[Flow, ...] = ()
    unreachable: Mapping[str, str] = {}
    may_refuse: Mapping[str, MayRefuse] = {}
    same_as_asked: Mapping[str, SameAsAsked] = {}
    invalid_as: tuple[InvalidAs, ...] = ()
    also: Mapping[str, tuple[str, ...]] = {}
    clauses: Mapping[str, Clause] = {}
