"""Everything a provider's module sees: `Provider`, `Call`, `Reply`, `EventStream`.

A module registers functions by the names of its contract. It neither knows the web framework nor
the store's SQL, and it holds no state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from screentest.specs.behaviour import Kind, OperationRules
from screentest.specs.json_types import Json
from screentest.specs.operations import Operation
from screentest.specs.validation import Violation

from ..kernel.magic import ordered_outcome
from ..kernel.rows import Account, Key, Resource
from .instant import Cost, Instant


class Upload(Struct, frozen=True):
    """A file part, streamed to *path*. *head* are its first bytes; *size* counts bytes."""

    field: str
    filename: str
    content_type: str
    path: Path
    size: int
    sha256: str
    head: bytes


class BodyProblem(Struct, frozen=True):
    """Why a body could not be read: a reason of refusal and the facts for its message."""

    reason: str
    facts: Mapping[str, Json]


class Request(Struct, frozen=True):
    """One call as it came in. Header names are lower case; *path* starts after the provider's base.

    *form* holds the fields of a multipart body. *problem* says why the body could not be read; it
    is told when it is the body's turn, so that a missing key is still the first complaint.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    form: Mapping[str, str | Upload] | None = None
    problem: BodyProblem | None = None
    base_url: str = ""
    peer: str = "127.0.0.1"

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Reply(Struct):
    """An answer. *body* is JSON, or bytes with their own *content_type*; None is an empty body.

    *reason* is our word for why a call was refused; it is sent as a header and journaled.
    *refusal* is what was behind it. *departure* names the interpretation that takes this reply out
    of the documented contract.
    """

    status: int
    body: Json = None
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    reason: str | None = None
    violations: Sequence[Violation] = ()
    departure: str | None = None
    refusal: Refusal | None = None


class EventStream(Struct):
    """An accepted job whose events are streamed as they fall due.

    *events* are (offset in ms since acceptance, payload), all of them; a cut or a failure that is
    ordered later changes the job, and the stream is read again from it.
    """

    job: Resource
    status: int = 200
    headers: dict[str, str] = {}


class Refusal(Struct):
    """A reason not to do what was asked, before it is put into the provider's words."""

    reason: str
    facts: dict[str, Json] = {}
    violations: Sequence[Violation] = ()


class RefusedError(Exception):
    """Carries a `Refusal` out of a handler; the pipeline turns it into a reply and rolls back."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Call(Struct):
    """A request on its way through the gates, which fill it in; a handler sees all of it.

    *found* holds the resources it acts on, by kind. *body* is the decoded JSON, or the form's
    fields. *cost* is what it costs, in credits.
    """

    ctx: Instant
    request: Request
    operation: Operation
    rules: OperationRules
    path: Mapping[str, str] = {}
    query: Mapping[str, Json] = {}
    body: Json = None
    key: Key | None = None
    account_id: str = ""
    found: Mapping[str, Resource] = {}
    cost: Cost | None = None

    @property
    def account(self) -> Account:
        """The caller's account with its sums of this moment."""
        return self.ctx.account(self.account_id)

    def start(
        self,
        doc: Mapping[str, Json],
        *,
        parent: str | None = None,
        fails: str | None = None,
        waits_ms: int = 0,
    ) -> Resource:
        """Accept the job that this operation starts, at the operation's price.

        It leaves its first state *waits_ms* later than drawn. An outcome that the request's own
        text orders is followed.
        """
        assert self.rules.starts is not None, self.operation.id
        ordered = ordered_outcome(self.body) if self.ctx.settings.has_magic else None
        return self.ctx.start(
            self.rules.starts,
            self.account_id,
            {**doc, "by_key": self.key.id if self.key is not None else None},
            parent=parent,
            cost=self.cost,
            operation=self.operation.id,
            fails=fails if ordered is None or ordered.verb != "fail" else ordered.text,
            waits_ms=waits_ms,
            slower_ms=ordered.delay_ms if ordered is not None and ordered.verb == "slow" else 0,
            stalls=ordered is not None and ordered.verb == "stall",
        )

    def refuse(self, reason: str, **facts: Json) -> RefusedError:
        """To be raised: undoes what this call has done and answers in the provider's words."""
        return RefusedError(Refusal(reason, facts))

    def refuse_value(self, broken: Violation) -> RefusedError:
        """To be raised for a value that only what is already there shows to be wrong."""
        return RefusedError(Refusal("invalid", {"problem": broken.message}, [broken]))


class Asset(Struct, frozen=True):
    """A file that a URL of ours serves."""

    content: bytes
    content_type: str
    filename: str = ""


Handler = Callable[[Call], "Reply | EventStream"]
Check = Callable[[Call], Sequence[Violation]]
Facts = Callable[[Call], Mapping[str, Json]]
Reaction = Callable[[Instant, Resource], None]
StateOf = Callable[[Instant, Resource], str]
Shape = Callable[[Call, Refusal], "Reply | None"]
Tolerance = Callable[[Call, Violation], bool]
AssetOf = Callable[[Instant, Mapping[str, str]], "Asset | None"]
StreamFacts = Callable[[Instant, Resource], Mapping[str, Json]]
IdReader = Callable[[Instant, str], str]
StreamEdit = Callable[[Instant, Resource, list[Json]], list[Json]]

_Name = TypeVar("_Name")
_Function = TypeVar("_Function")


class Provider(Struct):
    """The functions of one provider, by the names of its contract. Empty for a provider in data."""

    id: str
    operations: dict[str, Handler] = {}
    checks: dict[str, Check] = {}
    price_facts: dict[str, Facts] = {}
    reactions: dict[tuple[str, Kind], Reaction] = {}
    states: dict[str, StateOf] = {}
    assets: dict[str, AssetOf] = {}
    stream_facts: dict[str, StreamFacts] = {}
    stream_edits: dict[str, StreamEdit] = {}
    details: dict[str, StreamFacts] = {}
    event_facts: dict[str, StreamFacts] = {}
    id_readers: dict[str, IdReader] = {}
    shape: Shape | None = None
    tolerance: Tolerance | None = None

    def operation(self, operation_id: str) -> Callable[[Handler], Handler]:
        """Register the function that answers an operation."""
        return _registrar(self.operations, operation_id)

    def check(self, operation_id: str) -> Callable[[Check], Check]:
        """Register rules for a request that its schema cannot say."""
        return _registrar(self.checks, operation_id)

    def facts(self, operation_id: str) -> Callable[[Facts], Facts]:
        """Register the facts that an operation's price formula needs."""
        return _registrar(self.price_facts, operation_id)

    def when(self, kind: str, end: Kind) -> Callable[[Reaction], Reaction]:
        """Register what follows when a job of *kind* ends; it sees that very instant."""
        return _registrar(self.reactions, (kind, end))

    def state(self, kind: str) -> Callable[[StateOf], StateOf]:
        """Register how the state of a resource without a script is derived."""
        return _registrar(self.states, kind)

    def asset(self, url_name: str) -> Callable[[AssetOf], AssetOf]:
        """Register what a URL kind of the contract serves."""
        return _registrar(self.assets, url_name)

    def stream(self, operation_id: str) -> Callable[[StreamFacts], StreamFacts]:
        """Register the facts that the event templates of a stream need."""
        return _registrar(self.stream_facts, operation_id)

    def edit_stream(self, operation_id: str) -> Callable[[StreamEdit], StreamEdit]:
        """Register a last change to the events of a stream."""
        return _registrar(self.stream_edits, operation_id)

    def detail(self, kind: str) -> Callable[[StreamFacts], StreamFacts]:
        """Register what the control API shows of a job beyond its state."""
        return _registrar(self.details, kind)

    def event(self, kind: str) -> Callable[[StreamFacts], StreamFacts]:
        """Register what a webhook may say of a job beyond what its view may, as `$job.name`."""
        return _registrar(self.event_facts, kind)

    def reads_id(self, kind: str) -> Callable[[IdReader], IdReader]:
        """Register how the id of a *kind* that a client sends becomes the id it is kept under."""
        return _registrar(self.id_readers, kind)

    def refusal(self, shape: Shape) -> Shape:
        """Register how refusals look; return None for the contract's own template."""
        self.shape = shape
        return shape

    def tolerates(self, tolerance: Tolerance) -> Tolerance:
        """Register which violations an interpretation waives."""
        self.tolerance = tolerance
        return tolerance

    def include(self, other: Provider) -> None:
        """Take over everything that *other* registered."""
        assert other.id == self.id, (other.id, self.id)
        for name in _TABLES:
            mine, theirs = getattr(self, name), getattr(other, name)
            assert not mine.keys() & theirs.keys(), f"{name} registered twice for {self.id}"
            mine.update(theirs)
        self.shape = other.shape or self.shape
        self.tolerance = other.tolerance or self.tolerance


_TABLES = (
    "operations",
    "checks",
    "price_facts",
    "reactions",
    "states",
    "assets",
    "stream_facts",
    "stream_edits",
    "details",
    "event_facts",
    "id_readers",
)


def _registrar(table: dict[_Name, _Function], name: _Name) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        assert name not in table, f"{name!r} is registered twice"
        table[name] = function
        return function

    return register
