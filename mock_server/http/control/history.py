"""Control calls about requests and findings, and a judgement of replies recorded elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json

from ...findings.explanations import explanations
from ...findings.made_requests import Wanted, made_requests
from ...findings.recorded_replies import departures
from ...findings.world_findings import WorldFinding, world_findings
from ...kernel.errors import unknown
from ...store.history_tables import JOURNAL_MAX
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


def verify_requests(call: ControlCall) -> Json:
    world, body = call.world, call.body
    known = operations_of(call.worlds.contracts, body.get("provider", ""))
    for name in body["operations"]:
        if name not in known:
            raise unknown("operation", name, known, status=422)
    with world.rows.transaction():
        kept = world.rows.journal.page(after=0, limit=JOURNAL_MAX, filters={})
    found, detail = made_requests([line for _, line in kept], Wanted(**body))
    return {"holds": not detail, "detail": detail, "requests": [it["id"] for it in found]}


def list_findings(call: ControlCall) -> Json:
    """The findings of a world from the *cursor*-th on, and how many fit in all."""
    worlds, world = call.worlds, call.world
    if "code" in call.query and call.query["code"] not in explanations():
        raise unknown("code", call.query["code"], list(explanations()), status=422)
    if "provider" in call.query:
        worlds.contract(call.query["provider"])
    worlds.clocks.wait_for_outcomes(world)
    with world.rows.transaction():
        found = world_findings(worlds, world, is_final=call.query.get("final", False))
    fitting = [it for it in found if it.fits(call.query)]
    numbered = list(enumerate(fitting, 1))[call.cursor or 0 :]
    page = one_page(numbered, call.limit, lambda it: it[1].to_json(), lambda it: it[0])
    return {**page, "counts": _counts(fitting)}


def _counts(found: Sequence[WorldFinding]) -> Json:
    severities = Counter(it.finding["severity"] for it in found)
    return {
        "error": severities["error"],
        "warning": severities["warning"],
        "codes": dict(sorted(Counter(it.finding["code"] for it in found).items())),
    }


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
    "verifyRequests": verify_requests,
    "listFindings": list_findings,
    "lintReply": lint_reply,
}
