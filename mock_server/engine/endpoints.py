"""The webhook endpoints of a world, and their secrets."""

from __future__ import annotations

from msgspec.structs import replace

from screentest.specs.behaviour import WebhookRules

from ..kernel.errors import MockError, unknown
from ..kernel.webhooks import Endpoint
from ..store.sqlite import Store
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
    present = sum(it.account == account for it in endpoints(ctx.rows, ctx.world.id))
    if present >= rules.endpoints_max:
        raise MockError(
            f"account {account} has {rules.endpoints_max} of {rules.endpoints_max} endpoints; "
            "delete one first",
            code="too_many",
            status=409,
        )
    number = ctx.rows.count(ctx.world.id, ENDPOINTS)
    endpoint = Endpoint(f"ep_{number}", number, ctx.provider, account, url, events, ctx.now_ms)
    ctx.rows.save_document(ctx.world.id, ENDPOINTS, endpoint.id, number, endpoint.to_json())
    return endpoint, secret_of(ctx, endpoint)


def endpoints(store: Store, world_id: str) -> list[Endpoint]:
    """The endpoints of a world, oldest first."""
    return [Endpoint.from_json(raw) for raw in store.documents(world_id, ENDPOINTS)]


def endpoint_called(store: Store, world_id: str, id_: str) -> Endpoint:
    """The endpoint *id_*.

    Raises:
        MockError: the world has no such endpoint.
    """
    raw = store.document(world_id, ENDPOINTS, id_)
    if raw is None:
        raise unknown("endpoint", id_, [it.id for it in endpoints(store, world_id)])
    return Endpoint.from_json(raw)


def rotate(ctx: Instant, endpoint: Endpoint) -> tuple[Endpoint, str]:
    """*endpoint* with a new secret. The old secret signs nothing from now on."""
    endpoint = replace(endpoint, rotations=endpoint.rotations + 1)
    ctx.rows.save_document(ctx.world.id, ENDPOINTS, endpoint.id, endpoint.seq, endpoint.to_json())
    return endpoint, secret_of(ctx, endpoint)


def secret_of(ctx: Instant, endpoint: Endpoint) -> str:
    """The secret that signs deliveries to *endpoint*."""
    return endpoint.secret(rules_of(ctx), ctx.world.id, ctx.world.seed)
