"""Flows: several calls in a row, with what each answer must show.

A flow is a promise that no single answer shows: another quality is another export, or a revoked key
fails at once. It is data in checks.yaml; the contract kit runs it as one rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from ..json_types import Json
from .request_plan import RequestPlan


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One call of *call*, or one GET of the address *fetch*, and what must be seen.

    The answer has the *status*, or that of the refusal *because*; a success if both are absent.
    *request* replaces the smallest request; *added* and *without* change it. *shows* are
    conditions on the answer, and *until* repeats the call, as a client polls, until they hold.
    *keeps* gives names to values, which later steps use as `$ids.name`. *by* is the caller. Before
    the call the caller gets a resource of the kind *needs*, *credits* sets the balance, *fails*
    lets the job that the call starts fail, and *wait_ms* lets time pass. *ids* take the place of
    kept values in this step. A caller that *leaves* reads one event of the stream, and no more.
    *times* repeats the call.
    *balance* is what the caller has afterwards, *takes* how much less that is than before.
    *footage* are facts of the fetched video.
    """

    call: str = ""
    fetch: str = ""
    request: RequestPlan | None = None
    added: Mapping[str, Json] = field(default_factory=dict[str, Json], name="with")
    without: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    status: int | None = None
    because: str = ""
    shows: Mapping[str, Json] = {}
    until: Mapping[str, Json] = {}
    keeps: Mapping[str, str] = {}
    by: str = "owner"
    needs: str = ""
    ids: Mapping[str, Json] = {}
    credits: int | None = None
    fails: bool = False
    leaves: bool = False
    wait_ms: int = 0
    times: int = 1
    balance: int | None = None
    takes: int | None = None
    footage: Mapping[str, Json] = {}


class Flow(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps that are one rule. *new_account* runs them with an account as it is created."""

    name: str
    summary: str
    source: tuple[str, ...]
    steps: tuple[Step, ...]
    family: str = "LIF"
    new_account: bool = False
    about: Json = None

    @property
    def operations(self) -> frozenset[str]:
        """The operations that its steps call."""
        return frozenset(step.call for step in self.steps if step.call)
