"""The actual costs of requests, read from the answers; the guard settles by them.

An amount in the answer counts first. Without one, the contract's price of the request counts once,
and is given back when its job is seen to have failed. An unknown cost counts as the highest
possible, and so does a server error: the work may have been done before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.operations import OperationRules
from screentest.specs.behaviour.prices import Moment
from screentest.specs.behaviour.sent_keys import credential_in
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.checks.views import Fact
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..monitors.lifecycles import observations, state_of
from ..rules.prices import price_of, worst_price
from ..traces.caller_identity import Callers
from ..traces.expressions import Scope, evaluate, has_value
from ..traces.trace import Exchange, Raw, understand
from .credentials import credential_of, signed
from .needs import UnableError
from .open_jobs import OpenJob
from .request_builder import wire_of_plan
from .target import ANONYMOUS, Identity, OutgoingRequest

#: The most jobs without an observed end that are read once more: each read is a request.
_LOOKS_MAX = 200
#: From this status on, the server failed, and what it did before is unknown.
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What an answer changes: credits that are *spent*, and *pending* ones that a job may take."""

    spent: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Paid:
    """An accepted job, its price, and whether the price is charged only if it succeeds."""

    ids: Mapping[str, Json]
    credential: Mapping[str, str]
    kind: str
    price: int
    is_pending: bool

    @property
    def accepted(self) -> Change:
        return Change(pending=self.price) if self.is_pending else Change(spent=self.price)


@dataclass(slots=True)
class Costs:
    """Reads costs from answers. With *knows_past* the first answer is the first one ever."""

    contract: Contract
    knows_past: bool = False
    _checks: Checks = field(init=False)
    _callers: Callers = field(init=False)
    _jobs: dict[tuple[str, str], Paid] = field(default_factory=dict[tuple[str, str], Paid])
    _shown: dict[tuple[str, str], Exchange] = field(default_factory=dict[tuple[str, str], Exchange])
    _calls: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _answers: dict[tuple[str, str, str], Exchange] = field(
        default_factory=dict[tuple[str, str, str], Exchange]
    )
    _doubts: dict[tuple[str, str, str], int] = field(
        default_factory=dict[tuple[str, str, str], int]
    )
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._checks = load_checks(self.contract)
        self._callers = Callers(self.contract)

    def change(self, raw: Raw, worst: int = 0) -> Change:
        """What is spent or pending since *raw* was answered, and was not before.

        *worst* is what the request may have cost where the answer is an error of the server.
        """
        if not 200 <= raw.status < 300 and (raw.status < _SERVER_ERROR or not worst):
            return Change()
        key = self._callers.label(raw.request_headers, raw.query)
        exchange = understand(self.contract, raw, number=0, actor="", key=key)
        if not exchange.operation:
            return Change()
        with self._lock:
            if raw.status >= _SERVER_ERROR:
                return self._doubted(exchange, worst)
            shown = credential_in(self.contract.behaviour, raw.request_headers, raw.query)
            changes = [*self._accepted(exchange, shown), *self._ended(exchange)]
            self._remember(exchange)
        return Change(sum(it.spent for it in changes), sum(it.pending for it in changes))

    def _doubted(self, exchange: Exchange, worst: int) -> Change:
        """The highest cost of an error: it may have been charged; a repeated key only once."""
        key = self._repeat_key(exchange)
        if key is None:
            return Change(spent=worst)
        counted = self._doubts.get(key, 0)
        self._doubts[key] = max(counted, worst)
        return Change(spent=self._doubts[key] - counted)

    def adopt(self, job: OpenJob, owner: Identity) -> Change:
        """Add *job* of an earlier run, unless it is known. Returns what it may still cost."""
        make = self._checks.makes.get(job.kind)
        if make is None or make.read is None or not job.pending:
            return Change()
        key = (job.kind, str(job.ids[make.own_id]))
        shape = self.contract.operations[make.read]
        credential = credential_of(self.contract.behaviour, shape, owner)
        with self._lock:
            if key in self._jobs:
                return Change()
            self._jobs[key] = paid = Paid(
                job.ids, credential, job.kind, job.pending, is_pending=True
            )
        return paid.accepted

    def looks(self) -> Iterator[OutgoingRequest]:
        """Requests that read the jobs without an observed end; they change nothing."""
        for paid in list(self._jobs.values())[:_LOOKS_MAX]:
            wire = self._look(paid)
            if wire is not None:
                yield wire

    def _look(self, paid: Paid) -> OutgoingRequest | None:
        make = self._checks.makes.get(paid.kind)
        if make is None or make.read is None:
            return None
        shape, plan = (
            self.contract.operations[make.read],
            self._checks.requests.get(make.read, RequestPlan()),
        )
        try:
            wire = wire_of_plan(self.contract, shape, plan, paid.ids, ANONYMOUS, {})
        except UnableError:
            return None
        return signed(wire, paid.credential)

    # Accepting answers

    def _accepted(self, exchange: Exchange, credential: Mapping[str, str]) -> Iterator[Change]:
        rules = self.contract.behaviour.operations[exchange.operation]
        is_free = rules.price is None or self.contract.behaviour.initial_credits is None
        if is_free or self._is_replay(exchange):
            return
        assert rules.price is not None
        price = self._price(rules, exchange)
        self._calls[exchange.key, exchange.operation] += 1
        key = self._repeat_key(exchange)
        if key in self._doubts:
            yield Change(spent=-self._doubts.pop(key))
        if exchange.is_stream and rules.price.moment is Moment.COMPLETION:
            yield self._streamed(exchange, price)
            return
        is_pending = rules.price.moment is Moment.COMPLETION
        make = self._checks.makes.get(rules.starts or "")
        found = {name: evaluate(at, exchange) for name, at in make.ids.items()} if make else {}
        ids = {name: value for name, value in found.items() if has_value(value)}
        paid = Paid(ids, credential, rules.starts or "", price, is_pending)
        if rules.price.moment is not Moment.ANSWER:
            for view, scope in observations(self._checks, exchange):
                if view.resource == rules.starts:
                    self._jobs[view.resource, str(evaluate(view.id, exchange, scope))] = paid
        yield paid.accepted

    def _is_replay(self, exchange: Exchange) -> bool:
        """Whether the answer only repeats an earlier one, so that no work was done again."""
        rules, key = self.contract.behaviour.idempotency, self._repeat_key(exchange)
        if rules is None or key is None:
            return False
        first = self._answers.get(key)
        if first is not None and exchange.at_ms - first.at_ms < rules.keeps_ms:
            return first.body == exchange.body
        self._answers[key] = exchange
        return False

    def _repeat_key(self, exchange: Exchange) -> tuple[str, str, str] | None:
        """The key that joins a repetition with its first request; None without one."""
        value = idempotency_key(self.contract, exchange.operation, exchange.request_headers)
        return None if value is None else (exchange.key, exchange.operation, value)

    def _streamed(self, exchange: Exchange, price: int) -> Change:
        """The change by a stream, which shows how its job ended unless it broke off."""
        rules = self.contract.behaviour.streams.get(exchange.operation)
        last = exchange.events[-1].payload if exchange.events else None
        word = last.get(rules.name_field) if rules is not None and isinstance(last, dict) else None
        if rules is None or word not in rules.last:
            return Change(pending=price)
        return Change() if word == rules.on_error[rules.name_field] else Change(spent=price)

    # Prices

    def _price(self, rules: OperationRules, exchange: Exchange) -> int:
        shown = self._acted_on(rules, exchange)
        detail = [it for it in self._shown_prices(exchange, shown) if _is_amount(it)]
        if detail:
            return int(detail[0])
        calls = self._calls[exchange.key, exchange.operation] if self.knows_past else None
        price = price_of(
            self.contract, self._checks, exchange, scope=Scope(made=shown), earlier_calls=calls
        )
        return worst_price(self.contract, self._checks, rules.id) if price is None else price

    def _shown_prices(self, exchange: Exchange, shown: Exchange | None) -> Iterator[Json]:
        """The prices of the request that the provider's answers show."""
        for view in self._checks.views.get(exchange.operation, ()):
            if view.charged:
                yield evaluate(view.charged, exchange)
        for relation in self._checks.relations:
            is_meant = shown is not None and relation.operation == shown.operation
            if shown is not None and is_meant and relation.price == exchange.operation:
                yield evaluate(relation.total, shown)

    def _acted_on(self, rules: OperationRules, exchange: Exchange) -> Exchange | None:
        """The last answer that showed the resource on which the request acts."""
        for target in rules.targets:
            id_ = exchange.path_values.get(target.id_from.rpartition(".")[2])
            if (target.kind, str(id_)) in self._shown:
                return self._shown[target.kind, str(id_)]
        return None

    def _remember(self, exchange: Exchange) -> None:
        """Remember facts on which a later price depends."""
        for view, scope in observations(self._checks, exchange):
            if view.resource in self._deciding and not view.each:
                self._shown[view.resource, str(evaluate(view.id, exchange, scope))] = exchange

    @property
    def _deciding(self) -> set[str]:
        """The kinds of resources whose own fields decide a price."""
        rules = self.contract.behaviour.operations
        return {
            target.kind
            for name, facts in self._checks.price_facts.items()
            if any(_is_of_made(fact) for fact in facts.values())
            for target in rules[name].targets
        }

    # Ends

    def _ended(self, exchange: Exchange) -> Iterator[Change]:
        for view, scope in observations(self._checks, exchange):
            key = (view.resource, str(evaluate(view.id, exchange, scope)))
            resource = self.contract.behaviour.resources.get(view.resource)
            state = state_of(view, exchange, scope)
            if key not in self._jobs or resource is None or resource.lifecycle is None:
                continue
            shown = resource.lifecycle.states.get(state or "")
            if shown is None or not shown.kind.is_final:
                continue
            paid = self._jobs.pop(key)
            given_back = evaluate(view.refunded, exchange) if view.refunded else None
            yield _end(paid, shown.kind, given_back if has_value(given_back) else paid.price)


def idempotency_key(contract: Contract, operation: str, headers: Mapping[str, str]) -> str | None:
    """The idempotency key of a request; None without one."""
    rules = contract.behaviour.idempotency
    if rules is None or operation not in rules.operations:
        return None
    sent = {name.lower(): value for name, value in headers.items()}
    return sent.get(rules.header.lower())


def _end(paid: Paid, kind: Kind, given_back: Json) -> Change:
    """The change by the end of a job. A refund is never more than the charge."""
    is_failed = kind is not Kind.SUCCEEDED
    if paid.is_pending:
        return Change(spent=0 if is_failed else paid.price, pending=-paid.price)
    amount = given_back if _is_amount(given_back) else 0
    return Change(spent=-min(amount, paid.price) if is_failed else 0)


def _is_amount(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_of_made(fact: Fact) -> bool:
    return f"{fact.source} {fact.count}".find("$made.") >= 0
