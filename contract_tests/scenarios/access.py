"""Access: credentials, resources of other accounts, states, and unknown paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation

from ..monitors.lifecycles import observations, state_of
from ..rules import rule_ids
from ..rules.known import names_needed, names_resource, plain_read
from ..rules.prices import worst_price
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.credentials import credential_of, signed
from ..targets.needs import Need, UnableError
from ..targets.target import ANONYMOUS, Identity, OutgoingRequest
from ..traces.expressions import evaluate
from ..traces.trace import Exchange
from .scenario import Scenario, bound
from .walks import cost_of, is_cheaply_read

#: A key that does not exist, and that cannot be mistaken for a real one.
_UNKNOWN_KEY = "kit-unknown-to-everybody"


def accesses(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about access, for every operation."""
    yield Scenario(
        "routes",
        "ask for paths and methods that do not exist",
        _routes,
        requests=2 + len(contract.behaviour.prefixes),
        is_read_only=True,
        is_probe=True,
    )
    for name, operation in contract.operations.items():
        if operation.security:
            yield Scenario(
                f"credentials of {name}",
                f"call {name} without, with a wrong, with an old key",
                bound(_credentials, name),
                requests=4,
                is_smoke=True,
                is_probe=True,
            )
        rules = contract.behaviour.operations[name]
        if operation.security and names_resource(contract, checks, operation):
            yield Scenario(
                f"unknown id for {name}",
                f"call {name} for a resource that does not exist",
                bound(_unknown, name),
                # A server that accepts it charges for it.
                worst_price(contract, checks, name),
                is_smoke=rules.price is None,
                is_probe=True,
            )
            yield Scenario(
                f"owners of {name}",
                f"call {name} for a resource of another account",
                bound(_owners, name),
                cost_of(contract, checks, prices, name),
                2,
                needs=frozenset({Need.SECOND_ACCOUNT}),
                is_smoke=is_cheaply_read(contract, checks, name),
            )
        if any(target.states for target in rules.targets):
            yield Scenario(
                f"states of {name}",
                f"call {name} when it is too early or too late",
                bound(_states, name),
                sum(prices.values()),
                12,
            )
        if rules.effect == "destructive" and not rules.is_unbehaved:
            yield Scenario(
                f"end by {name}",
                f"call {name}, and look for what it took away",
                bound(_ends, name),
                sum(prices.values()),
                5,
            )


def _routes(session: Session) -> None:
    prefix = session.contract.behaviour.prefixes[0]
    nowhere = OutgoingRequest("GET", f"{prefix}/no-such-path-of-the-kit")
    for reason, rule, wire in (
        ("unknown_route", rule_ids.route("unknown"), nowhere),
        ("wrong_method", rule_ids.route("method"), _wrong_method(session.contract)),
    ):
        refusal = session.contract.behaviour.refusals.get(reason)
        if refusal is None or wire is None:
            continue
        answer = session.send(signed(wire, _any_credential(session)), session.owner)
        detail = f"{wire.method} {wire.path}"
        session.judge_refusal(rule, detail, answer, reason=reason, wanted=[refusal.status])
        if answer.status == 405:
            detail = "405 without the header Allow"
            session.judge.check(rule, detail, answer, holds="allow" in answer.headers)
    _prefixes(session)


def _prefixes(session: Session) -> None:
    """Send the same request below every prefix of the paths."""
    prefixes = session.contract.behaviour.prefixes
    name = plain_read(session.contract, session.checks)
    if len(prefixes) < 2 or name is None:
        return
    operation = session.contract.operations[name]
    path = operation.path
    credential = credential_of(session.contract.behaviour, operation, session.owner)
    for prefix in prefixes:
        wire = signed(OutgoingRequest("GET", prefix + path), credential)
        answer = session.send(wire, session.owner)
        detail = f"GET {prefix}{path} was answered {answer.status}"
        session.judge.check(rule_ids.route("prefixes"), detail, answer, holds=answer.is_success)


def _any_credential(session: Session) -> Mapping[str, str]:
    for operation in session.contract.operations.values():
        if operation.security:
            return credential_of(session.contract.behaviour, operation, session.owner)
    return {}


def _wrong_method(contract: Contract) -> OutgoingRequest | None:
    """A PUT to a parameterless path that documents none; None if every such path documents one."""
    for path in contract.routes.paths:
        if "{" not in path and "PUT" not in contract.routes.methods(path):
            return OutgoingRequest("PUT", contract.behaviour.prefixes[0] + path)
    return None


def _example_ids(session: Session, operation: Operation) -> dict[str, str]:
    """Ids of the documented form that do not exist."""
    plan = session.plan(operation.id)
    forms = {it.name: it.schema.schema for it in operation.parameters if it.place == "path"}
    found: dict[str, str] = {}
    for name in names_needed(operation, plan):
        schema = forms.get(name, {})
        found[name] = unknown_id(session, operation, name, schema)
    return found


def unknown_id(session: Session, operation: Operation, name: str, schema: Json) -> str:
    """An id in the form of *name* that does not exist."""
    make = next((it for it in session.checks.makes.values() if name in it.ids), None)
    targets = session.contract.behaviour.operations[operation.id].targets
    kinds = [it.kind for it in targets if it.id_from.rpartition(".")[2] == name]
    kinds += [make.kind] if make is not None else []
    known = bool(kinds) and kinds[0] in session.contract.behaviour.resources
    form = session.contract.behaviour.resources[kinds[0]].id_form if known else "{base36:12}"
    if schema.get("type") == "integer":
        return "999999999"
    return re.sub(r"\{(\w+)(?::(\d+))?\}", _filler, form)


def _filler(match: re.Match[str]) -> str:
    if match[1] == "number":
        return "999999999"
    length = int(match[2] or 8)
    return ("0" * 7 + "f" * length)[-length:]


def _credentials(session: Session, name: str) -> None:
    operation = session.contract.operations[name]
    credentials = session.contract.behaviour.credentials
    ids = _example_ids(session, operation)
    session.call(name, ids=ids, who=ANONYMOUS)
    kinds = {credentials[it].key_kind for it in operation.security}
    wrong = Identity("anonymous", dict.fromkeys(kinds, _UNKNOWN_KEY))
    rule = rule_ids.auth(name, "first")
    if rule in session.judge.rules:
        broken = RequestPlan(raw='{"', type=next(iter(operation.bodies)))
        answer = session.call(name, broken, ids=ids, who=ANONYMOUS)
        session.judge.check(
            rule,
            f"a broken body without a credential was answered {answer.status}",
            answer,
            holds=answer.status in session.contract.refusal_statuses("missing_credential", name),
            # Which of two refusals comes first is a reading.
            is_documented=answer.is_success,
        )
    callers: tuple[tuple[Literal["unknown", "revoked"], str, Callable[[], Identity]], ...] = (
        ("unknown", "an unknown credential", lambda: wrong),
        ("revoked", "a revoked credential", lambda: session.revoked),
    )
    for aspect, detail, caller in callers:
        rule, reason = rule_ids.auth(name, aspect), f"{aspect}_credential"
        if rule in session.judge.rules:
            answer = session.call(name, ids=ids, who=caller())
            wanted = session.contract.refusal_statuses(reason, name)
            session.judge_refusal(rule, detail, answer, reason=reason, wanted=wanted)


def _unknown(session: Session, name: str) -> None:
    answer = session.call(name, ids=_example_ids(session, session.contract.operations[name]))
    wanted = _refusals_of(session, name, "not_found")
    session.judge_refusal(
        rule_ids.own(name, "unknown"), "an unknown id", answer, reason="not_found", wanted=wanted
    )


def _owners(session: Session, name: str) -> None:
    behaviour = session.contract.behaviour
    targets = behaviour.operations[name].targets
    ids = _owner_ids(session, name)
    is_hidden = behaviour.foreign == "hide" or not targets or any(it.hidden for it in targets)
    reason = "not_found" if is_hidden else "foreign"
    wanted = _refusals_of(session, name, reason)
    before = _snapshot(session, name, ids)
    answer = session.call(name, ids=ids, who=session.stranger)
    rule = rule_ids.own(name, "foreign")
    session.judge_refusal(rule, "another account", answer, reason=reason, wanted=wanted)
    after = _snapshot(session, name, ids)
    if before is not None and after is not None and not answer.is_success:
        detail = f"another account changed it: {before.status} became {after.status}"
        holds = before.status == after.status
        session.judge.check(rule, detail, before, after, holds=holds)


def _refusals_of(session: Session, name: str, reason: str) -> list[int]:
    """The statuses that *reason* may have here.

    A resource that a body names by a URL, and not by an id, may count as a bad parameter too.
    """
    behaviour = session.contract.behaviour
    in_path = bool(session.contract.operations[name].path_names)
    reasons = [reason] if in_path or behaviour.operations[name].targets else [reason, "invalid"]
    return [status for it in reasons for status in session.contract.refusal_statuses(it, name)]


def _owner_ids(session: Session, name: str) -> Mapping[str, Json]:
    """The ids of a resource of the owner, in a state in which *name* works."""
    maker = session.resources.maker_for(name)
    if maker is None or session.contract.behaviour.operations[name].effect != "destructive":
        return session.resources.ids_of(name, fresh=_needs_fresh(session, name))
    made = session.resources.make(maker.kind)
    session.resources.finish(made)
    return made.ids


def _snapshot(session: Session, name: str, ids: Mapping[str, Json]) -> Exchange | None:
    """What the owner reads before and after a stranger tried to write."""
    if session.contract.behaviour.operations[name].effect == "read":
        return None
    make = session.resources.maker_for(name)
    if make is None or make.read is None:
        return None
    return session.call(make.read, ids=ids)


def _needs_fresh(session: Session, name: str) -> bool:
    """Whether *name* works only on resources that have not ended, or deletes its resource."""
    rules = session.contract.behaviour.operations[name]
    if rules.effect == "destructive":
        return True
    for target in rules.targets:
        lifecycle = session.contract.behaviour.lifecycle_of(target.kind)
        if target.states and lifecycle is not None and lifecycle.simulated:
            kinds = {lifecycle.states[state].kind for state in target.states}
            return not any(kind.is_final for kind in kinds)
    return False


def _states(session: Session, name: str) -> None:
    behaviour = session.contract.behaviour
    target = next(it for it in behaviour.operations[name].targets if it.states)
    maker = session.resources.maker_for(name)
    if maker is None:
        raise UnableError(f"{name} acts on nothing")
    kinds = [maker.kind] + [
        it.kind for it in session.checks.makes.values() if it.needs == maker.kind
    ]
    wanted = session.contract.refusal_statuses("wrong_state", name)
    for kind in kinds:
        who = session.wallet.rich("early")
        for made in _in_several_states(session, kind, who):
            shown = session.resources.read(made)
            state = session.shown.state_seen(target.kind, shown)
            if state is None or state in target.states:
                continue
            answer = session.call(name, ids=made.ids, who=who)
            if answer.status not in wanted:
                after = session.shown.state_seen(target.kind, session.resources.read(made))
                if after in target.states:
                    continue  # It changed while the call was made.
            session.judge_refusal(
                rule_ids.state(name),
                f"while it was {state}",
                shown,
                answer,
                reason="wrong_state",
                wanted=wanted,
            )


def _in_several_states(session: Session, kind: str, who: Identity) -> Iterator[Made]:
    made = session.resources.make(kind, who=who)
    if made.make.read is None:
        return
    yield made
    session.resources.finish(made)
    yield made


def _ends(session: Session, name: str) -> None:
    """A deleted resource is not found any more, or listed as ended."""
    maker, who = session.resources.maker_for(name), session.wallet.rich("owner")
    if maker is None:
        raise UnableError(f"{name} acts on nothing")
    made = session.resources.ready(maker.kind, who=who)
    answer = session.call(name, ids=made.ids, who=who)
    if not answer.is_success:
        raise UnableError(f"{name} was refused: {answer.status}")
    rule = rule_ids.gone(name)
    if maker.read is not None:
        read = session.resources.read(made)
        wanted = session.contract.refusal_statuses("not_found", maker.read)
        session.judge_refusal(rule, "it was read", answer, read, reason="not_found", wanted=wanted)
    for operation, rules in session.checks.lists.items():
        if rules.of != maker.kind:
            continue
        for _ in range(2):
            listed = session.call(operation, who=who)
            state = _state_listed(session, maker.kind, listed, made.own_id)
            ended = (
                state is None
                or session.contract.behaviour.meaning_of(maker.kind, state) is Kind.CLOSED
            )
            detail = f"it is listed as {state}"
            session.judge.check(rule, detail, answer, listed, holds=ended)
            session.target.wait(60_000)


def _state_listed(session: Session, kind: str, exchange: Exchange, id_: str) -> str | None:
    """The state that a list shows of one resource; None when it does not list it."""
    for view, scope in observations(session.checks, exchange):
        if view.resource == kind and str(evaluate(view.id, exchange, scope)) == id_:
            return state_of(view, exchange, scope) or "something"
    return None
