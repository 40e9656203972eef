"""What the other pages show, by the name of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from screentest.specs.json_types import Json

from ...engine.endpoints import endpoint_called
from ...kernel.clock import rfc3339
from ...kernel.fault_types import TYPES
from ...kernel.faults import possible_calls
from ...kernel.webhooks import Delivery
from . import lists
from .contract_page import contract_list
from .job_page import job_list, shown
from .plot import HEIGHT, NAMES, WIDTH, plot
from .request_page import request_list
from .snippets import snippets, start_of, with_key
from .view import View

#: Jobs and findings of the overview.
_GLANCE = 8
#: Requests that a fault meets, as its page shows them.
_MET_MAX = 10


def overview(view: View) -> Mapping[str, object]:
    world = view.ask("getWorld")
    found = lists.requests(view, limit=_GLANCE, finding="any")
    jobs = view.ask("listJobs", query={"limit": _GLANCE})["items"]
    return {
        "shown_world": world,
        "providers": [_provider(view, world, name) for name in view.worlds.contracts],
        "jobs": [shown(view, it) for it in jobs],
        "findings": [line for _, line in found],
    }


def _provider(view: View, world: Json, name: str) -> Mapping[str, object]:
    contract, known = view.contract(name), world["providers"][name]
    account = known["account"]
    start = start_of(contract)
    code: dict[str, str] = {}
    if start is not None:
        address = known["base_url"] + start.operation.path
        url, headers = with_key(contract.behaviour, address, account)
        code = snippets(url, headers, start, start.examples[0])
    return {
        "id": name,
        "name": contract.behaviour.name,
        "base_url": known["base_url"],
        "account": account,
        "start": start,
        "code": code,
        "env": [it for it in contract.behaviour.environment if it in world["env"]],
    }


def credits(view: View) -> Mapping[str, object]:
    with view.world.rows.transaction() as rows:
        view.worlds.clocks.settle(view.world)
        accounts = [it for it in rows.accounts.of_world() if it.provider in view.worlds.contracts]
    chosen = next(
        (it for it in accounts if it.id == view.args.get("account")),
        next((it for it in accounts if it.granted), accounts[0]),
    )
    found = lists.entries(view, chosen.id)
    by_job: dict[str, dict[str, int]] = {}
    for entry in found:
        if entry.job is not None:
            kinds = by_job.setdefault(entry.job, {})
            kinds[entry.kind] = kinds.get(entry.kind, 0) + entry.amount
    before = view.number("before")
    newest = [it for it in reversed(found) if before is None or it.seq < before][: lists.ROWS]
    return {
        "accounts": accounts,
        "account": chosen,
        "drawing": plot(found, view.worlds.clocks.now_ms(view.world)),
        "names": NAMES,
        "size": (WIDTH, HEIGHT),
        "entries": [(it, rfc3339(it.at_ms)) for it in newest],
        "next": lists.next_before(len(newest), lists.ROWS, newest[-1].seq if newest else None),
        "by_job": list(reversed(by_job.items()))[: lists.ROWS],
    }


def webhooks(view: View) -> Mapping[str, object]:
    found = lists.deliveries(view)
    with_webhooks = {
        name: list(contract.behaviour.webhooks.events)
        for name, contract in view.worlds.contracts.items()
        if contract.behaviour.webhooks is not None
    }
    return {
        "endpoints": view.ask("listEndpoints", query={"limit": lists.ROWS})["items"],
        "deliveries": [_delivery(view, it) for it in found],
        "next": lists.next_before(len(found), lists.ROWS, found[-1].seq if found else None),
        "events": with_webhooks,
    }


def _delivery(view: View, row: Delivery) -> Mapping[str, object]:
    rules = view.contract(row.provider).behaviour.webhooks
    with view.world.rows.transaction() as rows:
        known = any(it["id"] == row.endpoint for it in rows.documents.of("endpoint"))
        endpoint = endpoint_called(rows, row.endpoint) if known else None
    return {
        "row": row,
        "created": rfc3339(row.created_ms),
        "due": rfc3339(row.due_ms) if row.due_ms is not None else None,
        "url": view.worlds.store.redactor.cut_url(endpoint.url) if endpoint is not None else None,
        "rules": rules,
    }


def faults(view: View) -> Mapping[str, object]:
    found = view.ask("listFaults", query={"limit": 200})["items"]
    chosen = view.args.get("type", "http_error")
    served = {name: it.behaviour for name, it in view.worlds.contracts.items()}
    reach: dict[str, list[str]] = {}
    for provider, rules in possible_calls(chosen, served) if chosen in TYPES else ():
        reach.setdefault(provider, []).append(rules.id)
    return {
        "faults": [
            {**it, "summary": TYPES[it["type"]].summary, "met": _met(view, it["id"])}
            for it in reversed(found)
        ],
        "types": TYPES,
        "chosen": chosen,
        "reach": reach,
    }


def _met(view: View, fault: str) -> list[Json]:
    """The newest requests that *fault* was applied to."""
    text = f'{{"id":"{fault}",'.encode()
    with view.world.rows.transaction() as rows:
        found = rows.journal.newest(
            before=None, limit=_MET_MAX, fits=lambda _: True, containing=[b'"faults":[', text]
        )
    return [line for _, line in found]


def worlds(view: View) -> Mapping[str, object]:
    limit = {"limit": 200}
    listed = view.control("listWorlds", {}, query=limit, origin=view.origin)["items"]
    snapshots = {
        it["id"]: view.control("listSnapshots", {"world": it["id"]}, query=limit)["items"]
        for it in listed
    }
    return {"listed": listed, "snapshots": snapshots, "providers": list(view.worlds.contracts)}


PAGES: Mapping[str, Callable[[View], Mapping[str, object]]] = {
    "overview": overview,
    "requests": request_list,
    "jobs": job_list,
    "credits": credits,
    "webhooks": webhooks,
    "faults": faults,
    "contracts": contract_list,
    "worlds": worlds,
}
