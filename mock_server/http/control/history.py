"""Control calls about what came in, and a judgement of replies that were recorded elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.json_types import Json

from ...findings.explanations import explanations
from ...findings.recorded_replies import departures
from ...kernel.errors import unknown
from .readings import check_readings
from .request import ControlCall, Handler, one_page, operations_of


def list_requests(call: ControlCall) -> Json:
    world, limit = call.world, call.limit
    filters = {
        name: call.query[name]
        for name in ("provider", "operation", "status", "code")
        if name in call.query
    }
    if "provider" in filters:
        call.worlds.contract(filters["provider"])
    operations = operations_of(call.worlds.contracts, filters.get("provider", ""))
    for name, known in (("operation", operations), ("code", list(explanations()))):
        if name in filters and filters[name] not in known:
            raise unknown(name, filters[name], known, status=422)
    with world.rows.transaction():
        found = world.rows.journal.page(after=call.cursor or 0, limit=limit + 1, filters=filters)
    return one_page(found, limit, lambda it: it[1], lambda it: it[0])


def get_request(call: ControlCall) -> Json:
    world, name = call.world, call.path["request"]
    number = name.removeprefix("req_")
    is_number = number.isascii() and number.isdigit() and len(number) < 18
    with world.rows.transaction():
        line = world.rows.journal.line(int(number)) if is_number else None
    if line is None:
        raise unknown("request", name, [])
    return line


def lint_reply(call: ControlCall) -> Json:
    """How a recorded reply departs from the contract, under the readings of the world.

    The body may name other `readings`.
    """
    world, body = call.world, call.body
    contract = call.worlds.contract(body["provider"])
    readings = body.get("readings", {})
    check_readings([contract], readings)
    contract = contract.under({**world.settings.choices, **readings})
    operation = contract.operations.get(body["operation"])
    if operation is None:
        raise unknown("operation", body["operation"], contract.operations, status=422)
    headers = {name.lower(): value for name, value in body.get("headers", {}).items()}
    status = int(body["status"])
    return {"violations": departures(contract, operation, status, headers, body.get("body"))}


OPERATIONS: Mapping[str, Handler] = {
    "listRequests": list_requests,
    "getRequest": get_request,
    "lintReply": lint_reply,
}
