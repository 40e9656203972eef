"""The input of all rules: a contract and its checks, and the clauses behind their parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.call_limits import RateWindow
from screentest.specs.behaviour.operations import OperationRules
from screentest.specs.behaviour.prices import Moment
from screentest.specs.behaviour.reasons import needed_reasons
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.checks.views import View
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.openapi_places import schema_citations
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Violation

from ..traces.trace import Exchange
from .judge import Silence, has_clause

Clauses = tuple[str, ...]

#: Texts and numbers that form and JSON parsers read as a boolean.
_TRUTHS = {"true", "false", "yes", "no", "on", "off", "1", "0"}


_MONEY = frozenset({"credits", "price", "refund"})


@dataclass(frozen=True, slots=True)
class Known:
    """A contract and its checks, with the clauses behind their parts."""

    contract: Contract
    checks: Checks

    @property
    def behaviour(self) -> Behaviour:
        return self.contract.behaviour

    @property
    def operations(self) -> Iterator[tuple[Operation, OperationRules]]:
        for name, operation in self.contract.operations.items():
            yield operation, self.behaviour.operations[name]

    def source(self, operation: str) -> Clauses:
        """The first clause behind an operation."""
        return self.behaviour.operations[operation].source[:1]

    def refusal(self, reason: str, operation: str = "") -> Clauses:
        """The clauses behind a refusal; the first one of the operation where none are cited."""
        cited = self.behaviour.cites.of_reason(operation, reason)
        return cited or (self.source(operation) if operation else (f"refusals.{reason}",))

    def shapes(self, operation: str) -> Clauses:
        """The clauses behind the schemas of an operation's answers, and behind its views."""
        views = self.checks.views.get(operation, ())
        shown = [clause for view in views for clause in view.source]
        of_schemas = schema_citations(self.contract.document, operation, is_sent=False)
        return _unique(*of_schemas, *shown) or self.source(operation)

    def inputs(self, operation: Operation) -> Clauses:
        """The clauses behind what makes a request to *operation* valid."""
        cites = self.behaviour.cites
        tables = [it for name, it in cites.operations.items() if name == operation.id]
        names = {it.name for it in operation.parameters}
        for schema in operation.bodies.values():
            names |= schema.fields.named.keys()
        cited = [
            clause
            for places in (*tables, cites)
            for field in places.fields
            if field.partition(".")[0] in names
            for clauses in places.of_rules(field).values()
            for clause in clauses
        ]
        of_schemas = schema_citations(self.contract.document, operation.id, is_sent=True)
        return _unique(*self.refusal("invalid", operation.id), *cited, *of_schemas)

    def of_money(self, clauses: Clauses) -> Clauses:
        """Those of *clauses* that are about money; all of them if none is."""
        known = self.checks.clauses
        found = [it for it in clauses if it in known and known[it].about.topic & _MONEY]
        return tuple(found) or clauses

    def exceptions(self, operation: str) -> Clauses:
        """The clauses by which an operation refuses requests that match its schema."""
        found = self.checks.may_refuse.get(operation)
        return found.source if found is not None else ()


def _unique(*clauses: str) -> Clauses:
    return tuple(dict.fromkeys(clauses))


def names_needed(operation: Operation, plan: RequestPlan) -> set[str]:
    """The ids that a request to *operation* names, in its path and in its body."""
    return set(operation.path_names) | set(_ids_in([plan.json, plan.form, plan.query]))


def names_resource(contract: Contract, checks: Checks, operation: Operation) -> bool:
    """Whether a request to *operation* names a resource that an account may not have."""
    names = names_needed(operation, checks.requests.get(operation.id, RequestPlan()))
    rules = contract.behaviour.operations[operation.id]
    if not names or rules.is_unbehaved:
        return False
    return bool(rules.targets) or any(names & it.ids.keys() for it in checks.makes.values())


def _ids_in(value: Json) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("$ids."):
        yield value[5:]
    elif isinstance(value, Mapping):
        for it in value.values():
            yield from _ids_in(it)
    elif isinstance(value, list):
        for it in value:
            yield from _ids_in(it)


def silence_of(contract: Contract, checks: Checks) -> Silence:
    """What the provider's document does not say."""
    inferred = frozenset(it.id for it in checks.clauses.values() if it.inferred)
    return Silence(
        inferred,
        frozenset(
            name
            for name, rules in contract.behaviour.operations.items()
            if not has_clause(it for it in rules.source if it not in inferred)
        ),
        frozenset(it.id for it in contract.operations.values() if it.is_inferred),
    )


def is_worded(
    contract: Contract, silence: Silence | None, operation: str, answer: Exchange
) -> bool:
    """Whether a clause describes *answer*; of refusals, many name the status alone.

    Another rule judges the status of a refusal.
    """
    if silence is None or not 400 <= answer.status < 500:
        return True
    name, status = operation, answer.status
    if (name, status) not in silence.worded:
        cited = schema_citations(contract.document, name, is_sent=False, status=status)
        known = load_checks(contract).clauses
        said = [known[it] for it in cited if it in known and it not in silence.clauses]
        silence.worded[name, status] = any(it.about.field for it in said)
    return silence.worded[name, status]


def cites_violation(contract: Contract, operation: str, violation: Violation) -> bool:
    """Whether a clause says that a request with *violation* is refused.

    It does not where an interpretation with other readings is cited beside it. A scalar of another
    type, which web frameworks convert, needs a clause about the field's type.
    """
    cites = contract.behaviour.cites
    exact = _is_converted(violation)
    cited = cites.of_field(operation, violation.pointer, violation.keyword, is_exact=exact)
    if exact and cited is None:
        return False
    if cited is None:
        is_unknown = violation.keyword in {"additionalProperties", "unevaluatedProperties"}
        cited = cites.of_reason(operation, "unknown_field" if is_unknown else "invalid")
    switches = contract.behaviour.interpretations.values()
    is_open = any(it.id in (cited or ()) and it.alternatives for it in switches)
    return has_clause(cited or ()) and not is_open


def _is_converted(violation: Violation) -> bool:
    """Whether frameworks such as Pydantic or Django REST framework convert the value."""
    kind, _, text = violation.actual.partition(" ")
    text = text.strip("'\"").lower()
    converted = {
        "boolean": text in _TRUTHS,
        "integer": kind == "boolean" or text.removeprefix("-").isdecimal(),
        "string": kind in {"boolean", "integer", "number"},
    }
    converted["number"] = converted["integer"]
    types = [violation.limit] if isinstance(violation.limit, str) else violation.limit
    return violation.keyword == "type" and any(converted.get(it) for it in types)


def plain(kind: str) -> str:
    """`agent job`."""
    return kind.replace("_", " ")


def any_of(statuses: Iterable[int]) -> str:
    """`401 or 403`."""
    return " or ".join(map(str, statuses))


def named(kind: str) -> str:
    """`an agent job`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {plain(kind)}"


def refused_keys(contract: Contract, operation: str) -> set[int]:
    """The statuses by which *operation* refuses a caller without a key that it knows."""
    reasons = ("missing_credential", "unknown_credential")
    return {status for it in reasons for status in contract.refusal_statuses(it, operation)}


def unworded_statuses(contract: Contract, operation: Operation) -> set[int]:
    """The statuses of refusals for which neither file of the contract has an answer."""
    behaviour = contract.behaviour
    is_unbehaved = behaviour.operations[operation.id].is_unbehaved
    return {
        status
        for reason in needed_reasons(behaviour, [operation])
        if is_unbehaved or behaviour.wording_of(reason) is None
        for status in contract.refusal_statuses(reason, operation.id)
    }


def takes_bad_input(operation: Operation) -> bool:
    """Whether a request to *operation* can be wrong in its body or its query."""
    return bool(operation.bodies) or any(it.place == "query" for it in operation.parameters)


def json_operation(contract: Contract, checks: Checks) -> str | None:
    """An operation whose JSON body has a size limit; None where files have it."""
    if not contract.behaviour.limits.source or upload_operation(contract, checks) is not None:
        return None
    for name, plan in checks.requests.items():
        if isinstance(plan.json, dict) and not names_needed(contract.operations[name], plan):
            return name
    return None


def upload_operation(contract: Contract, checks: Checks) -> tuple[str, str, RequestPlan] | None:
    """An operation that takes a file: its name, the file's field, and a request that has one."""
    plans = [*checks.requests.items()]
    plans += [(it.operation, it.plan) for it in checks.accepted if it.plan is not None]
    for name, plan in plans:
        for field, value in (plan.form or {}).items():
            if isinstance(value, dict) and "is" in value:
                return name, field, plan
    return None


def views_of(checks: Checks, kind: str) -> list[View]:
    """Every view of resources of *kind*."""
    return [it for views in checks.views.values() for it in views if it.resource == kind]


def calls_that_only_pay(contract: Contract, checks: Checks) -> list[str]:
    """The operations with one price, taken with the answer, that need nothing made before."""
    rules = contract.behaviour.operations
    return [
        name
        for name, plan in checks.requests.items()
        if (price := rules[name].price) is not None
        and price.moment is Moment.ANSWER
        and not price.formula.roots
        and price.amount({}) > 0
        and not names_needed(contract.operations[name], plan)
    ]


def jobs_at_once(contract: Contract, name: str) -> float:
    """How many calls of *name* a concurrency cap accepts at once."""
    starts = contract.behaviour.operations[name].starts
    cap = contract.behaviour.concurrency
    if cap is None or starts is None or not contract.behaviour.resources[starts].counts_as_running:
        return math.inf
    return max(cap.limits.values())


def windows_apart(contract: Contract, checks: Checks, window: RateWindow) -> list[str]:
    """One operation of each other window, which costs no job and needs nothing made before."""
    found: list[str] = []
    for other in windows_in_force(contract):
        if other.scope == "address" or other.operations & window.operations:
            continue
        found += [
            name
            for name in sorted(other.operations)
            if contract.behaviour.operations[name].starts is None
            and name in checks.requests
            and not names_needed(contract.operations[name], checks.requests[name])
        ][:1]
    return found


def plain_read(contract: Contract, checks: Checks) -> str | None:
    """A GET operation that succeeds with nothing made before."""
    reads = (it for it in contract.operations.values() if it.method == "GET" and it.security)
    plans = {it.id: checks.requests.get(it.id) for it in reads if "{" not in it.path}
    known = (name for name, plan in plans.items() if plan is not None and plan.answers is None)
    return next(known, None)


def windows_in_force(contract: Contract) -> list[RateWindow]:
    """The rate windows of the readings of *contract*."""
    return [
        window
        for window in contract.behaviour.rate_windows
        if window.reading is None or contract.reading_of(window.reading[0]) == window.reading[1]
    ]
