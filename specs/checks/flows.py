"""Flows: several calls in a row, with what each answer must show.

A flow is a promise that no single answer shows: another quality is another export, or a revoked key
fails at once. It is data in checks.yaml; the contract kit runs it as one rule.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

from ..formats import Key, ManySources, means, one_of
from ..json_types import Json
from .places import (
    Added,
    Conditions,
    Expression,
    NotNegative,
    Operation,
    Shows,
    Status,
    When,
    Without,
)
from .request_plan import RequestPlan


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One *call*, or one *fetch* of an address, and what must be seen."""

    call: Annotated[Operation, means("The operation that is called.", "createVideo")] = ""
    fetch: Annotated[
        Expression,
        means("An address that an earlier step kept; GET without credentials.", "$ids.url"),
    ] = ""
    request: Annotated[
        RequestPlan | None, means("It replaces the smallest request.", {"json": {"prompt": "a"}})
    ] = None
    added: Added = field(default_factory=dict[str, Json], name="with")
    without: Without = ()
    headers: Annotated[
        Mapping[str, str], means("Headers that win over those of the caller.", {"X-Beta": "1"})
    ] = {}
    status: Annotated[Status, means("The status; any success unless given.", 404)] = None
    because: Annotated[str, means("The refusal whose status the answer has.", "not_found")] = ""
    when: When = {}
    shows: Shows = {}
    until: Annotated[
        Conditions,
        means(
            "The call is repeated, as a client polls, until the answer shows this.",
            {"$response.body#/status": "done"},
        ),
    ] = {}
    keeps: Annotated[
        Mapping[str, Expression],
        means(
            "Names for values of the answer; later steps use them in paths and as $ids.name.",
            {"url": "$response.body#/url"},
        ),
    ] = {}
    by: Annotated[
        str,
        means(
            "Who calls: a name for an account, `empty` for one without credits, or `anonymous`.",
            "other",
        ),
    ] = "owner"
    needs: Annotated[
        str, means("A kind of resource that the caller has before; its ids are kept.", "video")
    ] = ""
    ids: Annotated[
        Mapping[str, Json], means("Values that replace kept ones, in this step.", {"id": "none"})
    ] = {}
    credits: Annotated[NotNegative | None, means("The caller's balance before.", 10)] = None
    fails: Annotated[bool, means("Whether the job that it starts fails.", True)] = False
    leaves: Annotated[
        bool, means("Whether the caller leaves the stream after one event.", True)
    ] = False
    wait_ms: Annotated[int, means("The time that passes before the call.", 1_000), Meta(ge=0)] = 0
    times: Annotated[int, means("How often the call is made.", 3), Meta(ge=1)] = 1
    balance: Annotated[int | None, means("The caller's balance afterwards.", 90)] = None
    takes: Annotated[int | None, means("How much the balance falls by.", 10)] = None
    footage: Annotated[
        Mapping[str, Json], means("The `size` and `fps` of the fetched video.", {"fps": 30})
    ] = {}

    @property
    def counts_credits(self) -> bool:
        """Whether it says how the balance changes."""
        return self.takes is not None or self.balance is not None


class Flow(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps that are one rule."""

    name: Key
    summary: Annotated[str, means("What is promised.", "a revoked key fails at once")]
    source: ManySources
    steps: Annotated[
        tuple[Annotated[Step, one_of("call", "fetch")], ...],
        means("The calls.", [{"call": "getVideo"}]),
        Meta(min_length=1),
    ]
    family: Annotated[str, means("The family of the rule.", "CRD")] = "LIF"
    new_account: Annotated[
        bool, means("Whether the callers have the credits of a new account.", True)
    ] = False
    when: When = {}
    about: Annotated[
        Json, means("Subjects beyond those of its steps, as in clauses.yaml.", {"topic": "price"})
    ] = None

    @property
    def operations(self) -> frozenset[str]:
        """The operations that its steps call."""
        return frozenset(step.call for step in self.steps if step.call)

    @property
    def counts_credits(self) -> bool:
        """Whether it says what is paid, which is a rule of its own."""
        return any(step.counts_credits for step in self.steps)
