"""Deliveries of webhooks: the jobs that they are about, what has arrived, and signatures.

A server that cannot be steered sends them to the callback that the user supplied. Deliveries about
other jobs arrive there too, so those count whose body has the id of the job.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator

from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.expressions.templates import fill_text
from screentest.specs.files import BEHAVIOUR
from screentest.specs.json_types import Json

from ..targets.needs import UnableError
from ..targets.plans import changed
from ..targets.target import Identity
from ..traces.expressions import at_pointer
from ..traces.trace import SeenDelivery
from .made import Made
from .session import Session

#: An event may come this long after the end of its job, where no document says more.
_ARRIVES_MS = 60_000
_ASKED = "job.input."


def asked_field(rules: WebhookRules) -> str | None:
    """The field of a request that names where its events go; None if the user registers that."""
    names = rules.address.names if rules.address is not None else ()
    return next((it.removeprefix(_ASKED) for it in names if it.startswith(_ASKED)), None)


def hook_rules(session: Session) -> WebhookRules:
    rules = session.contract.behaviour.webhooks
    assert rules is not None
    return rules


def last_event(contract: Contract) -> WebhookEvent:
    """An event of the end of a job where there is one: nothing of the job comes after it."""
    assert contract.behaviour.webhooks is not None
    events = list(contract.behaviour.webhooks.events.values())
    return next((it for it in events if Kind.SUCCEEDED in kinds(contract, it)), events[0])


def kinds(contract: Contract, event: WebhookEvent) -> set[Kind | None]:
    """The kinds of the states with which *event* comes."""
    states = contract.behaviour.lifecycles[event.lifecycle].states
    return {states[it].kind for it in event.enters} or {event.ends}


def is_failure(contract: Contract, event: WebhookEvent) -> bool:
    """Whether *event* comes only when a job fails."""
    found = kinds(contract, event)
    return Kind.FAILED in found and Kind.SUCCEEDED not in found


def other_readings(contract: Contract) -> Iterator[WebhookRules]:
    """The webhooks under each other reading that changes them."""
    for name, switch in contract.behaviour.interpretations.items():
        for value, patch in switch.patches[BEHAVIOUR].items():
            found = contract.under({f"{contract.provider}.{name}": value}).behaviour.webhooks
            if "webhooks" in patch and found is not None:
                yield found


def kind_of(contract: Contract, checks: Checks, event: WebhookEvent) -> str | None:
    """The first kind of job that *event* is about."""
    for kind in checks.makes:
        lifecycle = contract.behaviour.lifecycle_of(kind)
        if lifecycle is not None and lifecycle.name == event.lifecycle:
            return kind
    return None


def begun(session: Session, event: WebhookEvent, who: Identity) -> Made:
    """A job that will end as *event* requires."""
    kind = kind_of(session.contract, session.checks, event)
    if kind is None:
        raise UnableError(f"nothing in the checks makes a {event.lifecycle}")
    by = session.checks.makes[kind].by
    if is_failure(session.contract, event):
        session.controls.fail_next(who, by)
    return session.resources.make(kind, who=who, plan=_plan(session, by))


def _plan(session: Session, operation: str) -> RequestPlan:
    """The smallest request; with the address of the callback where a request names that."""
    plan, field = session.plan(operation), asked_field(hook_rules(session))
    if session.is_steered or field is None:
        return plan
    return changed(plan, {field: session.callback.url})


def arrived(session: Session, made: Made) -> list[SeenDelivery]:
    """The deliveries about *made*, in order."""
    found = session.receiver.deliveries()
    if session.is_steered:
        return found
    ids = {made.own_id.encode(), session.resources.job_of(made).encode()}
    return [it for it in found if any(id_ in it.body for id_ in ids)]


def wait_for(session: Session, made: Made, count: int, until_ms: int) -> list[SeenDelivery]:
    """The deliveries about *made* once there are *count*, at the latest at *until_ms*."""
    step_ms = max(1_000, (until_ms - session.target.now_ms()) // 50)
    while len(arrived(session, made)) < count and session.target.now_ms() < until_ms:
        session.target.wait(step_ms)
    return arrived(session, made)


def first_of(session: Session, event: WebhookEvent, made: Made) -> list[SeenDelivery]:
    """The deliveries about the end of *made*, which is polled to it; empty if there is none."""
    polls = session.resources.finish(made)
    if session.is_steered:
        return arrived(session, made)
    kind = session.shown.kind_seen(made.make.kind, polls[-1]) if polls else None
    if kind is not None and kind not in kinds(session.contract, event):
        raise UnableError(f"the {made.make.kind} ended as {kind.value}")
    late_ms = _ARRIVES_MS + session.callback.latency_ms
    return wait_for(session, made, 1, session.target.now_ms() + late_ms)


def noted(session: Session, made: Made) -> list[SeenDelivery]:
    """The deliveries about *made*, now in the trace."""
    found = arrived(session, made)
    for delivery in found:
        session.see(delivery)
    return found


def event_ids(rules: WebhookRules, delivery: SeenDelivery) -> tuple[str, ...]:
    """The id of the event, in the body and in its headers."""
    names = [name.lower() for name, template in rules.headers.items() if template == "{id}"]
    shown = [at_pointer(delivery.payload, "/id"), *(delivery.headers.get(it) for it in names)]
    return tuple(map(str, shown))


def signature_problem(rules: WebhookRules, delivery: SeenDelivery, secret: str) -> str | None:
    """What is wrong with the signature of a delivery; None when it fits *secret*."""
    headers = delivery.headers
    facts: dict[str, Json] = {"body": delivery.body.decode("utf-8", "replace")}
    given, encoding = "", ""
    for name, template in rules.headers.items():
        value = headers.get(name.lower())
        if value is None:
            return f"the header {name} is missing"
        match = re.fullmatch(r"(.*)\{([a-z0-9]+)\.?([a-z0-9_]*)\}", template)
        if match is None:
            continue
        value = value.removeprefix(match[1])
        if match[2] == "signature":
            given, encoding = value, match[3]
        elif match[3]:
            facts[match[2]] = {**facts.get(match[2], {}), match[3]: value}
        else:
            facts[match[2]] = value
    digest = rules.signature(secret, fill_text(rules.signed, facts))
    wanted = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    return None if hmac.compare_digest(wanted, given) else "the signature does not fit the body"
