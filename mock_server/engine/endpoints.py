"""The webhook endpoints of a world, and their secrets."""

from __future__ import annotations

from msgspec.structs import replace

from screentest.specs.behaviour.deliveries import WebhookRules

from ..kernel.errors import MockError, unknown
from ..kernel.webhooks import Endpoint
from ..store.working_set import WorkingSet
from .instant import Instant

ENDPOINTS = "endpoint"


def rules_of(ctx: Instant) -> WebhookRules:
    """What the contract says about webhooks.

    Raises:
        MockError: the provider documents no webhooks.
    """
    rules = ctx.behaviour.webhooks
    if rules is None:
        raise MockError(f"{ctx.provider} documents no webhooks", code="no_webhooks")
    return rules


def add_endpoint(
    ctx: Instant, account: str, url: str, events: tuple[str, ...]
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown only here.

    Raises:
        MockError: an event is unknown, or the account has as many endpoints as allowed.
    """
    rules = rules_of(ctx)
    for type_ in events:
        if type_ not in rules.events:
            raise unknown("event", type_, rules.events, status=422)
    # Counted in the rows: an account has a few endpoints, and a counter could differ from them.
    known = (it for it in endpoints(ctx.rows) if not it.is_of_requests)
    present = sum(it.account == account for it in known)
    if present >= rules.endpoints_max:
        raise MockError(
            f"account {account} has {rules.endpoints_max} of {rules.endpoints_max} endpoints; "
            "delete one first",
            code="too_many",
            status=409,
        )
    # A number is never drawn twice, so an id in the journal means one endpoint for good.
    number = ctx.rows.count(ENDPOINTS)
    endpoint = Endpoint(f"ep_{number}", number, ctx.provider, account, url, events, ctx.now_ms)
    ctx.rows.documents.save(ENDPOINTS, endpoint.id, number, endpoint.to_json())
    return endpoint, secret_of(ctx, endpoint)


def endpoints(rows: WorkingSet) -> list[Endpoint]:
    """The endpoints of a world, oldest first."""
    return [Endpoint.from_json(raw) for raw in rows.documents.of(ENDPOINTS)]


def endpoint_called(rows: WorkingSet, id_: str) -> Endpoint:
    """The endpoint *id_*.

    Raises:
        MockError: the world has no such endpoint.
    """
    raw = rows.documents.find(ENDPOINTS, id_)
    if raw is None:
        raise unknown("endpoint", id_, [it.id for it in endpoints(rows)])
    return Endpoint.from_json(raw)


def rotate(ctx: Instant, endpoint: Endpoint) -> tuple[Endpoint, str]:
    """*endpoint* with a new secret. The old secret signs nothing from now on."""
    endpoint = replace(endpoint, rotations=endpoint.rotations + 1)
    ctx.rows.documents.save(ENDPOINTS, endpoint.id, endpoint.seq, endpoint.to_json())
    return endpoint, secret_of(ctx, endpoint)


def of_requests(ctx: Instant, account: str, url: str) -> Endpoint:
    """The endpoint of *account* for the jobs whose requests name *url*, made when it is missing."""
    for it in endpoints(ctx.rows):
        if it.is_of_requests and (it.provider, it.account, it.url) == (ctx.provider, account, url):
            return it
    number = ctx.rows.count(ENDPOINTS)
    made = Endpoint(
        f"ep_{number}", number, ctx.provider, account, url, (), ctx.now_ms, is_of_requests=True
    )
    ctx.rows.documents.save(ENDPOINTS, made.id, number, made.to_json())
    return made


def account_secret(ctx: Instant, account: str) -> str:
    """The secret that signs deliveries to the addresses in an account's requests."""
    return secret_of(ctx, Endpoint("", 0, ctx.provider, account, "", (), 0, is_of_requests=True))


def secret_of(ctx: Instant, endpoint: Endpoint) -> str:
    """The secret that signs deliveries to *endpoint*."""
    return endpoint.secret(rules_of(ctx), ctx.world.id, ctx.world.seed)
