"""The calls of one scenario, by the names of the contract, and their trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from screentest.specs.checks.checks import Checks, Example
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..monitors.monitors import Monitors
from ..rules.judge import Judge, has_clause
from ..rules.known import any_of
from ..rules.prices import worst_price
from ..rules.rule_ids import RuleId
from ..targets.callback import Callback, Receiver
from ..targets.needs import Need, NeedError, UnableError
from ..targets.plans import changed, is_directive, other_texts
from ..targets.request_builder import wire_of_plan
from ..targets.target import ANONYMOUS, Identity, MockControls, OutgoingRequest, Target
from ..traces.trace import Balance, Exchange, Raw, SeenDelivery, Trace, understand

_TOO_FEW_CREDITS, _TOO_MANY = 402, 429


@dataclass(slots=True)
class Calls:
    """Requests to one target. Monitors judge every exchange."""

    target: Target
    contract: Contract
    checks: Checks
    judge: Judge
    is_open: bool = False
    is_hasty: bool = False
    is_continued: bool = False
    #: Part of every idempotency key, so that two runs at one server never share one.
    run_id: str = ""
    #: Why the account that should be empty cannot be used as one.
    rich_empty: str = ""
    trace: Trace = field(init=False)
    _monitors: Monitors = field(init=False)

    def __post_init__(self) -> None:
        self.trace = Trace(self.contract.provider)
        self.run_id = self.run_id or ("1" if self.is_steered else str(self.target.now_ms()))
        self._monitors = Monitors(
            self.contract, self.checks, self.judge, is_open=self.is_open, sees_all=True
        )

    @property
    def owner(self) -> Identity:
        return self.target.owner

    @property
    def stranger(self) -> Identity:
        found = self.target.stranger
        if found is None:
            raise NeedError(Need.SECOND_ACCOUNT)
        return found

    @property
    def empty(self) -> Identity:
        """An account without credits."""
        found = self.target.empty
        if found is None or self.rich_empty:
            raise NeedError(Need.EMPTY_ACCOUNT, message=self.rich_empty)
        return found

    @property
    def former(self) -> Identity:
        """A caller with a revoked key, by the user or the controls."""
        if self.target.revoked is not None:
            return self.target.revoked
        if not self.is_steered:
            raise NeedError(Need.REVOKED_KEY)
        former = self.controls.new_identity("former")
        self.controls.revoke(former)
        return former

    @property
    def controls(self) -> MockControls:
        found = self.target.controls
        if found is None:
            raise NeedError(Need.STEERING)
        return found

    @property
    def callback(self) -> Callback:
        """Where webhooks of a server that cannot be steered arrive."""
        found = self.target.callback
        if found is None:
            raise NeedError(Need.CALLBACK)
        return found

    @property
    def receiver(self) -> Receiver:
        """What has arrived of webhooks, and what is answered."""
        return self.controls if self.is_steered else self.callback.receiver

    @property
    def is_steered(self) -> bool:
        """Whether the target can be steered: it makes accounts, sets balances and fails jobs."""
        return self.target.controls is not None

    def call(
        self,
        operation: str,
        plan: RequestPlan | None = None,
        *,
        ids: Mapping[str, Json] | None = None,
        who: Identity | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Send a request to *operation*: *plan*, by default the smallest request."""
        who = self.owner if who is None else who
        plan = self.plan(operation) if plan is None else plan
        shape = self.contract.operations[operation]
        wire = wire_of_plan(self.contract, shape, plan, ids or {}, who, headers or {})
        sent = dict(plan.form) if plan.form is not None else plan.json if plan.raw else None
        answer = self._note(self.target.send(wire), who, sent)
        self._check_means(answer, who)
        return answer

    def _check_means(self, answer: Exchange, who: Identity) -> None:
        """Raises if an account of the user is at its end, which says nothing about the request."""
        # Where no operation takes a key, all callers are one account, which no scenario can fill.
        is_filled = self.is_steered and any(it.security for it in self.contract.operations.values())
        if is_filled or who == ANONYMOUS or who == self.target.empty:
            return
        if self._is_short(answer) and not self._can_pay(answer, who):
            raise NeedError(Need.CREDITS)
        if answer.status == _TOO_MANY and not self.is_hasty:
            raise UnableError(f"{answer.line}: the server refuses further calls")

    def _is_short(self, answer: Exchange) -> bool:
        """Whether *answer* says that the account has too few credits, and nothing else."""
        behaviour = self.contract.behaviour
        refusal = behaviour.refusals.get("insufficient_credits")
        rules = behaviour.operations.get(answer.operation)
        is_priced = rules is not None and rules.price is not None
        is_worded = refusal.status == _TOO_FEW_CREDITS if refusal is not None else is_priced
        return answer.status == _TOO_FEW_CREDITS and is_worded

    def _can_pay(self, answer: Exchange, who: Identity) -> bool:
        """Whether *who* visibly has the credits for the most expensive call of the operation."""
        is_known = who in (self.target.owner, self.target.stranger)
        if not (is_known and self.target.sees_credits and answer.operation):
            return False
        worst = worst_price(self.contract, self.checks, answer.operation)
        return self.target.credits(who) >= worst

    def judge_refusal(
        self, rule: RuleId, detail: str, *exchanges: Exchange, reason: str, wanted: Collection[int]
    ) -> bool:
        """Judge whether the last of *exchanges* was refused for *reason* with a status of *wanted*.

        Where no clause alone names that status, another refusal is another reading. Without a
        *reason* the rule itself names it.
        """
        answer = exchanges[-1]
        return self.judge.check(
            rule,
            f"{detail}: answered {answer.status} instead of {any_of(wanted)}",
            *exchanges,
            holds=answer.status in wanted,
            is_documented=answer.status < 400
            or answer.status >= 500
            or not reason
            or self.is_cited(answer.operation, reason),
        )

    def is_cited(self, operation: str, reason: str) -> bool:
        """Whether clauses alone, and no interpretation, say how a refusal for *reason* looks."""
        cited = self.contract.behaviour.cites.of_reason(operation, reason)
        inferred = [
            it for it in cited or () if (known := self.checks.clauses.get(it)) and known.inferred
        ]
        return bool(cited) and not inferred and all(has_clause([it]) for it in cited or ())

    def send(self, wire: OutgoingRequest, who: Identity = ANONYMOUS) -> Exchange:
        """Send a request that no plan describes."""
        return self._note(self.target.send(wire), who, None)

    def fetch(self, url: str) -> Exchange:
        """GET a URL from an answer of the provider."""
        raw = self.target.fetch(url)
        found = understand(self.contract, raw, number=self._number, actor="anonymous", key="")
        exchange = replace(found, operation="")
        self.trace.add(exchange)
        return exchange

    def _note(self, raw: Raw, who: Identity, sent: Json) -> Exchange:
        exchange = understand(
            self.contract, raw, number=self._number, actor=who.name, key=who.label, sent=sent
        )
        self.see(exchange)
        return exchange

    def see(self, event: Exchange | Balance | SeenDelivery) -> None:
        """Add an event to the trace, and let the monitors judge it.

        They do not see what a scenario is answered that continues after others.
        """
        self.trace.add(event)
        if not self.is_continued:
            self._monitors.see(event)

    @property
    def _number(self) -> int:
        return len(self.trace.events) + 1

    def plan(self, operation: str) -> RequestPlan:
        """The smallest request that *operation* accepts."""
        return self.checks.requests.get(operation, RequestPlan())

    def other_plan(
        self, operation: str, change: Callable[[str], str], plan: RequestPlan | None = None
    ) -> RequestPlan | None:
        """A valid request that differs from *plan*, or the smallest, in one text; None without."""
        plan = self.plan(operation) if plan is None else plan
        schema = self.contract.operations[operation].bodies.get("application/json")
        for other in other_texts(plan, change):
            if plan.json is None or schema is None or schema.is_valid(other.json):
                return other
        return None

    def failing_plan(self, operation: str, plan: RequestPlan | None = None) -> RequestPlan:
        """*plan*, or the smallest request, with a text that makes its job fail.

        Raises:
            NeedError: no text is known that makes it fail, or the request has no text.
        """
        prompt = self.target.prompts.failing
        if not prompt:
            raise NeedError(Need.FAILURE)
        failing = self.other_plan(operation, lambda _: prompt, plan)
        if failing is None:
            raise NeedError(Need.STEERING)
        return failing

    def plan_of(self, example: Example) -> RequestPlan:
        """The request of an example: its own, or the smallest one with changes."""
        plan = example.plan
        if plan is None:
            plan = changed(self.plan(example.operation), example.added, example.without)
        if self.is_steered or self.target.is_mock or not is_directive(plan):
            return plan
        # Only the mock understands directives; the user knows what another server refuses.
        return self.other_plan(example.operation, lambda _: self.target.prompts.refused) or plan
