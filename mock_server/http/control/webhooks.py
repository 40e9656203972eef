"""Control calls about webhook endpoints and what is delivered to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flask import current_app

from screentest.specs.json_types import Json

from ...engine import outbox
from ...engine.endpoints import add_endpoint, endpoint_called, endpoints, rotate
from ...engine.worlds import Worlds
from ...kernel.clock import rfc3339
from ...kernel.errors import MockError
from ...kernel.webhooks import Delivery, Endpoint
from .request import ControlCall, Handler, one_page


def create_endpoint(call: ControlCall) -> Json:
    worlds, world, body = call.worlds, call.world, call.body
    contract = worlds.contract(body["provider"])
    current_app.extensions["screentest.check_target"](body["url"])
    with world.rows.transaction():
        accounts = [it for it in world.rows.accounts.of_world() if it.provider == contract.provider]
        account = worlds.accounts.get(world, body.get("account", accounts[0].id))
        if account.provider != contract.provider:
            raise MockError(
                f"account {account.id} belongs to {account.provider}, not to {contract.provider}",
                code="invalid_field",
            )
        ctx = worlds.clocks.instant(world, contract.provider)
        endpoint, secret = add_endpoint(ctx, account.id, body["url"], tuple(body.get("events", ())))
    return _endpoint(worlds, endpoint, secret)


def list_endpoints(call: ControlCall) -> Json:
    world, after = call.world, call.cursor or 0
    with world.rows.transaction():
        found = [it for it in endpoints(world.rows) if it.seq > after]
    return one_page(found, call.limit, partial(_endpoint, call.worlds), lambda it: it.seq)


def delete_endpoint(call: ControlCall) -> None:
    worlds, world = call.worlds, call.world
    with world.rows.transaction():
        endpoint = endpoint_called(world.rows, call.path["endpoint"])
        outbox.delete_endpoint(worlds.clocks.instant(world, endpoint.provider), endpoint)


def rotate_endpoint(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    with world.rows.transaction():
        endpoint = endpoint_called(world.rows, call.path["endpoint"])
        endpoint, secret = rotate(worlds.clocks.instant(world, endpoint.provider), endpoint)
    return _endpoint(worlds, endpoint, secret)


def list_deliveries(call: ControlCall) -> Json:
    worlds, world, limit = call.worlds, call.world, call.limit
    with world.rows.transaction():
        worlds.clocks.settle(world)
    worlds.clocks.wait_for_outcomes(world)
    with world.rows.transaction():
        found = outbox.deliveries(world.rows, after_seq=call.cursor or 0, limit=limit + 1)
    return one_page(found, limit, _delivery, lambda it: it.seq)


def redeliver(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    worlds.clocks.wait_for_outcomes(world)
    with world.rows.transaction():
        delivery = outbox.delivery_called(world.rows, call.path["delivery"])
        outbox.redeliver(worlds.clocks.instant(world, delivery.provider), delivery)
        worlds.clocks.settle(world)
    worlds.clocks.wait_for_outcomes(world)
    with world.rows.transaction():
        return _delivery(outbox.delivery_called(world.rows, delivery.id))


def _endpoint(worlds: Worlds, endpoint: Endpoint, secret: str | None = None) -> Json:
    shown = {
        "id": endpoint.id,
        "provider": endpoint.provider,
        "account": endpoint.account,
        "url": worlds.store.redactor.cut_url(endpoint.url),
        "events": list(endpoint.events),
        "created_at": rfc3339(endpoint.created_ms),
    }
    return shown if secret is None else {**shown, "secret": secret}


def _delivery(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "provider": delivery.provider,
        "endpoint": delivery.endpoint,
        "event": delivery.event,
        "type": delivery.type,
        "job": delivery.job,
        "created_at": rfc3339(delivery.created_ms),
        "state": delivery.fate.value,
        "body": delivery.body,
        "next_due": rfc3339(delivery.due_ms) if delivery.due_ms is not None else None,
        "attempts": list(delivery.attempts),
    }


OPERATIONS: Mapping[str, Handler] = {
    "createEndpoint": create_endpoint,
    "listEndpoints": list_endpoints,
    "deleteEndpoint": delete_endpoint,
    "rotateEndpoint": rotate_endpoint,
    "listDeliveries": list_deliveries,
    "redeliver": redeliver,
}
