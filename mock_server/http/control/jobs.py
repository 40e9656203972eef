"""Control calls about jobs and other resources, and about injected faults."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.operations import ResourceKind
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.validation import Schema

from ...engine.endpoints import endpoints
from ...engine.job_control import finish_now, job_called, set_held, set_outcome
from ...kernel.errors import MockError, unknown
from ...kernel.faults import Fault, Places, check_reach, read_fault, too_many
from ...kernel.rows import Resource
from .request import ControlCall, Handler, one_page
from .views import show_fault, show_job

#: Each request searches all of them.
FAULTS_MAX = 200
#: How many jobs are looked at in one go while those that fit are gathered.
_BATCH = 500

_OUTCOMES = {"failed": Kind.FAILED, "completed": Kind.SUCCEEDED}


def list_jobs(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    wanted = {name: call.query[name] for name in ("provider", "state") if name in call.query}
    if "provider" in wanted:
        worlds.contract(wanted["provider"])
    if "state" in wanted and wanted["state"] not in (known := _states(call, wanted)):
        raise unknown("state", wanted["state"], known, status=422)
    before, shown, last = call.cursor, list[Json](), 0
    with world.rows.transaction():
        worlds.clocks.settle(world)
        while True:
            found = world.rows.resources.jobs(before_seq=before, limit=_BATCH)
            for job in found:
                before = job.seq
                item = show_job(worlds, world, job)
                if any(item[name] != value for name, value in wanted.items()):
                    continue
                if len(shown) == call.limit:
                    return {"items": shown, "next_cursor": str(last)}
                shown.append(item)
                last = job.seq
            if len(found) < _BATCH:
                return {"items": shown, "next_cursor": None}


def _states(call: ControlCall, wanted: Mapping[str, str]) -> set[str]:
    """The words for the states of jobs, of the provider that is *wanted* or of all."""
    return {
        state
        for name, contract in call.worlds.contracts.items()
        if wanted.get("provider", name) == name
        for kind in contract.behaviour.resources.values()
        if kind.lifecycle is not None
        for state in kind.lifecycle.states
    }


def get_job(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    with world.rows.transaction():
        worlds.clocks.settle(world)
        return show_job(worlds, world, _job(call))


def _job(call: ControlCall) -> Resource:
    """The job that the path names.

    Raises:
        MockError: the world has no such job.
    """
    return job_called(call.world.rows, call.worlds.contracts, call.path["job"])


def change_job(call: ControlCall) -> Json:
    worlds, world, body = call.worlds, call.world, call.body
    with worlds.clocks.moving(world):
        worlds.clocks.settle(world)
        job = _job(call)
        ctx = worlds.clocks.instant(world, job.provider)
        if "outcome" in body:
            job = set_outcome(ctx, job, _OUTCOMES[body["outcome"]], body.get("reason", ""))
        if "held" in body:
            job = set_held(ctx, job, held=body["held"])
        if body.get("now"):
            finish_now(ctx, job)
            worlds.clocks.settle(world, ctx.now_ms)
        return show_job(worlds, world, _job(call))


def create_resource(call: ControlCall) -> Json:
    """A resource that was not created through the provider's API."""
    worlds, world, body = call.worlds, call.world, call.body
    contract = worlds.contract(body["provider"])
    doc = _doc_from_outside(contract.behaviour.resources, body["kind"], body.get("doc", {}))
    with world.rows.transaction():
        account = worlds.accounts.get(world, body["account"])
        if account.provider != contract.provider:
            raise MockError(
                f"account {account.id} belongs to {account.provider}, not to {contract.provider}",
                code="invalid_field",
            )
        ctx = worlds.clocks.instant(world, contract.provider)
        made = ctx.add(body["kind"], account.id, doc)
    return {"id": made.id}


def _doc_from_outside(kinds: Mapping[str, ResourceKind], kind: str, given: Json) -> Json:
    """The fields of a resource of *kind* made here: those *given*, and defaults for the others.

    Raises:
        MockError: there is no such kind, it comes through the API alone, or has other fields.
    """
    if kind not in kinds:
        raise unknown("kind", kind, kinds, status=422)
    fields = kinds[kind].outside
    if fields is None:
        possible = [name for name, it in kinds.items() if it.outside is not None]
        raise MockError(
            f"a {kind!r} comes through the provider's API alone: call that "
            f"(made here can be: {', '.join(possible) or 'none'})",
            code="not_from_outside",
        )
    for name in given:
        if name not in fields:
            raise unknown("field", name, fields, status=422)
    schema = Schema(Documents(kind, {"doc": {"properties": fields}}), ("doc",), "doc")
    found = schema.violations(given, under="/doc")
    if found:
        raise MockError(found[0].message, code="invalid_field")
    return {name: it["default"] for name, it in fields.items() if "default" in it} | given


def create_fault(call: ControlCall) -> Json:
    rows = call.world.rows
    with rows.transaction():
        if len(rows.documents.of("fault")) >= FAULTS_MAX:
            raise too_many(FAULTS_MAX)
        number = rows.count("fault")
        places = _places(call)
        now_ms = call.worlds.clocks.now_ms(call.world)
        fault = read_fault(f"fault_{number}", call.body, places, now_ms)
        served = {name: it.behaviour for name, it in call.worlds.contracts.items()}
        check_reach(fault, served, places)
        rows.documents.save("fault", fault.id, number, fault.to_json())
    return show_fault(fault)


def _places(call: ControlCall) -> Places:
    """What faults may name in `where`, with the providers that know it."""
    served = {name: it.behaviour for name, it in call.worlds.contracts.items()}
    events = {
        name: it.webhooks.events if it.webhooks is not None else () for name, it in served.items()
    }
    return {
        "provider": {name: (name,) for name in served},
        "operation": _known_by({name: it.operations for name, it in served.items()}),
        "account": {it.id: (it.provider,) for it in call.world.rows.accounts.of_world()},
        "event": _known_by(events),
        "file": _known_by({name: it.urls for name, it in served.items()}),
        "endpoint": {it.id: (it.provider,) for it in endpoints(call.world.rows)},
    }


def _known_by(values: Mapping[str, Iterable[str]]) -> Mapping[str, Collection[str]]:
    """The providers that know each value; *values* are those that each provider knows."""
    known: dict[str, list[str]] = {}
    for provider, names in values.items():
        for name in names:
            known.setdefault(name, []).append(provider)
    return known


def list_faults(call: ControlCall) -> Json:
    rows = call.world.rows
    with rows.transaction():
        found = rows.documents.of("fault", after_seq=call.cursor or 0, limit=call.limit + 1)
    return one_page(
        [Fault.from_json(raw) for raw in found],
        call.limit,
        show_fault,
        lambda it: it.id.removeprefix("fault_"),
    )


def delete_faults(call: ControlCall) -> None:
    rows = call.world.rows
    with rows.transaction():
        for raw in rows.documents.of("fault"):
            rows.documents.remove(("fault", raw["id"]))


def delete_fault(call: ControlCall) -> None:
    rows, fault = call.world.rows, call.path["fault"]
    with rows.transaction():
        if not rows.documents.remove(("fault", fault)):
            known = [raw["id"] for raw in rows.documents.of("fault")]
            raise unknown("fault", fault, known)


OPERATIONS: Mapping[str, Handler] = {
    "listJobs": list_jobs,
    "getJob": get_job,
    "changeJob": change_job,
    "createResource": create_resource,
    "createFault": create_fault,
    "listFaults": list_faults,
    "deleteFaults": delete_faults,
    "deleteFault": delete_fault,
}
