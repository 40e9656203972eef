"""Webhooks: they arrive, are signed, are repeated as documented, and stop."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator

from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import UnableError
from ..targets.target import Identity, ReceiverEndpoint
from ..traces.expressions import at_pointer
from ..traces.trace import SeenDelivery
from .scenario import STEERED, Scenario, bound

_REFUSED = 500


def webhooks(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about deliveries, where a provider has webhooks."""
    rules = contract.behaviour.webhooks
    if rules is None:
        return
    total = sum(prices.values())
    for type_ in rules.events:
        yield Scenario(
            f"hooks of {type_}",
            f"wait for {type_}, and check its signature",
            bound(_delivered, type_),
            total,
            8,
            needs=STEERED,
        )
    yield Scenario(
        "repeated hooks",
        "let every delivery fail, and count the repetitions",
        _retries,
        total,
        8,
        needs=STEERED,
    )
    if rules.is_signed:
        yield Scenario(
            "rotated hooks",
            "change the secret, and check the next signature",
            _rotation,
            total,
            8,
            needs=STEERED,
        )
    yield Scenario(
        "endpoints of hooks", "register one endpoint too many", _endpoints, 0, 0, needs=STEERED
    )


def _rules(session: Session) -> WebhookRules:
    rules = session.contract.behaviour.webhooks
    assert rules is not None
    return rules


def _endpoint(session: Session, who: Identity, *types: str) -> ReceiverEndpoint:
    found = session.controls.new_endpoint(who, list(types))
    if found is None:
        raise UnableError("the server takes no endpoint")
    return found


def _job(session: Session, event: WebhookEvent, who: Identity) -> Made:
    """A job that ends as *event* requires, polled to its end."""
    made = _begun(session, event, who)
    session.resources.finish(made)
    return made


def _begun(session: Session, event: WebhookEvent, who: Identity) -> Made:
    """A job that will end as *event* requires."""
    behaviour = session.contract.behaviour
    for kind, make in session.checks.makes.items():
        lifecycle = behaviour.lifecycle_of(kind)
        if lifecycle is not None and lifecycle.name == event.lifecycle:
            if Kind.FAILED in _kinds(session, event) and Kind.SUCCEEDED not in _kinds(
                session, event
            ):
                session.controls.fail_next(who, make.by)
            return session.resources.make(kind, who=who)
    raise UnableError(f"nothing in the checks makes a {event.lifecycle}")


def _taken(session: Session) -> list[SeenDelivery]:
    found = session.controls.deliveries()
    for delivery in found:
        session.see(delivery)
    return found


def _delivered(session: Session, type_: str) -> None:
    rules, check = _rules(session), session.judge.check
    event, who = rules.events[type_], session.wallet.rich("listener")
    endpoint = _endpoint(session, who, type_)
    seen: list[bool] = []
    made_of: list[Made] = []

    def look() -> None:
        """Read the job as a receiver that polls at once."""
        if made_of:
            kind = session.shown.kind_seen(made_of[0].make.kind, session.resources.read(made_of[0]))
            seen.append(kind is not None and kind.is_final)

    made = _begun(session, event, who)
    made_of.append(made)
    session.controls.on_delivery(look)
    polls = session.resources.finish(made)
    found = _taken(session)
    last = polls[-1] if polls else made.exchange
    detail = f"{len(found)} deliveries came"
    check(rule_ids.hook_event(type_), detail, last, holds=len(found) == 1)
    if not found:
        return
    payload = found[0].payload
    detail = f"the delivery tells {at_pointer(payload, '/type')!r}"
    check(rule_ids.hook_event(type_), detail, last, holds=_names_event(rules, payload, type_))
    if all(kind is not None and kind.is_final for kind in _kinds(session, event)):
        detail = "a receiver that asked at once did not see the end"
        check(rule_ids.hook("state"), detail, last, holds=bool(seen) and all(seen))
    _signature(session, rules, found[0], endpoint)
    session.target.wait(sum(rules.retries_ms))
    detail = f"{len(session.controls.deliveries())} deliveries, and the first was taken"
    check(rule_ids.hook("stops"), detail, last, holds=len(session.controls.deliveries()) == 1)


def _names_event(rules: WebhookRules, payload: Json, type_: str) -> bool:
    """Whether the payload has the parts of the template, including the type."""
    if not isinstance(payload, dict) or not isinstance(rules.body.source, dict):
        return isinstance(payload, dict)
    return payload.keys() == rules.body.source.keys() and all(
        payload[name] == type_ for name, it in rules.body.source.items() if it == "$type"
    )


def _signature(
    session: Session, rules: WebhookRules, delivery: SeenDelivery, endpoint: ReceiverEndpoint
) -> None:
    if not rules.is_signed:
        return
    problem = signature_problem(rules, delivery, endpoint.secret)
    last = session.trace.exchanges[-1]
    session.judge.check(rule_ids.hook("signature"), problem or "", last, holds=problem is None)


def signature_problem(rules: WebhookRules, delivery: SeenDelivery, secret: str) -> str | None:
    """What is wrong with the signature of a delivery; None when it fits *secret*."""
    headers = delivery.headers
    values: dict[str, str] = {"body": delivery.body.decode("utf-8", "replace")}
    given, encoding = "", ""
    for name, template in rules.headers.items():
        value = headers.get(name.lower())
        if value is None:
            return f"the header {name} is missing"
        match = re.fullmatch(r"(.*)\{([a-z0-9.]+)\}", template)
        if match is None:
            continue
        value = value.removeprefix(match[1])
        if match[2].startswith("signature."):
            given, encoding = value, match[2].partition(".")[2]
        else:
            values[match[2]] = value
    text = re.sub(r"\{([a-z0-9.]+)\}", lambda it: values.get(it[1], ""), rules.signed)
    digest = rules.signature(secret, text)
    wanted = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    return None if hmac.compare_digest(wanted, given) else "the signature does not fit the body"


def _last_event(session: Session) -> WebhookEvent:
    """An event of the end of a job where there is one: nothing of the job comes after it."""
    events = list(_rules(session).events.values())
    return next((it for it in events if Kind.SUCCEEDED in _kinds(session, it)), events[0])


def _kinds(session: Session, event: WebhookEvent) -> set[Kind | None]:
    """The kinds of the states with which *event* comes."""
    states = session.contract.behaviour.lifecycles[event.lifecycle].states
    return {states[it].kind for it in event.enters} or {event.ends}


def _retries(session: Session) -> None:
    rules, controls, check = _rules(session), session.controls, session.judge.check
    who = session.wallet.rich("deaf")
    event = _last_event(session)
    endpoint = _endpoint(session, who, event.type)
    controls.answer_deliveries([_REFUSED] * (len(rules.retries_ms) + 3))
    made = _job(session, event, who)
    last = session.trace.exchanges[-1]
    for number, wait_ms in enumerate(rules.retries_ms, start=1):
        margin_ms = min(1_000, wait_ms // 2)
        session.target.wait(wait_ms - margin_ms)
        early = len(controls.deliveries())
        session.target.wait(margin_ms)
        due = len(controls.deliveries())
        detail = f"repetition {number} was to come after {wait_ms} ms: {early - number} came "
        detail += f"early, {due - number} in all"
        check(
            rule_ids.hook("retries"),
            detail,
            made.exchange,
            last,
            holds=(early, due) == (number, number + 1),
        )
    session.target.wait(10 * max(rules.retries_ms))
    found = _taken(session)
    detail = f"{len(found)} attempts, {len(rules.retries_ms) + 1} are documented"
    check(rule_ids.hook("retries"), detail, last, holds=len(found) == len(rules.retries_ms) + 1)
    same = {(it.body, _event_id(it)) for it in found}
    check(rule_ids.hook("id"), f"{len(same)} different bodies or ids", last, holds=len(same) == 1)
    for delivery in found[-1:]:
        _signature(session, rules, delivery, endpoint)


def _event_id(delivery: SeenDelivery) -> Json:
    return at_pointer(delivery.payload, "/id")


def _rotation(session: Session) -> None:
    rules, who = _rules(session), session.wallet.rich("careful")
    event = _last_event(session)
    endpoint = _endpoint(session, who, event.type)
    _job(session, event, who)
    fresh = session.controls.rotate(endpoint)
    _job(session, event, who)
    found = _taken(session)
    last = session.trace.exchanges[-1]
    if len(found) != 2:
        raise UnableError(f"{len(found)} deliveries came instead of 2")
    old = signature_problem(rules, found[0], endpoint.secret)
    new = signature_problem(rules, found[1], fresh.secret)
    detail = f"before the change: {old or 'right'}; after it: {new or 'right'}"
    holds = old is None and new is None and endpoint.secret != fresh.secret
    session.judge.check(rule_ids.hook("rotation"), detail, last, holds=holds)


def _endpoints(session: Session) -> None:
    rules, who = _rules(session), session.wallet.rich("greedy")
    made = [session.controls.new_endpoint(who, []) for _ in range(rules.endpoints_max + 1)]
    taken = sum(1 for it in made if it is not None)
    session.call(next(iter(session.contract.operations)), who=who)
    detail = f"{taken} endpoints were taken; at most {rules.endpoints_max} may be"
    last = session.trace.exchanges[-1]
    session.judge.check(
        rule_ids.hook("endpoints"), detail, last, holds=taken == rules.endpoints_max
    )
