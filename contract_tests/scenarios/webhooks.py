"""Webhooks: they arrive, are signed, are repeated as documented, and stop."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..sessions.deliveries import (
    arrived,
    begun,
    event_ids,
    first_of,
    hook_rules,
    is_failure,
    kind_of,
    kinds,
    last_event,
    noted,
    other_readings,
    signature_problem,
    wait_for,
)
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..targets.run_log import LaterError
from ..targets.target import Identity, ReceiverEndpoint
from ..traces.expressions import at_pointer
from ..traces.trace import SeenDelivery
from .scenario import STEERED, Scenario, bound

_REFUSED, _MOVED, _SILENT = 500, 302, 0
#: A repetition of a real server may be this much too early or too late, and a quarter of its wait.
_TOLERANCE_MS = 150_000
#: How long an accepted delivery is watched at a real server: no run listens for hours.
_LISTENS_MS = 600_000
#: An accepted delivery may come once more where events are delivered "at least once".
_TWICE = 2
_HOOKED = frozenset({Need.CALLBACK})


def webhooks(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about deliveries, where a provider has webhooks."""
    rules = contract.behaviour.webhooks
    if rules is None:
        return
    total = sum(prices.values())

    def price(event: WebhookEvent) -> int:
        return prices.get(kind_of(contract, checks, event) or "", total)

    for type_, event in rules.events.items():
        yield Scenario(
            f"hooks of {type_}",
            f"wait for {type_}, and check its signature",
            bound(_delivered, type_),
            price(event),
            8,
            needs=STEERED if is_failure(contract, event) else _HOOKED,
        )
    yield Scenario(
        "repeated hooks",
        "refuse every delivery, and count the repetitions",
        _retries,
        price(last_event(contract)),
        8,
        needs=_HOOKED,
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


def _endpoint(session: Session, who: Identity, *types: str) -> ReceiverEndpoint:
    if not session.is_steered:
        return ReceiverEndpoint("", session.callback.secret)
    found = session.controls.new_endpoint(who, list(types))
    if found is None:
        raise UnableError("the server takes no endpoint")
    return found


def _job(session: Session, event: WebhookEvent, who: Identity) -> Made:
    """A job that ends as *event* requires, polled to its end."""
    made = begun(session, event, who)
    session.resources.finish(made)
    return made


def _delivered(session: Session, type_: str) -> None:
    rules, check = hook_rules(session), session.judge.check
    event, who = rules.events[type_], session.wallet.rich("listener")
    endpoint = _endpoint(session, who, type_)
    seen: list[bool] = []
    made_of: list[Made] = []

    def look() -> None:
        """Read the job as a receiver that polls at once."""
        if made_of:
            kind = session.shown.kind_seen(made_of[0].make.kind, session.resources.read(made_of[0]))
            seen.append(kind is not None and kind.is_final)

    made = begun(session, event, who)
    made_of.append(made)
    if session.is_steered:
        session.controls.on_delivery(look)
    else:
        longest_ms = session.resources.longest_ms(made.make.kind)
        if wait_for(session, made, 1, session.target.now_ms() + longest_ms):
            look()
    first_of(session, event, made)
    found = noted(session, made)
    last = session.trace.exchanges[-1]
    # An event may come twice, so a real server is not held to one delivery.
    holds = len(found) == 1 if session.is_steered else bool(found)
    check(rule_ids.hook_event(type_), f"{len(found)} deliveries came", last, holds=holds)
    if not found:
        return
    payload = found[0].payload
    detail = f"the delivery tells {at_pointer(payload, '/type')!r}"
    is_named = _names_event(rules, payload, type_)
    check(rule_ids.hook_event(type_), detail, last, holds=is_named, is_documented=False)
    is_end = seen or session.is_steered
    if is_end and all(
        kind is not None and kind.is_final for kind in kinds(session.contract, event)
    ):
        detail = "a receiver that asked at once did not see the end"
        check(rule_ids.hook("state"), detail, last, holds=bool(seen) and all(seen))
    _stops(session, made)
    _signature(session, rules, found[0], endpoint)


def _names_event(rules: WebhookRules, payload: Json, type_: str) -> bool:
    """Whether the payload has the parts of the template, including the type."""
    if not isinstance(payload, dict) or not isinstance(rules.body.source, dict):
        return isinstance(payload, dict)
    return payload.keys() == rules.body.source.keys() and all(
        payload[name] == type_ for name, it in rules.body.source.items() if it == "$type"
    )


def _stops(session: Session, made: Made) -> None:
    """Judge that an accepted delivery is not repeated when repetitions would come."""
    waits_ms, most = hook_rules(session).retries_ms, 1
    wait_ms = sum(waits_ms)
    if not session.is_steered:
        most = _TWICE
        in_time = [it for it in accumulate(waits_ms) if it <= _LISTENS_MS]
        wait_ms = (in_time or [*waits_ms[:1], 0])[-1] + session.callback.latency_ms
        if wait_ms > session.target.patience_ms:
            raise NeedError(Need.PATIENCE, str(wait_ms // 1_000))
    session.target.wait(wait_ms)
    count = len(arrived(session, made))
    detail = f"{count} deliveries, and the first was taken"
    last = session.trace.exchanges[-1]
    session.judge.check(rule_ids.hook("stops"), detail, last, holds=count <= most)


def _retries(session: Session) -> None:
    rules, who = hook_rules(session), session.wallet.rich("deaf")
    event = last_event(session.contract)
    endpoint = _endpoint(session, who, event.type)
    made = begun(session, event, who)
    receiver = session.receiver
    receiver.answer_deliveries(_refusals(session), about="" if session.is_steered else made.own_id)
    is_later = False
    try:
        if not first_of(session, event, made) and not session.is_steered:
            raise UnableError("nothing was delivered")
        _repeated(session, rules, made)
    except LaterError:
        is_later = True
        raise
    finally:
        if not is_later:  # what still arrives in this run is refused as well
            receiver.answer_deliveries([])
        found = noted(session, made)
        if found:
            _same_event(session, rules, found)
    for delivery in found[-1:]:
        _signature(session, rules, delivery, endpoint)


def _refusals(session: Session) -> list[int]:
    """What each attempt is answered: errors, a redirect, and nothing before a wait that is long."""
    waits_ms = hook_rules(session).retries_ms
    hold_ms = 0 if session.is_steered else session.callback.hold_ms
    found = [_REFUSED] * (len(waits_ms) + 3)
    found[1] = _MOVED
    silent = next((at for at, it in enumerate(waits_ms) if at > 1 and _margin_ms(it) > hold_ms), 0)
    if silent:
        found[silent] = _SILENT
    return found


def _margin_ms(wait_ms: int) -> int:
    """How much too early or too late a repetition of a real server may be."""
    return min(wait_ms // 4, _TOLERANCE_MS)


def _repeated(session: Session, rules: WebhookRules, made: Made) -> None:
    """Judge that each repetition comes after its wait, and none after the last one."""
    target, check, rule = session.target, session.judge.check, rule_ids.hook("retries")
    is_steered = session.is_steered
    latency_ms = 0 if is_steered else session.callback.latency_ms
    for number, wait_ms in enumerate(rules.retries_ms, start=1):
        if not is_steered and wait_ms > target.patience_ms:
            raise NeedError(Need.PATIENCE, str(wait_ms // 1_000))
        before_ms = target.now_ms() if is_steered else arrived(session, made)[-1].at_ms
        margin_ms = min(1_000, wait_ms // 2) if is_steered else _margin_ms(wait_ms)
        target.wait(before_ms + wait_ms - margin_ms - target.now_ms())
        early = len(arrived(session, made))
        if is_steered:
            target.wait(margin_ms)
            due = len(arrived(session, made))
        else:
            late_ms = before_ms + wait_ms + margin_ms + latency_ms
            if target.now_ms() > late_ms:
                raise UnableError(f"the run continued after repetition {number} was due")
            due = len(wait_for(session, made, early + (early == number), late_ms))
        detail = f"repetition {number} was to come after {wait_ms} ms: {early - number} came "
        detail += f"early, {due - number} in all"
        last = session.trace.exchanges[-1]
        holds = (early, due) == (number, number + 1)
        if not holds:
            # An event may come twice, so one that comes early may be a second copy.
            is_missing = due <= number and _is_wait_of_all(session.contract, number, wait_ms)
            check(rule, detail, made.exchange, last, holds=False, is_documented=is_missing)
            if not is_steered:
                return
    last = session.trace.exchanges[-1]
    if is_steered:
        target.wait(10 * max(rules.retries_ms))
    count, wanted = len(arrived(session, made)), len(rules.retries_ms) + 1
    detail = f"{count} attempts, {wanted} are documented"
    check(rule, detail, last, holds=count == wanted)
    followed = session.receiver.followed()
    detail = f"{followed} redirects of a receiver were followed"
    check(rule, detail, last, holds=not followed, is_documented=False)


def _is_wait_of_all(contract: Contract, number: int, wait_ms: int) -> bool:
    """Whether repetition *number* comes after *wait_ms* under every reading."""
    others = other_readings(contract)
    return all(it.retries_ms[number - 1 : number] == (wait_ms,) for it in others)


def _same_event(session: Session, rules: WebhookRules, found: list[SeenDelivery]) -> None:
    ids = {event_ids(rules, it) for it in found}
    same = {(it.body, event_ids(rules, it)) for it in found}
    detail = f"{len(same)} different bodies or ids"
    last = session.trace.exchanges[-1]
    is_documented = len(ids) > 1
    session.judge.check(
        rule_ids.hook("id"), detail, last, holds=len(same) == 1, is_documented=is_documented
    )


def _signature(
    session: Session, rules: WebhookRules, delivery: SeenDelivery, endpoint: ReceiverEndpoint
) -> None:
    if not rules.is_signed:
        return
    if not endpoint.secret:
        raise NeedError(Need.CALLBACK_SECRET)
    problem = signature_problem(rules, delivery, endpoint.secret)
    last = session.trace.exchanges[-1]
    others = (it for it in other_readings(session.contract) if it.signed != rules.signed)
    session.judge.check(
        rule_ids.hook("signature"),
        problem or "",
        last,
        holds=problem is None,
        is_documented=not any(others),
    )


def _rotation(session: Session) -> None:
    rules, who = hook_rules(session), session.wallet.rich("careful")
    event = last_event(session.contract)
    endpoint = _endpoint(session, who, event.type)
    _job(session, event, who)
    fresh = session.controls.rotate(endpoint)
    made = _job(session, event, who)
    found = noted(session, made)
    last = session.trace.exchanges[-1]
    if len(found) != 2:
        raise UnableError(f"{len(found)} deliveries came instead of 2")
    old = signature_problem(rules, found[0], endpoint.secret)
    new = signature_problem(rules, found[1], fresh.secret)
    detail = f"before the change: {old or 'right'}; after it: {new or 'right'}"
    holds = old is None and new is None and endpoint.secret != fresh.secret
    session.judge.check(rule_ids.hook("rotation"), detail, last, holds=holds)


def _endpoints(session: Session) -> None:
    rules, who = hook_rules(session), session.wallet.rich("greedy")
    made = [session.controls.new_endpoint(who, []) for _ in range(rules.endpoints_max + 1)]
    taken = sum(1 for it in made if it is not None)
    session.call(next(iter(session.contract.operations)), who=who)
    detail = f"{taken} endpoints were taken; at most {rules.endpoints_max} may be"
    last = session.trace.exchanges[-1]
    session.judge.check(
        rule_ids.hook("endpoints"), detail, last, holds=taken == rules.endpoints_max
    )
