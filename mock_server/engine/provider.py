"""What a provider module works with: `Provider`, `Call`, `Reply`, `EventStream`.

A module registers functions by the names of its contract. It knows neither the web framework nor
the store's SQL, and it holds no state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.operations import OperationRules
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.media_types import plain
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Violation

from ..kernel.bodies import to_json
from ..kernel.faults import Fault
from ..kernel.finding import Finding
from ..kernel.magic import Directive, directive_in
from ..kernel.polled_job import PolledJob
from ..kernel.rows import Account, Key, Resource
from ..media.asset import Asset
from .instant import Instant
from .jobs import Cost, NewJob, accept_job


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


class Request(Struct, frozen=True, gc=False):
    """A request as received. Header names are lower case; *path* starts after the provider's base.

    *form* holds the fields of a multipart body. *problem* says why the body could not be read.
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
        return plain(self.headers.get("content-type", ""))


# Not frozen: the gates after a handler add headers to its reply.
class Reply(Struct, gc=False):
    """An answer. *body* is JSON, or bytes with their own *content_type*; None is an empty body.

    *reason* is our category of a refusal; it is sent as a header and journaled. *refusal* is the
    refusal itself. *departure* names the interpretation under which this reply is not documented.
    """

    status: int
    body: Json = None
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    reason: str | None = None
    violations: Sequence[Violation] = ()
    departure: str | None = None
    refusal: Refusal | None = None
    encoded: bytes | None = None

    @property
    def content(self) -> bytes:
        """The body as it is sent. Encoded once: later changes of *body* have no effect."""
        if self.encoded is None:
            self.encoded = self.body if isinstance(self.body, bytes) else to_json(self.body)
        return self.encoded


class EventStream(Struct):
    """An accepted job whose events are streamed as they fall due.

    The events are a function of the job, and are read again whenever a test has changed it.
    """

    job: Resource
    status: int = 200
    headers: dict[str, str] = {}


class Refusal(Struct):
    """A reason to refuse a request, before it is put into the provider's words."""

    reason: str
    facts: dict[str, Json] = {}
    violations: Sequence[Violation] = ()


class RefusedError(Exception):
    """Carries a `Refusal` out of a handler. The pipeline rolls the handler back and replies."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Call(Struct):
    """A request on its way: what the gates have found, and what a handler works with.

    *ctx* has the contract, the world and the time. *found* holds the resources that the call acts
    on, by kind. *body* is the decoded JSON, or the fields of the form. *key* and *account_id* are
    empty before authentication and for open operations.

    The rest is for the pipeline alone. *presented_key* is the stored key behind *raw_key*, before
    it is judged; *key_suffix* is the directive appended to it. *served* are all contracts of this
    process. *save_replay* stores the answer for a repetition. *is_counted*: the call is in its rate
    windows. *polled* is what findings note of polls. *faults* have been applied if it *is_exposed*.
    *started* is the job that the call started. *warnings* are about our own reply.
    """

    ctx: Instant
    request: Request
    operation: Operation
    rules: OperationRules
    provider: Provider
    path: Mapping[str, str] = {}
    query: Mapping[str, Json] = {}
    body: Json = None
    key: Key | None = None
    account_id: str = ""
    found: Mapping[str, Resource] = {}
    cost: Cost | None = None
    served: Mapping[str, Contract] = {}
    presented_key: Key | None = None
    raw_key: str = ""
    key_suffix: str = ""
    save_replay: Callable[[Reply], None] | None = None
    is_counted: bool = False
    is_exposed: bool = False
    polled: PolledJob | None = None
    faults: Sequence[Fault] = ()
    started: Resource | None = None
    warnings: Sequence[Finding] = ()

    @property
    def is_routed(self) -> bool:
        """Whether an operation of the contract takes this request."""
        return self.operation is not NO_OPERATION

    @property
    def account(self) -> Account:
        """The caller's account with its current sums."""
        return self.ctx.rows.accounts.rows[self.account_id]

    @property
    def directive(self) -> Directive | None:
        """The first directive in the texts of the body, unless the world ignores directives."""
        return directive_in(self.body) if self.ctx.world.settings.has_magic else None

    def start(
        self,
        doc: Mapping[str, Json],
        *,
        parent: str | None = None,
        fails: str | None = None,
        waits_ms: int = 0,
    ) -> Resource:
        """Accept the job that this operation starts, at the operation's price.

        It leaves its first state *waits_ms* later than drawn. A directive in the request's own text
        decides over *fails*.
        """
        assert self.rules.starts is not None, self.operation.id
        directive = self.directive
        new = NewJob(
            self.rules.starts,
            self.account_id,
            {**doc, "caller": self.key.id if self.key is not None else None},
            operation=self.operation.id,
            parent=parent,
            cost=self.cost,
            fails=fails,
            waits_ms=waits_ms,
        )
        if directive is not None:
            new = replace(
                new,
                fails=directive.text if directive.verb == "fail" else fails,
                slower_ms=directive.delay_ms if directive.verb == "slow" else 0,
                stalls=directive.verb == "stall",
            )
        self.started = accept_job(self.ctx, new)
        return self.started

    def refuse(self, reason: str, **facts: Json) -> RefusedError:
        """The exception that undoes this call and answers *reason* in the provider's words."""
        return RefusedError(Refusal(reason, facts))

    def refuse_value(self, broken: Violation) -> RefusedError:
        """The exception for a value that is wrong only because of the current state."""
        return RefusedError(Refusal("invalid", {"problem": broken.message}, [broken]))


#: The operation of a request that matches no operation of the contract.
NO_OPERATION = Operation("", "", "", (), {}, False, {}, (), "", False)
NO_RULES = OperationRules("")


Handler = Callable[[Call], "Reply | EventStream"]
Check = Callable[[Call], Sequence[Violation]]
Facts = Callable[[Call], Mapping[str, Json]]
Reaction = Callable[[Instant, Resource], None]
Shape = Callable[[Call, Refusal], "Reply | None"]
Tolerance = Callable[[Call, Violation], bool]
FieldsOf = Callable[[Call], Mapping[str, Json]]
AssetOf = Callable[[Instant, Mapping[str, str]], "Asset | None"]
StreamFacts = Callable[[Instant, Resource], Mapping[str, Json]]
IdReader = Callable[[Instant, str], str]

_Name = TypeVar("_Name")
_Function = TypeVar("_Function")


class Provider(Struct):
    """The functions of one provider, by the names of its contract. A contract may need none."""

    id: str
    operations: dict[str, Handler] = {}
    checks: dict[str, Check] = {}
    price_facts: dict[str, Facts] = {}
    reactions: dict[tuple[str, Kind], Reaction] = {}
    assets: dict[str, AssetOf] = {}
    stream_facts: dict[str, StreamFacts] = {}
    event_facts: dict[str, StreamFacts] = {}
    id_readers: dict[str, IdReader] = {}
    shape: Shape | None = None
    tolerance: Tolerance | None = None
    fields: FieldsOf | None = None

    def operation(self, operation_id: str) -> Callable[[Handler], Handler]:
        """Register the function that answers an operation."""
        return _registrar(self.operations, operation_id)

    def check(self, operation_id: str) -> Callable[[Check], Check]:
        """Register rules for a request that its schema cannot express."""
        return _registrar(self.checks, operation_id)

    def facts(self, operation_id: str) -> Callable[[Facts], Facts]:
        """Register the facts that an operation's price formula needs."""
        return _registrar(self.price_facts, operation_id)

    def when(self, kind: str, end: Kind) -> Callable[[Reaction], Reaction]:
        """Register what happens when a job of *kind* ends; it gets the instant of the end."""
        return _registrar(self.reactions, (kind, end))

    def asset(self, url_name: str) -> Callable[[AssetOf], AssetOf]:
        """Register what a URL kind of the contract serves."""
        return _registrar(self.assets, url_name)

    def stream(self, operation_id: str) -> Callable[[StreamFacts], StreamFacts]:
        """Register the facts that the event templates of a stream need."""
        return _registrar(self.stream_facts, operation_id)

    def event(self, kind: str) -> Callable[[StreamFacts], StreamFacts]:
        """Register facts for webhooks about a job beyond those of its view, as `$job.name`."""
        return _registrar(self.event_facts, kind)

    def reads_id(self, kind: str) -> Callable[[IdReader], IdReader]:
        """Register how an id of *kind* as sent by a client becomes the id that is stored."""
        return _registrar(self.id_readers, kind)

    def refusal(self, shape: Shape) -> Shape:
        """Register how refusals look; it returns None for the contract's own template."""
        self.shape = shape
        return shape

    def tolerates(self, tolerance: Tolerance) -> Tolerance:
        """Register which violations the provider tolerates."""
        self.tolerance = tolerance
        return tolerance

    def reads_fields(self, fields: FieldsOf) -> FieldsOf:
        """Register how the fields of a body are found, which templates know as `given`."""
        self.fields = fields
        return fields

    def include(self, other: Provider) -> None:
        """Add everything that *other* registered."""
        # Modules of a provider register apart and are gathered here, so none knows the others.
        assert other.id == self.id, (other.id, self.id)
        for name in _TABLES:
            mine, theirs = getattr(self, name), getattr(other, name)
            assert not mine.keys() & theirs.keys(), f"{name} registered twice for {self.id}"
            mine.update(theirs)
        self.shape = other.shape or self.shape
        self.tolerance = other.tolerance or self.tolerance
        self.fields = other.fields or self.fields


_TABLES = (
    "operations",
    "checks",
    "price_facts",
    "reactions",
    "assets",
    "stream_facts",
    "event_facts",
    "id_readers",
)


def _registrar(table: dict[_Name, _Function], name: _Name) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        # The later of two functions would win silently.
        assert name not in table, f"{name!r} is registered twice"
        table[name] = function
        return function

    return register
