"""Requests with exactly one fault, found by trying changes against the schema, and examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from screentest.specs.checks.checks import Checks, Example, Make, RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation, Parameter
from screentest.specs.openapi.validation import Schema, Violation

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import takes_bad_input
from ..rules.rule_ids import RuleId
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.plans import changed
from ..targets.target import Identity
from ..traces.expressions import evaluate, is_shown
from ..traces.trace import Exchange
from .pacing import spaced
from .scenario import Scenario
from .walks import cost_of, is_cheaply_read

#: Values of every type and size; those that a schema refuses make a request with one fault.
_ODD: tuple[Json, ...] = (
    None,
    "",
    "no-such-value-of-the-kit",
    "x" * 70_000,
    0,
    -(10**9),
    10**9,
    1.5,
    True,
    [],
    {},
)
#: Single faults tried per operation; enough for every keyword of the largest body.
_FAULTS_MAX = 60
_ABSENT = object()


def inputs(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Bad input for every operation that takes any, and the examples of the checks."""
    for name, operation in contract.operations.items():
        if takes_bad_input(operation):
            yield Scenario(
                f"input of {name}",
                f"send {name} requests with one fault each",
                _bound(_faults, name),
                sum(prices.values()),
                30,
                needs_levers=True,
                is_probe=True,
            )
        elif contract.behaviour.operations[name].effect == "read":
            yield Scenario(
                f"call {name}",
                f"call {name} as simply as possible",
                _bound(_call, name),
                cost_of(contract, checks, prices, name),
                4,
                is_smoke=is_cheaply_read(contract, checks, name),
            )
    for number, example in enumerate((*checks.refused, *checks.accepted)):
        is_refused = bool(example.because) or example.status is not None
        rules = contract.behaviour.operations[example.operation]
        is_free = is_refused or (rules.price is None and rules.starts is None)
        yield Scenario(
            f"example {number + 1}",
            f"{example.operation}: {example.summary}",
            _bound(_example, example),
            0 if is_free else sum(prices.values()),
            4,
            needs_levers=not is_refused and not is_free,
            is_probe=is_refused,
        )


def _bound(run: Callable[[Session, Any], None], what: Any) -> Callable[[Session], None]:
    return lambda session: run(session, what)


def bad_plans(session: Session, name: str) -> Iterator[tuple[Violation, RequestPlan]]:
    """Requests to *name* with exactly one fault, and what it is."""
    operation = session.contract.operations[name]
    plan = session.plan(name)
    yield from _bad_queries(operation, plan)
    for content_type, schema in operation.bodies.items():
        if content_type.endswith("json") and plan.json is not None:
            yield from _bad_bodies(session, schema, plan)
        elif plan.form is not None and content_type.startswith("multipart/"):
            for field in schema.schema.get("required", ()):
                missing = Violation("body", f"/{field}", "required", "a value", "nothing")
                yield missing, changed(plan, {}, (field,))


def good_plans(session: Session, name: str) -> Iterator[tuple[str, RequestPlan]]:
    """Requests at the very edge of what the schema of *name* accepts."""
    operation = session.contract.operations[name]
    plan = session.plan(name)
    for parameter in operation.parameters:
        if parameter.place == "query":
            for value in _edges(
                parameter.schema.violations(10**9) + parameter.schema.violations(-(10**9))
            ):
                if parameter.schema.is_valid(value):
                    yield (
                        f"{parameter.name} {value}",
                        replace(plan, query={**plan.query, parameter.name: value}),
                    )
    for content_type, schema in operation.bodies.items():
        if not content_type.endswith("json") or plan.json is None:
            continue
        for path in _paths(session, schema, plan):
            for odd in _ODD[3:7]:
                for value in _edges(schema.violations(_with(plan.json, path, odd))):
                    body = _with(plan.json, path, value)
                    if schema.is_valid(body):
                        yield f"{'.'.join(path)} at its edge", replace(plan, json=body)


def _edges(found: list[Violation]) -> Iterator[Json]:
    """The values that lie just inside the limits that *found* names."""
    for violation in found:
        if not isinstance(violation.limit, int) or isinstance(violation.limit, bool):
            continue
        match violation.keyword:
            case "maximum" | "minimum":
                yield violation.limit
            case "maxLength":
                yield "x" * violation.limit
            case _:
                pass


def _bad_queries(
    operation: Operation, plan: RequestPlan
) -> Iterator[tuple[Violation, RequestPlan]]:
    for parameter in operation.parameters:
        if parameter.place != "query":
            continue
        odd: list[Json] = ["no-such-value-of-the-kit", -(10**9), 10**9, "1.5"]
        for value in (*odd, *_just_outside(parameter)):
            found = parameter.schema.violations(parameter.read(str(value)))
            if found:
                yield found[0], replace(plan, query={**plan.query, parameter.name: value})


def _just_outside(parameter: Parameter) -> Iterator[Json]:
    for value in (10**9, -(10**9)):
        for violation in parameter.schema.violations(value):
            if isinstance(violation.limit, int):
                yield violation.limit + (1 if value > 0 else -1)


def _bad_bodies(
    session: Session, schema: Schema, plan: RequestPlan
) -> Iterator[tuple[Violation, RequestPlan]]:
    for path in _paths(session, schema, plan):
        seen: set[tuple[str, str]] = set()
        for odd in (_ABSENT, *_ODD):
            body = _with(plan.json, path, odd)
            for closer in (odd, *_beyond(schema.violations(body))):
                body = _with(plan.json, path, closer)
                found = schema.violations(body)
                if not found:
                    continue
                key = (found[0].keyword, repr(closer)[:40])
                if key not in seen:
                    seen.add(key)
                    yield found[0], replace(plan, json=body)


def _beyond(found: list[Violation]) -> Iterator[Json]:
    """The values that lie just outside the limits that *found* names."""
    for violation in found:
        if not isinstance(violation.limit, int) or isinstance(violation.limit, bool):
            continue
        match violation.keyword:
            case "maximum":
                yield violation.limit + 1
            case "minimum":
                yield violation.limit - 1
            case "maxLength":
                yield "x" * (violation.limit + 1)
            case _:
                pass


def _paths(session: Session, schema: Schema, plan: RequestPlan) -> Iterator[tuple[str, ...]]:
    """The fields of a body: those of the smallest request, and those that its schema names."""
    seen: set[tuple[str, ...]] = set()
    fields = _named(session.contract, schema.schema)
    envelope = [name for name, value in plan.fields.items() if isinstance(value, dict)]
    here: list[tuple[str, ...]] = [(name,) for name in [*plan.fields, *fields]]
    for outer in envelope:
        inner = plan.fields[outer]
        here += [(outer, name) for name in inner]
        here += [(outer, name) for name in _named(session.contract, fields.get(outer, {}))]
    for path in here:
        if path not in seen:
            seen.add(path)
            yield path


def _named(contract: Contract, schema: Json, depth: int = 0) -> dict[str, Json]:
    """The properties that *schema* names, whatever it is made of."""
    if not isinstance(schema, Mapping) or depth > 6:
        return {}
    if "$ref" in schema:
        target: Json = contract.document
        for step in schema["$ref"][2:].split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return _named(contract, target, depth + 1)
    found: dict[str, Json] = dict(schema.get("properties", {}))
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            found |= _named(contract, part, depth + 1)
    return found


def _with(body: Json, path: tuple[str, ...], value: Json) -> Json:
    """*body* with *value* at *path*; without it, where that is absent."""
    plan = RequestPlan(json=body)
    if value is _ABSENT:
        return changed(plan, {}, (".".join(path),)).json
    if len(path) == 1:
        return {**body, path[0]: value}
    return {**body, path[0]: {**body[path[0]], path[1]: value}}


def _faults(session: Session, name: str) -> None:
    operation, judge = session.contract.operations[name], session.judge
    _smallest(session, judge, name)
    who = session.wallet.rich("fumbler")
    ids = session.resources.ids_of(name, who=who)
    for number, (violation, plan) in enumerate(bad_plans(session, name)):
        if number == _FAULTS_MAX:
            break
        answer = session.call(name, plan, ids=ids, who=spaced(session, who, name))
        refused = _status_of(session, violation)
        detail = f"{violation.message}, and it was answered {answer.status} instead of {refused}"
        holds = answer.status == refused
        judge.check(rule_ids.inputs(operation.id), detail, answer, holds=holds)
    for what, plan in good_plans(session, name):
        one = session.wallet.rich("precise")
        answer = session.call(name, plan, ids=session.resources.ids_of(name, who=one), who=one)
        detail = f"{what} is allowed, and it was answered {answer.status}"
        wanted = session.plan(name).answers
        holds = answer.is_success if wanted is None else answer.status == wanted
        judge.check(rule_ids.inputs(operation.id), detail, answer, holds=holds)


def _status_of(session: Session, violation: Violation) -> int:
    """The status of a request with this *violation*."""
    for it in session.checks.invalid_as:
        is_missing = violation.keyword == "required" and violation.field == it.missing
        if violation.location == it.location or is_missing:
            return it.status
    return session.contract.behaviour.status_of("invalid")


def _call(session: Session, name: str) -> None:
    session.call(name, ids=session.resources.ids_of(name))


def _smallest(session: Session, judge: Judge, name: str) -> None:
    one = session.wallet.rich("modest")
    fresh = session.contract.behaviour.operations[name].effect == "destructive"
    answer = session.call(name, ids=session.resources.ids_of(name, who=one, fresh=fresh), who=one)
    detail = f"the smallest request was answered {answer.status}"
    wanted = session.plan(name).answers
    holds = answer.is_success if wanted is None else answer.status == wanted
    judge.check(rule_ids.inputs(name), detail, answer, holds=holds)


def _example(session: Session, example: Example) -> None:
    if example.because or example.status is not None:
        _refused_example(session, example)
    else:
        _accepted_example(session, example)


def _refused_example(session: Session, example: Example) -> None:
    refusals = session.contract.behaviour.refusals
    status = example.status or refusals[example.because].status
    ids = session.resources.ids_of(example.operation)
    # With levers the balance is looked at around it: the monitors judge that nothing was taken.
    looks = session.wallet.has_money and session.target.controls is not None
    if looks:
        session.wallet.balance()
    answer = session.call(example.operation, session.plan_of(example), ids=ids)
    if looks:
        session.wallet.balance()
    detail = f"it was answered {answer.status} instead of {status}"
    rule = rule_ids.example(example.name)
    session.judge.check(rule, detail, answer, holds=answer.status == status)
    _shows(session, rule, example.shows, answer)


def _accepted_example(session: Session, example: Example) -> None:
    who = session.wallet.rich("asker") if session.target.controls is not None else session.owner
    plan, rule = session.plan_of(example), rule_ids.example(example.name)
    ids = session.resources.ids_of(example.operation, who=who)
    before = (
        session.wallet.balance(who)
        if example.costs is not None and session.wallet.has_money
        else None
    )
    answer = session.call(example.operation, plan, ids=ids, who=who)
    detail = f"it was answered {answer.status}"
    if not session.judge.check(rule, detail, answer, holds=answer.is_success):
        return
    _shows(session, rule, example.shows, answer)
    last = _finished(session, example, answer, who, ids)
    if last is not None and example.finally_shows:
        _shows(session, rule, example.finally_shows, last)
    if before is not None:
        after = session.wallet.balance(who)
        spent = before.total - after.total
        detail = f"{spent} credits were taken; it costs {example.costs}"
        session.judge.check(rule, detail, answer, holds=spent == example.costs)


def _finished(
    session: Session, example: Example, answer: Exchange, who: Identity, ids: Mapping[str, Json]
) -> Exchange | None:
    """The last answer about what an accepted example made; None where it makes nothing."""
    make = _make_of(session, example.operation)
    if make is None or answer.is_stream:
        return None
    made: Made = session.resources.made_by(make, answer, who, ids)
    polls = session.resources.finish(made)
    return polls[-1] if polls else session.resources.read(made)


def _make_of(session: Session, operation: str) -> Make | None:
    """How the resource that *operation* starts is read, which another operation may start too."""
    kind = session.contract.behaviour.operations[operation].starts
    makes = [it for it in session.checks.makes.values() if it.read]
    own = [it for it in makes if it.by == operation]
    return next(iter(own or [it for it in makes if it.kind == kind]), None)


def _shows(session: Session, rule: RuleId, wanted: Mapping[str, Json], exchange: Exchange) -> None:
    for at, value in wanted.items():
        found = evaluate(at, exchange)
        detail = f"{at} is {found!r}, wanted was {value!r}"
        session.judge.check(rule, detail, exchange, holds=is_shown(value, found))
