"""The control API: everything a test or a person does to the mock, as opposed to through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from screentest.specs.behaviour import Kind

from ..bodies import BodyError, read_json
from ..clock import Clock, Mode, check_speed, parse_rfc3339, rfc3339
from ..errors import MockError, unknown
from ..faults import Fault, read_fault, too_many
from ..pace import read_pace
from ..rows import Account, Entry, Event, Resource
from ..universe import Plan, World
from ..world import Worlds
from .guard import Guard

Json = Any

LIST_MAX = 200
FAULTS_MAX = 200
_BODY_BYTES_MAX = 1024 * 1024


def control_blueprint(worlds: Worlds, guard: Guard) -> Blueprint:
    """The routes under `/_screentest/`."""
    control = Blueprint("control", __name__, url_prefix="/_screentest")
    Control(worlds).register(control)

    @control.before_request
    def _protect() -> Response | None:
        denied = guard.check_control(request.environ)
        return problem(denied.status, denied.code, denied.detail) if denied else None

    @control.app_errorhandler(MockError)
    def _mistake(error: MockError) -> Response:
        return problem(error.status, error.code, str(error))

    @control.app_errorhandler(HTTPException)
    def _no_route(error: HTTPException) -> Response:
        response = problem(
            error.code or 500, error.name.lower().replace(" ", "_"), error.description or ""
        )
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers["Allow"] = value
        return response

    return control


def problem(status: int, code: str, detail: str) -> Response:
    """`application/problem+json` with a stable *code*."""
    response = jsonify(
        {"title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    )
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def read_body(**fields: type | tuple[type, ...]) -> dict[str, Json]:
    """The JSON object of this request, all fields optional.

    Raises:
        MockError: not an object, a field that is not in *fields*, or of another type.
    """
    raw = request.get_data()
    if len(raw) > _BODY_BYTES_MAX:
        raise MockError(
            f"the body is larger than {_BODY_BYTES_MAX} bytes", code="too_large", status=413
        )
    if not raw:
        return {}
    try:
        body = read_json(raw)
    except BodyError as error:
        raise MockError(f"malformed JSON: {error}", code="malformed_json", status=400) from None
    if not isinstance(body, dict):
        raise MockError("the body must be a JSON object", code="malformed_json", status=400)
    for name, value in body.items():
        if name not in fields:
            raise unknown("field", name, fields, status=422)
        kinds = fields[name] if isinstance(fields[name], tuple) else (fields[name],)
        assert isinstance(kinds, tuple)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            named = " or ".join(kind.__name__ for kind in kinds)
            raise MockError(
                f"{name}: expected {named}, got {type(value).__name__}", code="invalid_field"
            )
    return body


class Control:
    """The handlers; each is one call of the control API."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    def register(self, control: Blueprint) -> None:
        """Add every route."""
        for method, path, handler in self._routes():
            control.add_url_rule(path, f"{method} {path}", handler, methods=[method])

    def _routes(self) -> list[tuple[str, str, Callable[..., Json]]]:
        world = "/worlds/<world_id>"
        return [
            ("GET", "/health", self.health),
            ("GET", "/providers", self.providers),
            ("POST", "/worlds", self.create_world),
            ("GET", world, self.show_world),
            ("DELETE", world, self.delete_world),
            ("POST", f"{world}/reset", self.reset_world),
            ("POST", f"{world}/accounts", self.create_account),
            ("GET", f"{world}/accounts/<account_id>", self.show_account),
            ("PATCH", f"{world}/accounts/<account_id>", self.change_account),
            ("GET", f"{world}/accounts/<account_id>/ledger", self.show_ledger),
            ("GET", f"{world}/clock", self.show_clock),
            ("PATCH", f"{world}/clock", self.change_clock),
            ("POST", f"{world}/clock/advance", self.advance_clock),
            ("GET", f"{world}/jobs", self.list_jobs),
            ("GET", f"{world}/jobs/<job_id>", self.show_job),
            ("PATCH", f"{world}/jobs/<job_id>", self.change_job),
            ("POST", f"{world}/resources", self.create_resource),
            ("POST", f"{world}/faults", self.create_fault),
            ("GET", f"{world}/faults", self.list_faults),
            ("DELETE", f"{world}/faults", self.delete_faults),
            ("DELETE", f"{world}/faults/<fault_id>", self.delete_fault),
            ("GET", f"{world}/requests", self.list_requests),
            ("GET", f"{world}/requests/<request_id>", self.show_request),
            ("GET", f"{world}/events", self.list_events),
            ("GET", f"{world}/interpretations", self.list_interpretations),
            ("PATCH", f"{world}/interpretations", self.change_interpretations),
        ]

    # Server

    def health(self) -> Json:
        return {"status": "ok", "version": version("screentest")}

    def providers(self) -> Json:
        return jsonify(
            [
                {
                    "id": contract.provider,
                    "name": contract.behaviour.name,
                    "operations": len(contract.operations),
                    "auth": auth_word(contract.behaviour.credentials.values()),
                    "env": list(contract.behaviour.environment),
                }
                for contract in self._worlds.contracts.values()
            ]
        )

    # Worlds

    def create_world(self) -> Json:
        body = read_body(seed=int, clock=dict, pace=(str, int, float), credits=dict)
        clock = body.get("clock", {})
        for name in clock:
            if name not in {"mode", "now", "speed"}:
                raise unknown("field of clock", name, ["mode", "now", "speed"], status=422)
        credits = body.get("credits", {})
        for provider, amount in credits.items():
            self._worlds.contract(provider)
            if not isinstance(amount, int) or isinstance(amount, bool):
                raise MockError(
                    f"credits.{provider}: expected int, got {amount!r}", code="invalid_field"
                )
        plan = Plan(
            seed=body.get("seed", 1),
            mode=read_mode(clock.get("mode", "real")),
            now_ms=parse_rfc3339(str(clock["now"])) if "now" in clock else None,
            speed=check_speed(clock.get("speed", 1.0)),
            pace=read_pace(body.get("pace", "documented")),
            credits=credits,
        )
        return self._world(self._worlds.create(plan)), 201

    def show_world(self, world_id: str) -> Json:
        return self._world(self._worlds.get(world_id))

    def delete_world(self, world_id: str) -> Json:
        self._worlds.delete(self._worlds.get(world_id))
        return "", 204

    def reset_world(self, world_id: str) -> Json:
        read_body()
        return self._world(self._worlds.reset(self._worlds.get(world_id)))

    def _world(self, world: World) -> Json:
        worlds = self._worlds
        with worlds.store.request():
            accounts = worlds.store.accounts(world.id)
            clock = self._clock(world)
            keys = {name: worlds.first_keys(world, name) for name in worlds.contracts}
        origin = request.host_url.rstrip("/")
        prefix = "" if world.id == "default" else f"/w/{world.id}"
        providers: dict[str, Json] = {}
        env: dict[str, str] = {}
        for name, contract in worlds.contracts.items():
            first = next(account for account in accounts if account.provider == name)
            base_url = f"{origin}{prefix}/{name}"
            known = {"base_url": base_url, **keys[name]}
            providers[name] = {"base_url": base_url, "account": show_account(first, keys[name])}
            env |= {
                variable: known[what] if what in known else what.format(**known)
                for variable, what in contract.behaviour.environment.items()
            }
        return {
            "id": world.id,
            "seed": world.seed,
            "clock": clock,
            "pace": world.settings.pace,
            "providers": providers,
            "env": env,
        }

    # Accounts

    def create_account(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        body = read_body(provider=str, credits=int, tier=str)
        if "provider" not in body:
            raise MockError("provider is missing", code="invalid_field")
        with self._worlds.store.request():
            account, keys = self._worlds.add_account(
                world, body["provider"], credits=body.get("credits"), tier=body.get("tier")
            )
        return show_account(account, keys), 201

    def show_account(self, world_id: str, account_id: str) -> Json:
        world = self._worlds.get(world_id)
        return show_account(self._settled_account(world, account_id))

    def change_account(self, world_id: str, account_id: str) -> Json:
        world = self._worlds.get(world_id)
        body = read_body(credits=int, tier=str, api_key_revoked=bool)
        worlds = self._worlds
        self._settled_account(world, account_id)
        with worlds.store.request():
            account = worlds.account(world, account_id)
            here = worlds.instant(world, account.provider)
            if "tier" in body:
                if body["tier"] not in here.behaviour.tiers:
                    raise unknown("tier", body["tier"], here.behaviour.tiers, status=422)
                worlds.store.set_tier(world.id, account.id, body["tier"])
            if "credits" in body:
                here.ledger.set_available(account.id, body["credits"], here.now_ms)
            if body.get("api_key_revoked"):
                for key in worlds.store.keys(world.id, account.id, "api_key"):
                    worlds.store.deactivate_key(key.digest)
            return show_account(worlds.account(world, account_id))

    def show_ledger(self, world_id: str, account_id: str) -> Json:
        world = self._worlds.get(world_id)
        account = self._settled_account(world, account_id)
        with self._worlds.store.request():
            entries = self._worlds.store.entries(world.id, account.id)
        return {
            "available": account.available,
            "held": account.held,
            "spent": account.spent,
            "granted": account.granted,
            "entries": [show_entry(entry) for entry in entries],
        }

    def _settled_account(self, world: World, account_id: str) -> Account:
        with self._worlds.store.request():
            self._worlds.settle(world, self._worlds.now_ms(world))
            return self._worlds.account(world, account_id)

    # Clock

    def show_clock(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        with self._worlds.store.request():
            return self._clock(world)

    def change_clock(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        body = read_body(mode=str, speed=(int, float))
        mode = read_mode(body["mode"]) if "mode" in body else world.clock.mode
        speed = check_speed(body.get("speed", world.clock.speed))
        self._worlds.set_clock(world, mode, speed)
        with self._worlds.store.request():
            return self._clock(world)

    def advance_clock(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        body = read_body(by_ms=int, to=str, until=str)
        if len(body) != 1:
            raise MockError(
                'give one of {"by_ms": …}, {"to": …}, {"until": "next" or "idle"}',
                code="invalid_field",
            )
        if world.clock.mode is Mode.SYSTEM:
            raise MockError(
                "this clock follows the system's; move that, or change the mode", status=409
            )
        if "until" in body:
            moves = {"next": self._worlds.advance_to_next, "idle": self._worlds.advance_until_idle}
            if body["until"] not in moves:
                raise unknown("until", body["until"], moves, status=422)
            fired = moves[body["until"]](world)
        else:
            now_ms = self._worlds.now_ms(world)
            to_ms = parse_rfc3339(body["to"]) if "to" in body else now_ms + body["by_ms"]
            fired = self._worlds.advance(world, to_ms=to_ms)
        now = rfc3339(self._worlds.now_ms(world))
        return {"now": now, "fired": [show_event(event) for event in fired]}

    def _clock(self, world: World) -> Json:
        worlds = self._worlds
        now_ms = worlds.now_ms(world)
        worlds.settle(world, now_ms)
        effect = worlds.store.next_effect(world.id)
        clock: Clock = world.clock
        return {
            "mode": clock.mode.value,
            "now": rfc3339(now_ms),
            "speed": clock.speed,
            "next": None
            if effect is None
            else {
                "at": rfc3339(effect.due_ms),
                "type": effect.label,
                "subject": effect.subject.split("/", 2)[2],
            },
            "pending": worlds.store.pending_count(world.id),
        }

    # Jobs

    def list_jobs(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        limit, cursor = page()
        provider, state = request.args.get("provider"), request.args.get("state")
        with self._worlds.store.request():
            self._worlds.settle(world, self._worlds.now_ms(world))
            found = self._worlds.store.jobs(world.id, before_seq=cursor, limit=1_000_000)
            shown: list[Json] = []
            last = None
            for job in found:
                if len(shown) == limit:
                    break
                item = self._job(world, job)
                if provider in {None, item["provider"]} and state in {None, item["state"]}:
                    shown.append(item)
                    last = job.seq
            more = len(shown) == limit and bool(found) and found[-1].seq != last
        return {"items": shown, "next_cursor": str(last) if more else None}

    def show_job(self, world_id: str, job_id: str) -> Json:
        world = self._worlds.get(world_id)
        with self._worlds.store.request():
            self._worlds.settle(world, self._worlds.now_ms(world))
            return self._job(world, self._worlds.job(world, job_id))

    def change_job(self, world_id: str, job_id: str) -> Json:
        worlds = self._worlds
        world = worlds.get(world_id)
        body = read_body(outcome=str, reason=str, held=bool)
        outcomes = {"failed": Kind.FAILED, "completed": Kind.SUCCEEDED}
        if "outcome" in body and body["outcome"] not in outcomes:
            raise unknown("outcome", body["outcome"], outcomes, status=422)
        with worlds.moving(world):
            worlds.settle(world, worlds.now_ms(world))
            job = worlds.job(world, job_id)
            if "outcome" in body:
                worlds.decide(world, job, outcomes[body["outcome"]], body.get("reason", ""))
            if "held" in body:
                worlds.stop(world, job, held=body["held"])
            return self._job(world, worlds.job(world, job_id))

    def _job(self, world: World, job: Resource) -> Json:
        here = self._worlds.instant(world, job.provider)
        assert job.script is not None
        supply = self._worlds.providers[job.provider].details.get(job.kind)
        end = here.state_rules(job, job.script.steps[-1][1]).kind
        return {
            "id": job.id,
            "provider": job.provider,
            "kind": job.kind,
            "account": job.account,
            "parent": job.parent,
            "state": here.state(job),
            "progress": here.progress(job),
            "created_at": rfc3339(job.created_ms),
            "held": job.script.held_ms is not None,
            "script": [
                {"at": rfc3339(job.created_ms + at), "state": state}
                for at, state in job.script.steps
            ],
            "outcome": "failed" if end is Kind.FAILED else "completed",
            "reason": job.script.reason or None,
            "details": dict(supply(here, job)) if supply is not None else {},
        }

    def create_resource(self, world_id: str) -> Json:
        """Something that exists without having come through the provider's API."""
        world = self._worlds.get(world_id)
        body = read_body(provider=str, kind=str, account=str, doc=dict)
        for name in ("provider", "kind", "account"):
            if name not in body:
                raise MockError(f"{name} is missing", code="invalid_field")
        contract = self._worlds.contract(body["provider"])
        if body["kind"] not in contract.behaviour.resources:
            raise unknown("kind", body["kind"], contract.behaviour.resources, status=422)
        with self._worlds.store.request():
            account = self._worlds.account(world, body["account"])
            here = self._worlds.instant(world, contract.provider)
            made = here.add(body["kind"], account.id, body.get("doc", {}))
        return {"id": made.id}, 201

    # Faults

    def create_fault(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        body = read_body(
            type=str, where=dict, nth=int, times=(int, type(None)), probability=(int, float),
            phase=str, attributes=dict,
        )  # fmt: skip
        store = self._worlds.store
        with store.request():
            if len(store.documents(world.id, "fault")) >= FAULTS_MAX:
                raise too_many(FAULTS_MAX)
            number = store.count(world.id, "fault")
            fault = read_fault(f"fault_{number}", body, self._places(world))
            store.save_document(world.id, "fault", fault.id, number, fault.to_json())
        return fault.to_json(), 201

    def _places(self, world: World) -> Mapping[str, list[str]]:
        """What faults may name in `where`."""
        operations = [
            name for contract in self._worlds.contracts.values() for name in contract.operations
        ]
        accounts = [account.id for account in self._worlds.store.accounts(world.id)]
        return {
            "provider": list(self._worlds.contracts),
            "operation": operations,
            "account": accounts,
        }

    def list_faults(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        with self._worlds.store.request():
            found = [Fault.from_json(it) for it in self._worlds.store.documents(world.id, "fault")]
        return {"items": [fault.to_json() for fault in found], "next_cursor": None}

    def delete_faults(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        with self._worlds.store.request():
            for raw in self._worlds.store.documents(world.id, "fault"):
                self._worlds.store.delete_document(world.id, "fault", raw["id"])
        return "", 204

    def delete_fault(self, world_id: str, fault_id: str) -> Json:
        world = self._worlds.get(world_id)
        with self._worlds.store.request():
            if not self._worlds.store.delete_document(world.id, "fault", fault_id):
                known = [it["id"] for it in self._worlds.store.documents(world.id, "fault")]
                raise unknown("fault", fault_id, known)
        return "", 204

    # What happened

    def list_requests(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        limit, cursor = page()
        filters: dict[str, str | int] = {
            name: request.args[name] for name in ("provider", "operation") if name in request.args
        }
        if "status" in request.args:
            filters["status"] = read_number("status", request.args["status"])
        with self._worlds.store.request():
            found = self._worlds.store.journal(
                world.id, after=cursor or 0, limit=limit + 1, filters=filters
            )
        more = len(found) > limit
        return {
            "items": [line for _, line in found[:limit]],
            "next_cursor": str(found[limit - 1][0]) if more else None,
        }

    def show_request(self, world_id: str, request_id: str) -> Json:
        world = self._worlds.get(world_id)
        number = request_id.removeprefix("req_")
        with self._worlds.store.request():
            line = (
                self._worlds.store.journal_line(world.id, int(number))
                if number.isdigit() and len(number) < 18
                else None
            )
        if line is None:
            raise unknown("request", request_id, [])
        return line

    def list_events(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        limit, _ = page()
        since = read_number("since", request.args.get("since", "0"))
        with self._worlds.store.request():
            self._worlds.settle(world, self._worlds.now_ms(world))
            found = self._worlds.store.events(
                world.id, since=since, limit=limit + 1, type_=request.args.get("type")
            )
        more = len(found) > limit
        items = [
            {"seq": event.seq, **show_event(event), "data": event.doc} for event in found[:limit]
        ]
        return {"items": items, "next_cursor": str(items[-1]["seq"]) if more else None}

    # Interpretations

    def list_interpretations(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        return {
            f"{name}.{it.name}": {
                "value": world.settings.choices.get(f"{name}.{it.name}", it.default),
                "default": it.default,
                "alternatives": dict(it.alternatives),
                "id": it.id,
                "reason": it.reason,
            }
            for name, contract in self._worlds.contracts.items()
            for it in contract.behaviour.interpretations.values()
        }

    def change_interpretations(self, world_id: str) -> Json:
        world = self._worlds.get(world_id)
        known = {
            f"{name}.{it.name}": it
            for name, contract in self._worlds.contracts.items()
            for it in contract.behaviour.interpretations.values()
        }
        body = read_body(**dict.fromkeys(known, str))
        for name, value in body.items():
            choices = {known[name].default, *known[name].alternatives}
            if value not in choices:
                raise unknown(f"reading of {name}", value, choices, status=422)
        self._worlds.choose(world, body)
        return self.list_interpretations(world_id)


def auth_word(credentials: Any) -> str:
    """How the documented credential of a provider is sent: a header's name, or a scheme word."""
    header, scheme = next(iter(credentials)).forms[0]
    return scheme or "-".join(
        "API" if part == "api" else part.capitalize() for part in header.split("-")
    )


def read_mode(text: Json) -> Mode:
    names = {mode.value: mode for mode in Mode}
    if text not in names:
        raise unknown("clock mode", str(text), names, status=422)
    return names[text]


def read_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise MockError(f"{name}: expected a number, got {text[:40]!r}", code="invalid_field")
    return int(text)


def page() -> tuple[int, int | None]:
    """(limit, cursor) of a list call."""
    limit = read_number("limit", request.args.get("limit", "100"))
    if not 1 <= limit <= LIST_MAX:
        raise MockError(f"limit: expected 1 to {LIST_MAX}, got {limit}", code="invalid_field")
    cursor = request.args.get("cursor")
    return limit, read_number("cursor", cursor) if cursor is not None else None


def show_account(account: Account, keys: Mapping[str, str] | None = None) -> Json:
    """An account; *keys* are shown at creation, and for a world's first accounts."""
    shown: dict[str, Json] = {"id": account.id, "provider": account.provider}
    if keys is not None:
        shown["api_key"] = keys.get("api_key")
    shown["credits"] = {"available": account.available, "held": account.held}
    shown["tier"] = account.tier
    if keys is not None:
        shown["bearer"] = keys.get("bearer")
    return shown


def show_entry(entry: Entry) -> Json:
    return {
        "seq": entry.seq,
        "at": rfc3339(entry.at_ms),
        "kind": entry.kind,
        "amount": entry.amount,
        "job": entry.job,
        "request": f"req_{entry.request}" if entry.request else None,
    }


def show_event(event: Event) -> Json:
    return {"at": rfc3339(event.at_ms), "type": event.type, "subject": event.subject}
