"""The outbox of a world: its webhook deliveries, and the claim that lets one sender act at a time.

Every function runs inside a transaction. A delivery is written by the transaction that ends its
job, so no event is lost or sent too early. It is sent outside, between `claim` and `finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.behaviour.lifecycles import State
from screentest.specs.json_types import Json

from ..kernel.clock import rfc3339
from ..kernel.errors import MockError, unknown
from ..kernel.faults import Fault
from ..kernel.ids import mint
from ..kernel.receiver_findings import receiver_findings
from ..kernel.rows import Effect, Event, Resource
from ..kernel.webhooks import (
    REPLY_EXCERPT_MAX,
    Attempt,
    Delivery,
    Endpoint,
    Fate,
    Outcome,
    WebhookRequest,
    event_body,
    settled,
    signed_headers,
)
from ..store.working_set import WorkingSet
from .endpoints import ENDPOINTS, endpoints, of_requests, rules_of, secret_of
from .instant import Instant

JobFacts = Callable[[], Mapping[str, Json]]

#: The kind of the effects that make attempts due.
EFFECT = "delivery"
DELIVERIES = "delivery"
#: The events for a successful and for a failed attempt.
REPORTS = ("webhook.delivered", "webhook.failed")
#: Older deliveries of a world are dropped.
DELIVERIES_MAX = 10_000
_TRIMMED_EVERY = 256
_URL_LENGTH_MAX = 2_000
#: A sent delivery releases delayed ones among this many before it.
_HELD_WITHIN = 100


def deliveries(
    rows: WorkingSet, *, after_seq: int = 0, limit: int = DELIVERIES_MAX
) -> list[Delivery]:
    """Deliveries of a world, oldest first."""
    return rows.deliveries.page(after_seq=after_seq, limit=limit)


def delivery_called(rows: WorkingSet, id_: str) -> Delivery:
    """The delivery *id_*.

    Raises:
        MockError: the world has no such delivery, or it was dropped.
    """
    found = rows.deliveries.get(id_)
    if found is None:
        raise unknown("delivery", id_, [it.id for it in deliveries(rows, limit=20)])
    return found


def delete_endpoint(ctx: Instant, endpoint: Endpoint) -> None:
    """Delete *endpoint* and cancel its pending deliveries."""
    ctx.rows.documents.remove((ENDPOINTS, endpoint.id))
    for delivery in deliveries(ctx.rows):
        if delivery.endpoint == endpoint.id and delivery.fate is Fate.PENDING:
            ctx.rows.effects.remove(_subject(delivery))
            fate = Fate.DELIVERED if delivery.was_received else Fate.CANCELLED
            _save(ctx, replace(delivery, fate=fate, due_ms=None))


def announce(ctx: Instant, job: Resource, state: State, facts: JobFacts) -> None:
    """Add the event of a job that enters *state* to the outbox, once for each subscriber."""
    rules = ctx.behaviour.webhooks
    lifecycle = ctx.kind_rules(job).lifecycle
    event = rules.event(lifecycle.name, state) if rules is not None and lifecycle else None
    if rules is None or event is None:
        return
    wanting = [
        it
        for it in endpoints(ctx.rows)
        if it.provider == ctx.provider and it.wants(job.account, event.type)
    ]
    wanting += _named_by_request(ctx, rules, event, job, facts)
    if not wanting:
        return
    # One id and one body for all endpoints and attempts: receivers recognise repetitions by them.
    number = ctx.rows.count(f"{ctx.provider}/webhook event")
    id_ = mint(rules.id_form, number, ctx.world.seed, ctx.provider, "webhook event")
    body = event_body(rules, event, id_, ctx.now_ms, facts())
    for endpoint in wanting:
        _enqueue(ctx, endpoint, event, job, id_, body)


def _named_by_request(
    ctx: Instant, rules: WebhookRules, event: WebhookEvent, job: Resource, facts: JobFacts
) -> list[Endpoint]:
    """The endpoint that the request of *job* names, if it names one for *event*."""
    if rules.address is None:
        return []
    about = {"job": facts()}
    url = rules.address.fill(about)
    only = rules.only.fill(about) if rules.only is not None else None
    if not isinstance(url, str) or not url or len(url) > _URL_LENGTH_MAX:
        return []
    if isinstance(only, list) and event.type not in only:
        return []
    return [of_requests(ctx, job.account, url)]


def _enqueue(
    ctx: Instant, endpoint: Endpoint, event: WebhookEvent, job: Resource, id_: str, body: str
) -> None:
    facts = {
        "operation": job.doc.get("operation"),
        "account": job.account,
        "event": event.type,
        "endpoint": endpoint.id,
    }
    # All three are looked up, because each fault counts the deliveries that it meets.
    dropped = ctx.apply_fault("webhook_drop", facts)
    doubled = ctx.apply_fault("webhook_duplicate", facts)
    late = ctx.apply_fault("webhook_reorder", facts)
    for copy in range(_attribute(doubled, "copies", 1)):
        number = ctx.rows.count(DELIVERIES)
        delivery = Delivery(
            id=f"dlv_{number}",
            seq=number,
            provider=ctx.provider,
            endpoint=endpoint.id,
            event=id_,
            type=event.type,
            job=job.id,
            operation=job.doc.get("operation"),
            created_ms=ctx.now_ms,
            body=body,
            fate=Fate.DROPPED if dropped is not None else Fate.PENDING,
            due_ms=ctx.now_ms + _attribute(late, "delay_ms", 0),
            # Only the original follows the schedule of retries.
            is_single=copy > 0,
            is_held=late is not None,
        )
        _schedule(ctx, delivery)
        # A check for each delivery would cost more than the rows that are kept too long.
        if number % _TRIMMED_EVERY == 0:
            ctx.rows.deliveries.trim(number - DELIVERIES_MAX)


def _attribute(fault: Fault | None, name: str, otherwise: int) -> int:
    return int(fault.attributes[name]) if fault is not None else otherwise


def _schedule(ctx: Instant, delivery: Delivery) -> None:
    """Store *delivery*, and make its next attempt due if it is pending."""
    if delivery.fate is not Fate.PENDING:
        _save(ctx, replace(delivery, due_ms=None))
        return
    assert delivery.due_ms is not None, delivery.id
    _save(ctx, delivery)
    ctx.rows.effects.put(
        Effect(
            seq=ctx.rows.count("effect"),
            due_ms=delivery.due_ms,
            kind=EFFECT,
            subject=_subject(delivery),
            step=delivery.step,
            label="webhook.attempt",
        ),
    )


def _subject(delivery: Delivery) -> str:
    return f"{delivery.provider}/{DELIVERIES}/{delivery.id}"


def _save(ctx: Instant, delivery: Delivery) -> None:
    ctx.rows.deliveries.put(delivery)


def redeliver(ctx: Instant, delivery: Delivery) -> None:
    """Make one more attempt due now: the next one of the schedule, or one beyond it.

    Raises:
        MockError: its endpoint was deleted, or an attempt is being sent.
    """
    if ctx.rows.documents.find(ENDPOINTS, delivery.endpoint) is None:
        raise MockError(
            f"endpoint {delivery.endpoint} of {delivery.id} was deleted",
            code="endpoint_deleted",
            status=409,
        )
    if delivery.ticket is not None:
        raise MockError(
            f"{delivery.id} is being sent; wait for the outcome", code="under_way", status=409
        )
    ctx.rows.effects.remove(_subject(delivery))
    # After the end of the schedule this is one more attempt, without retries of its own.
    is_over = delivery.fate is not Fate.PENDING
    step = len(rules_of(ctx).retries_ms) if is_over else delivery.step
    again = replace(delivery, fate=Fate.PENDING, step=step, due_ms=ctx.now_ms)
    _schedule(ctx, again)


def claim(ctx: Instant, delivery_id: str, ticket: int, until_ms: int) -> Attempt | None:
    """The attempt that is due now, for the caller to send; None if the delivery is gone.

    After *until_ms*, in wall time, another process may take the delivery over.
    """
    delivery = ctx.rows.deliveries.get(delivery_id)
    if delivery is None:
        return None
    assert delivery.fate is Fate.PENDING, delivery
    assert delivery.ticket is None, delivery
    endpoint = ctx.rows.documents.find(ENDPOINTS, delivery.endpoint)
    assert endpoint is not None, "deleting an endpoint cancels its deliveries"
    facts = {
        "operation": delivery.operation,
        "account": endpoint["account"],
        "event": delivery.type,
        "endpoint": delivery.endpoint,
    }
    forged = ctx.apply_fault("webhook_bad_signature", facts)
    # Counted with the claim: a process that ends while it sends may have reached the receiver.
    number = delivery.attempts_made + 1
    claimed = replace(
        delivery,
        ticket=ticket,
        claimed_until_ms=until_ms,
        due_ms=ctx.now_ms,
        attempts_made=number,
        is_held=False,
    )
    _save(ctx, claimed)
    return Attempt(
        world_id=ctx.world.id,
        provider=ctx.provider,
        delivery=delivery.id,
        endpoint=delivery.endpoint,
        number=number,
        due_ms=ctx.now_ms,
        ticket=ticket,
        is_forged=forged is not None,
    )


def request_of(ctx: Instant, attempt: Attempt, wall_ms: int) -> WebhookRequest | None:
    """What *attempt* sends, signed with the current secret; None if it was cancelled."""
    delivery = _claimed(ctx, attempt)
    # Read again: since the claim, the endpoint may have been deleted or its secret replaced.
    raw = ctx.rows.documents.find(ENDPOINTS, attempt.endpoint)
    if delivery is None or raw is None:
        return None
    endpoint = Endpoint.from_json(raw)
    secret = secret_of(ctx, endpoint)
    # A wrong secret and not a broken header, so that only a real check of the signature fails.
    if attempt.is_forged:
        secret = f"not {secret}"
    rules = rules_of(ctx)
    # By the machine's clock, a receiver does not refuse the signature as too old.
    at_ms = ctx.now_ms if rules.clock == "world" else wall_ms
    headers = signed_headers(rules, secret, delivery, attempt.number, at_ms)
    return WebhookRequest(endpoint.url, headers, delivery.body.encode())


def finish(
    ctx: Instant, attempt: Attempt, sent: WebhookRequest | None, outcome: Outcome
) -> Event | None:
    """Record the outcome of *attempt*, and make the next one due if there is one.

    None if the claim no longer holds: the world was reset, or the delivery is gone.
    """
    delivery = _claimed(ctx, attempt)
    if delivery is None:
        return None
    if sent is None:
        _save(ctx, replace(delivery, ticket=None, claimed_until_ms=None, due_ms=None))
        return None
    redactor = ctx.rows.redactor
    line: dict[str, Json] = {
        "number": attempt.number,
        "at": rfc3339(attempt.due_ms),
        "url": redactor.cut_url(sent.url),
        # The signature reveals nothing of the secret, and is needed whole to debug one that does
        # not verify.
        "headers": dict(sent.headers),
        "status": outcome.status,
        "error": outcome.error,
        "latency_ms": outcome.latency_ms,
        "reply": redactor.cut_beginning(outcome.reply, REPLY_EXCERPT_MAX),
    }
    found = receiver_findings(ctx.behaviour, outcome, is_forged=attempt.is_forged)
    if found:
        line["findings"] = [it.to_json() for it in found]
    after = settled(rules_of(ctx), delivery, attempt, outcome, line)
    _schedule(ctx, after)
    # Only a fault holds deliveries back, so other worlds skip the search.
    if ctx.has_faults:
        _let_go(ctx, delivery)
    return ctx.record(
        REPORTS[0] if outcome.is_success else REPORTS[1],
        delivery.id,
        event=delivery.event,
        endpoint=delivery.endpoint,
        attempt=attempt.number,
        status=outcome.status,
        error=outcome.error,
    )


def _let_go(ctx: Instant, sent: Delivery) -> None:
    """Make due the delayed deliveries that waited until *sent* was sent."""
    first = max(0, sent.seq - _HELD_WITHIN)
    nearby = deliveries(ctx.rows, after_seq=first, limit=_HELD_WITHIN)
    for delivery in nearby:
        if delivery.seq >= sent.seq:
            return
        if delivery.is_held and delivery.endpoint == sent.endpoint:
            ctx.rows.effects.remove(_subject(delivery))
            _schedule(ctx, replace(delivery, is_held=False, due_ms=ctx.now_ms))


def _claimed(ctx: Instant, attempt: Attempt) -> Delivery | None:
    delivery = ctx.rows.deliveries.get(attempt.delivery)
    # A reset or a takeover gives another ticket; the outcome of an old claim is not recorded.
    return delivery if delivery is not None and delivery.ticket == attempt.ticket else None


def hand_back(ctx: Instant, attempt: Attempt) -> None:
    """Make *attempt* due again. It was claimed but not sent, so it does not count."""
    delivery = _claimed(ctx, attempt)
    if delivery is not None:
        _schedule(ctx, replace(delivery, ticket=None, attempts_made=delivery.attempts_made - 1))


def take_back(ctx: Instant, delivery: Delivery) -> None:
    """Make an attempt due again whose process ended before it was sent."""
    # The number of attempts stays, because the receiver may have got this one.
    _schedule(ctx, replace(delivery, ticket=None, claimed_until_ms=None))
