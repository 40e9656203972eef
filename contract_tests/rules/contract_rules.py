"""The rules of a contract: everything in its files that can be judged, each with its clauses.

Families group rules by the kind of defect that breaks them.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError, no_such

from . import rule_ids
from .judge import Rule, by_id
from .known import (
    Clauses,
    Known,
    calls_that_only_pay,
    json_operation,
    named,
    names_resource,
    plain,
    plain_read,
    takes_bad_input,
    upload_operation,
    windows_apart,
    windows_in_force,
)
from .resource_rules import resource_rules

FAMILIES = {
    "SCH": "shapes of answers",
    "STA": "statuses and refusals",
    "AUT": "authentication",
    "OWN": "ownership",
    "LIF": "lifecycles",
    "CRD": "money",
    "SSE": "streams",
    "IDM": "idempotency",
    "RTL": "rates and concurrency",
    "WHK": "webhooks",
    "URL": "addresses of files",
    "MED": "media",
    "PAG": "lists",
}


def rules_of(contract: Contract, checks: Checks) -> dict[str, Rule]:
    """Every rule of a provider, by id.

    Raises:
        ContractError: the checks add clauses to a rule that does not exist.
    """
    known = Known(contract, checks)
    groups = (_shapes, _access, _sizes, _ownership, resource_rules, _money, _idempotency, _rates)
    rules = by_id(rule for derive in (*groups, _webhooks, _examples) for rule in derive(known))
    for rule_id, clauses in checks.also.items():
        if rule_id not in rules:
            if contract.has_other_readings:  # one of which has no such rule
                continue
            raise ContractError(f"checks: also: {no_such('rule', rule_id, rules)}")
        rule = rules[rule_id]
        rules[rule_id] = replace(rule, clauses=tuple(dict.fromkeys((*clauses, *rule.clauses))))
    return rules


def _shapes(known: Known) -> Iterator[Rule]:
    for operation, _ in known.operations:
        name = operation.id
        detail = f"answers of {name} are as documented"
        yield Rule(rule_ids.shape(name), "SCH", detail, known.shapes(name))
        if takes_bad_input(operation):
            detail = f"{name} refuses what its schema refuses, and accepts everything else"
            yield Rule(rule_ids.inputs(name), "STA", detail, known.inputs(operation))
    replies = known.behaviour.refusals
    if "unknown_route" in replies:
        clauses = known.refusal("unknown_route")
        yield Rule(rule_ids.route("unknown"), "STA", "an unknown path is refused", clauses)
    if "wrong_method" in replies:
        clauses = known.refusal("wrong_method")
        yield Rule(rule_ids.route("method"), "STA", "a wrong method is refused", clauses)
    if len(known.behaviour.prefixes) > 1 and plain_read(known.contract, known.checks):
        detail = "every prefix of the paths leads to the same operations"
        yield Rule(rule_ids.route("prefixes"), "STA", detail, ("provider.prefixes",))


def _access(known: Known) -> Iterator[Rule]:
    credentials = known.behaviour.credentials
    comes_first = known.behaviour.refusal_order[:1] == ("authentication",)
    for operation, _ in known.operations:
        if not operation.security:
            continue
        name = operation.id
        missing = known.refusal("missing_credential", name)
        unknown = known.refusal("unknown_credential", name)
        yield Rule(rule_ids.auth(name, "missing"), "AUT", f"{name} needs a credential", missing)
        detail = f"{name} refuses an unknown credential"
        yield Rule(rule_ids.auth(name, "unknown"), "AUT", detail, unknown)
        # Only the provider can end a session of a signed-in user; the kit can revoke keys.
        if credentials[operation.security[0]].key_kind == "api_key":
            detail = f"{name} refuses a revoked credential"
            revoked = known.refusal("revoked_credential", name)
            yield Rule(rule_ids.auth(name, "revoked"), "AUT", detail, revoked)
        if comes_first and operation.bodies and operation.is_body_required:
            detail = f"{name} checks the credential before the body"
            yield Rule(rule_ids.auth(name, "first"), "AUT", detail, missing)
    for scheme, credential in credentials.items():
        source = (credential.source,)
        detail = f"{scheme} is accepted in each documented way"
        yield Rule(rule_ids.scheme(scheme, "ways"), "AUT", detail, source)
        detail = f"{scheme} is accepted in no other way"
        yield Rule(rule_ids.scheme(scheme, "others"), "AUT", detail, source)
        if credential.active_max is not None:
            detail = f"at most {credential.active_max} keys are active"
            yield Rule(rule_ids.keys_max(scheme), "AUT", detail, source)


def _sizes(known: Known) -> Iterator[Rule]:
    limits = known.behaviour.limits
    if json_operation(known.contract, known.checks) is not None:
        detail = f"a body of {limits.json_bytes_max} bytes is accepted, a larger one is refused"
        yield Rule(rule_ids.limits("body"), "STA", detail, (limits.source,))
    if upload_operation(known.contract, known.checks) is not None:
        detail = f"a file of {limits.upload_bytes_max} bytes is accepted, a larger one is refused"
        yield Rule(rule_ids.limits("file"), "STA", detail, (limits.source,))


def _ownership(known: Known) -> Iterator[Rule]:
    is_hidden = known.behaviour.foreign == "hide"
    for operation, rules in known.operations:
        name = operation.id
        if not operation.security or not names_resource(known.contract, known.checks, operation):
            continue
        unknown = known.refusal("not_found", name)
        hides = is_hidden or not rules.targets
        foreign = unknown if hides else known.refusal("foreign", name)
        detail = f"{name} {'hides' if hides else 'refuses'} a resource of another account"
        yield Rule(rule_ids.own(name, "foreign"), "OWN", detail, foreign)
        detail = f"{name} answers an unknown id as not found"
        yield Rule(rule_ids.own(name, "unknown"), "STA", detail, unknown)
    for name in known.checks.lists:
        if not known.contract.operations[name].security:
            continue
        detail = f"{name} lists nothing of another account"
        yield Rule(rule_ids.own(name, "hidden"), "OWN", detail, known.source(name))


def _money(known: Known) -> Iterator[Rule]:
    if known.behaviour.initial_credits is None:
        return
    for operation, rules in known.operations:
        name, price = operation.id, rules.price
        if price is None:
            continue
        source = (price.source,)
        detail = f"{name} costs {price.formula.text}"
        yield Rule(rule_ids.money(name, "price"), "CRD", detail, source)
        detail = f"a refused {name} costs nothing"
        yield Rule(rule_ids.money(name, "refused"), "CRD", detail, source)
        if rules.starts is not None and price.moment is not Moment.ANSWER:
            detail = f"{named(rules.starts)} that fails costs nothing in the end"
            yield Rule(rule_ids.money(name, "failure"), "CRD", detail, source)
        if price.formula.text == "0":
            continue
        short = known.refusal("insufficient_credits", name)
        detail = f"{name} is refused when the credits do not suffice, and makes nothing"
        yield Rule(rule_ids.money(name, "short"), "CRD", detail, short)
        detail = f"{name} is accepted when the credits just suffice"
        yield Rule(rule_ids.money(name, "enough"), "CRD", detail, source)
        if "server_error" in known.behaviour.refusals:
            detail = f"a {name} that ends in a server error costs nothing in the end"
            error = known.refusal("server_error", name)
            yield Rule(rule_ids.money(name, "error"), "CRD", detail, error)
    yield Rule(
        rule_ids.MONEY_FREE, "CRD", "an operation without a price costs nothing", ("operations",)
    )
    for name, views in known.checks.views.items():
        shown = [it.source for it in views if it.charged or it.balance or it.refunded]
        if shown:
            detail = f"the figures in answers of {name} are those of the account"
            yield Rule(rule_ids.money(name, "shown"), "CRD", detail, shown[0])


def _idempotency(known: Known) -> Iterator[Rule]:
    rules = known.behaviour.idempotency
    if rules is None:
        return
    aspects: dict[rule_ids.IdempotencyAspect, str] = {
        "replay": "the same key gets the same answer",
        "once": "the same key charges once and makes one job",
        "other": "another key is another call, and is charged",
        "conflict": "the same key with another body is refused",
        "scope": "keys of two accounts are independent",
        "refusals": f"a refusal is {'' if rules.keeps_refusals else 'not '}kept for the key",
        "expiry": "a key is forgotten after its time",
    }
    for aspect, detail in aspects.items():
        clauses: Clauses = (rules.source,)
        if aspect == "conflict":
            clauses = known.refusal("idempotency_mismatch")
        yield Rule(rule_ids.idempotency(aspect), "IDM", detail, clauses)


def _rates(known: Known) -> Iterator[Rule]:
    for window in windows_in_force(known.contract):
        name, source = window.name, (window.source,)
        detail = f"{name}: {window.limit} calls are accepted in {window.per_ms // 1_000} s"
        yield Rule(rule_ids.rate(name, "limit"), "RTL", detail, source)
        detail = f"{name}: the next call is refused"
        yield Rule(rule_ids.rate(name, "refuses"), "RTL", detail, source)
        if windows_apart(known.contract, known.checks, window):
            detail = f"{name}: a full window leaves the others open"
            yield Rule(rule_ids.rate(name, "apart"), "RTL", detail, source)
        detail = f"{name}: the wait in the refusal suffices"
        yield Rule(rule_ids.rate(name, "wait"), "RTL", detail, source)
        detail = f"{name}: counted for one {window.scope}"
        yield Rule(rule_ids.rate(name, "scope"), "RTL", detail, source)
        detail = f"{name}: calls stop counting one by one as they age"
        yield Rule(rule_ids.rate(name, "slides"), "RTL", detail, source)
    cap = known.behaviour.concurrency
    if cap is None:
        return
    for tier, limit in cap.limits.items():
        detail = f"{tier}: {limit} jobs run at a time, and one more is refused"
        yield Rule(rule_ids.cap(tier), "RTL", detail, (cap.source,))
    if cap.counts_paid_calls and calls_that_only_pay(known.contract, known.checks):
        detail = "a paid call that starts no job is refused as well"
        yield Rule(rule_ids.CAP_CALLS, "RTL", detail, (cap.source,))
    if cap.scope == "key":
        detail = "the jobs of another key of the account are not counted"
        yield Rule(rule_ids.CAP_KEYS, "RTL", detail, (cap.source,))
    detail = "a job that has ended makes room for another"
    yield Rule(rule_ids.CAP_FREES, "RTL", detail, (cap.source,))


def _webhooks(known: Known) -> Iterator[Rule]:
    rules = known.behaviour.webhooks
    if rules is None:
        return
    for name, event in rules.events.items():
        yield Rule(rule_ids.hook_event(name), "WHK", f"{name} is delivered", (event.source,))
    aspects: dict[rule_ids.HookAspect, str] = {
        "signature": "the signature covers time and body, with the newest secret",
        "retries": "a failed delivery is repeated after the documented waits",
        "stops": "a delivery that was accepted is not repeated",
        "id": "every attempt has the same event id and body",
        "state": "the job has ended when its delivery arrives",
        "endpoints": f"an account has at most {rules.endpoints_max} endpoints",
        "rotation": "a rotated secret signs from then on",
    }
    if not rules.is_signed:
        del aspects["signature"], aspects["rotation"]
    for aspect, detail in aspects.items():
        yield Rule(rule_ids.hook(aspect), "WHK", detail, (rules.source,))


def _examples(known: Known) -> Iterator[Rule]:
    checks = known.checks
    for example in (*checks.refused, *checks.accepted):
        verb = "refused" if example.because or example.status else "accepted"
        detail = f"{example.operation}: {example.summary} is {verb}"
        yield Rule(rule_ids.example(example.name), "STA", detail, example.source)
    for relation in checks.relations:
        detail = f"{relation.operation}: {relation.summary}"
        yield Rule(rule_ids.example(relation.name), "SCH", detail, relation.source)
    for flow in checks.flows.values():
        yield Rule(rule_ids.flow(flow.name), flow.family, flow.summary, flow.source)
        if flow.counts_credits:
            detail = f"{flow.summary}: the credits"
            yield Rule(rule_ids.flow_credits(flow.name), "CRD", detail, known.of_money(flow.source))
    for kind, same in checks.same_as_asked.items():
        detail = f"the same {plain(kind)} is not made twice"
        yield Rule(rule_ids.same(kind), "LIF", detail, same.source)
