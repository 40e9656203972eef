"""The one road of a request: route, gates in the provider's order, behaviour, our own check.

Framework-free and in one transaction. Nothing here sleeps, sends or reads a file. Bad input ends in
the provider's own refusal; an exception that is nobody's fault but ours ends in a journaled 500.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from screentest.specs.behaviour import Credential, Moment, Target
from screentest.specs.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.operations import Match, Operation, Parameter
from screentest.specs.validation import Violation

from .bodies import BodyError, read_json
from .clock import Mode
from .faults import Fault
from .generic import answer_from_contract
from .idempotency import begin_replay, finish_replay
from .instant import Cost, Instant
from .keys import is_expired, key_digest, presented
from .limits import count_refused, respect_cap, respect_rate
from .magic import ordered_outcome
from .provider import Call, EventStream, Provider, Refusal, RefusedError, Reply, Request
from .record import journal_line
from .refusals import shape_refusal
from .rows import Key, Resource
from .templates import look_up
from .universe import World
from .world import Worlds

Json = Any
Answer = Reply | EventStream
Gate = Callable[["Road", Call], "Reply | None"]


#: Faults that keep the client waiting; until then a repetition finds its first call running.
_HOLDS_BACK = frozenset({"latency", "timeout"})


@dataclass(slots=True)
class Road:
    """One request on its way. *worlds* is everything that could be reached from here.

    *is_counted* says that the call has taken its room in the rate windows.
    """

    worlds: Worlds
    world: World
    contract: Contract
    provider: Provider
    key: Key | None = None
    replay: Callable[[Reply], None] | None = None
    is_counted: bool = False
    faults: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a request: its answer, the world it happened in, and its number there.

    *faults* are to be acted out on the answer.
    """

    answer: Answer
    world: World
    number: int
    operation: str
    faults: Sequence[Fault] = ()


def handle(worlds: Worlds, world: World, provider: str, request: Request) -> Handled:
    """Answer *request* to *provider* in *world* (or in the world that its key belongs to)."""
    contract = worlds.contracts[provider]
    with worlds.store.request():
        world, key = _whose(worlds, world, contract, request)
        number = world.requests = world.requests + 1
        now_ms = worlds.now_ms(world)
        here = worlds.instant(
            world, provider, now_ms=now_ms, base_url=request.base_url, number=number
        )
        road = Road(worlds, world, contract, worlds.providers[provider], key)
        match = _route(contract, request)
        if isinstance(match, Match):
            operation = match.operation.id
            answer = _guarded(road, here, match, request)
        else:
            operation, answer = "", _off_road(road, here, request, match)
        worlds.store.add_journal(
            world.id, number, now_ms, provider, operation,
            answer.status, journal_line(number, now_ms, contract, operation, request, answer),
        )  # fmt: skip
        if any(fault.type in _HOLDS_BACK for fault in road.faults):
            world.unanswered.add(number)
    return Handled(answer, world, number, operation, road.faults)


def _whose(
    worlds: Worlds, world: World, contract: Contract, request: Request
) -> tuple[World, Key | None]:
    """The key that a request presents, and the world it is about.

    Keys are unique over all worlds, so a client that only knows the default base address still
    reaches its own world.
    """
    for credential in contract.behaviour.credentials.values():
        raw = presented(credential, request.headers)
        if raw is None:
            continue
        key = worlds.store.key(key_digest(raw))
        if key is None or key.provider != contract.provider:
            continue
        if key.world != world.id and world.id == "default":
            return worlds.get(key.world), key
        if key.world == world.id:
            return world, key
    return world, None


def _route(contract: Contract, request: Request) -> Match | Refusal:
    path = request.path
    for prefix in contract.behaviour.prefixes:
        if path.startswith(prefix):
            match = contract.routes.find(request.method, path[len(prefix) :])
            if match is not None:
                return match
    for prefix in contract.behaviour.prefixes:
        if path.startswith(prefix):
            methods = contract.routes.methods(path[len(prefix) :])
            if methods:
                facts = {"method": request.method, "allow": ", ".join(methods)}
                return Refusal("wrong_method", facts)
    redirect = _redirect(contract, request)
    if redirect is not None:
        return redirect
    return Refusal("unknown_route", {"method": request.method, "path": path})


def _redirect(contract: Contract, request: Request) -> Refusal | None:
    """Frameworks that redirect to the documented spelling of a trailing slash."""
    style, path = contract.behaviour.trailing_slash, request.path
    other = path.rstrip("/") if path.endswith("/") else path + "/"
    if style == "none" or not any(
        path.startswith(prefix) and contract.routes.methods(other[len(prefix) :])
        for prefix in contract.behaviour.prefixes
    ):
        return None
    if (style == "redirect_307") != path.endswith("/"):
        return None
    query = f"?{request.query}" if request.query else ""
    return Refusal("redirect", {"status": int(style[-3:]), "location": other + query})


def _off_road(road: Road, here: Instant, request: Request, refusal: Refusal) -> Reply:
    """The answer to a request that no operation takes."""
    if refusal.reason == "redirect":
        base = re.sub(r"^https?://[^/]+", "", request.base_url)
        location = base + refusal.facts["location"]
        headers = {"Location": location}
        return Reply(refusal.facts["status"], None, headers, reason="route", refusal=refusal)
    operation = next(iter(road.contract.operations.values()))
    call = Call(here, request, operation, road.contract.behaviour.operations[operation.id])
    return shape_refusal(road.provider, call, refusal)


def _guarded(road: Road, here: Instant, match: Match, request: Request) -> Answer:
    """Answer an operation; refusals roll nothing but their own handler back."""
    operation = match.operation
    rules = road.contract.behaviour.operations[operation.id]
    call = Call(here, request, operation, rules, path=match.path)
    road.faults = here.strike_request(_fault_facts(road, operation.id))
    try:
        answer = _answer(road, call)
        _fail_if_ordered(road, "after_commit")
    except RefusedError as refused:
        if not road.is_counted:
            count_refused(call, refused.refusal)
        answer = shape_refusal(road.provider, call, refused.refusal)
    except Exception as error:  # noqa: BLE001  the request ends here, journaled
        answer = _our_fault("crash", "".join(traceback.format_exception(error)))
    return _checked(operation, answer)


def _answer(road: Road, call: Call) -> Answer:
    if road.world.clock.mode is Mode.AUTO and call.rules.effect == "read":
        _jump(road, call)
    if any(fault.phase == "before" and fault.type in _NEVER_ARRIVES for fault in road.faults):
        return Reply(503, None, reason=f"fault:{road.faults[0].id}")
    _fail_if_ordered(road, "before")
    road.worlds.settle(road.world, call.here.now_ms)
    for gate in road.contract.behaviour.refusal_order:
        reply = _GATES[gate](road, call)
        if reply is not None:
            return reply
    _retire_model(road, call)
    with road.worlds.store.attempt():
        answer = _behave(road, call)
        _charge_for_answer(call, answer)
        if road.replay is not None and isinstance(answer, Reply):
            road.replay(answer)
    return answer


# The request is lost on its way, unless the fault is ordered for after the commit.
_NEVER_ARRIVES = frozenset({"reset_peer", "timeout"})


def _fault_facts(road: Road, operation: str) -> dict[str, str | None]:
    """What a fault's `where` may ask; the account is the key's, before anything is checked."""
    return {"operation": operation, "account": road.key.account if road.key is not None else None}


def _fail_if_ordered(road: Road, phase: str) -> None:
    for fault in road.faults:
        if fault.type == "http_error" and fault.phase == phase:
            raise RefusedError(Refusal(f"fault:{fault.id}", dict(fault.attributes)))


def _retire_model(road: Road, call: Call) -> None:
    """The provider has withdrawn a model; calls that cost something find out."""
    if call.rules.effect != "billable":
        return
    fault = call.here.strike("model_retired", _fault_facts(road, call.operation.id))
    if fault is None:
        return
    model = fault.attributes.get("model")
    if model is None or model in str(call.body):
        facts = {"status": fault.attributes["status"], "message": "This model has been retired."}
        raise RefusedError(Refusal(f"fault:{fault.id}", facts))


def _jump(road: Road, call: Call) -> None:
    """In auto mode a poll moves the clock to what is due next."""
    road.worlds.jump(road.world)
    now_ms = road.worlds.now_ms(road.world)
    call.here = road.worlds.instant(
        road.world, call.here.provider, now_ms=now_ms,
        base_url=call.here.base_url, number=call.here.number,
    )  # fmt: skip


def _behave(road: Road, call: Call) -> Answer:
    handler = road.provider.operations.get(call.operation.id)
    if handler is not None:
        return handler(call)
    return answer_from_contract(call)


def _charge_for_answer(call: Call, answer: Answer) -> None:
    """Prices that are taken with the answer itself, if the answer is a good one."""
    cost = call.cost
    if cost is None or cost.moment is not Moment.ANSWER or answer.status >= 300:
        return
    here = call.here
    assert here.ledger.charge(call.account_id, cost.amount, here.now_ms, None, here.number)


def _checked(operation: Operation, answer: Answer) -> Answer:
    """*answer*, or a 500 of ours when it is not what the contract documents."""
    if isinstance(answer, EventStream):
        return answer
    is_known = answer.reason is not None and answer.reason.startswith(("fault:", "ours:"))
    if is_known or answer.departure is not None:
        return answer
    body = answer.body
    if isinstance(body, bytes) and answer.content_type == "application/json":
        body = read_json(body)
    found = operation.reply_violations(
        answer.status, answer.content_type if body is not None else None, body
    )
    if not found:
        return answer
    told = "; ".join(violation.message for violation in found[:3])
    return _our_fault("contract", f"{operation.id} {answer.status}: {told}", found)


def _our_fault(what: str, told: str, violations: Sequence[Violation] = ()) -> Reply:
    last = told.strip().splitlines()[-1]
    body = {"detail": f"screentest is wrong here ({what}): {last}. Please report it."}
    return Reply(500, body, reason=f"ours:{what}", violations=violations)


# Gates, in the provider's order. Each fills in what it found, or refuses; a stored reply ends it.


def _authenticate(road: Road, call: Call) -> None:
    if not call.operation.security:
        return
    schemes = [road.contract.behaviour.credentials[name] for name in call.operation.security]
    for credential in schemes:
        raw = presented(credential, call.request.headers)
        if raw is None:
            continue
        key = road.key
        if key is None or key.kind != credential.key_kind or key.digest != key_digest(raw):
            raise call.refuse("unknown_credential", **_credential_facts(credential), sent=raw)
        if not key.is_active:
            raise call.refuse("revoked_credential", **_credential_facts(credential))
        if is_expired(credential, key, call.here.now_ms):
            raise call.refuse("expired_credential", **_credential_facts(credential))
        call.here.rows.note_use(key.digest, call.here.now_ms)
        call.key, call.account_id = key, key.account
        return
    raise call.refuse("missing_credential", **_credential_facts(schemes[0]))


def _credential_facts(credential: Credential) -> dict[str, Json]:
    header, scheme = credential.forms[0]
    name = "-".join(part.capitalize() if part != "api" else "API" for part in header.split("-"))
    shown = "Bearer token" if credential.key_kind == "bearer" else name
    return {"credential": shown, "header": name, "scheme": scheme}


def _read_body(road: Road, call: Call) -> None:
    request, operation = call.request, call.operation
    if not operation.bodies:
        return
    has_body = bool(request.body) or request.form is not None or request.problem is not None
    if not has_body and not operation.is_body_required:
        call.body = {}
        return
    if not has_body and not request.content_type:
        return
    if request.content_type not in operation.bodies:
        documented = " or ".join(operation.bodies)
        actual = request.content_type or "none"
        raise call.refuse("wrong_content_type", expected=documented, actual=actual)
    if request.problem is not None:
        raise call.refuse(request.problem.reason, **request.problem.facts)
    if request.form is not None:
        call.body = dict(request.form)
        return
    limit = road.contract.behaviour.limits.json_bytes_max
    if len(request.body) > limit:
        raise call.refuse("too_large", what="The request body", limit=limit)
    try:
        call.body = read_json(request.body)
    except BodyError as error:
        raise call.refuse("malformed_body", problem=str(error)) from None


def _validate(road: Road, call: Call) -> None:
    found: list[Violation] = []
    call.query = _parameters(call, found)
    if call.operation.bodies:
        found += _body_violations(call)
    tolerates = road.provider.tolerance
    if tolerates is not None:
        found = [violation for violation in found if not tolerates(call, violation)]
    check = road.provider.checks.get(call.operation.id)
    if not found and check is not None:
        found = list(check(call))
    if found:
        raise RefusedError(Refusal("invalid", {"problem": found[0].message}, found))


def _parameters(call: Call, found: list[Violation]) -> dict[str, Json]:
    """The typed query parameters; path and header parameters are judged on the way.

    A path parameter that is not even of the documented form names nothing: that is for the
    existence gate to say.
    """
    given = (
        dict(parse_qsl(call.request.query, keep_blank_values=True)) if call.request.query else {}
    )
    values: dict[str, Json] = {}
    for parameter in call.operation.parameters:
        if parameter.place == "query":
            _read_parameter(parameter, given.get(parameter.name), values, found)
        elif parameter.place == "header":
            text = call.request.headers.get(parameter.name.lower())
            _read_parameter(parameter, text, {}, found)
    return values


def _read_parameter(
    parameter: Parameter, text: str | None, values: dict[str, Json], found: list[Violation]
) -> None:
    if text is None:
        if parameter.is_required:
            missing = Violation(
                parameter.place, f"/{parameter.name}", "required", "a value", "nothing"
            )
            found.append(missing)
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
        return
    value = parameter.read(text)
    found += parameter.schema.violations(value, under=f"/{parameter.name}")
    values[parameter.name] = value


def _body_violations(call: Call) -> list[Violation]:
    if call.body is None:
        return [Violation("body", "", "required", "a value", "nothing")]
    schemas = call.operation.bodies
    content_type = call.request.content_type
    schema = schemas.get(content_type) or next(iter(schemas.values()))
    if call.request.form is None:
        return schema.violations(call.body)
    form = form_values(call.request.form, schema.schema)
    if call.here.behaviour.unknown_fields == "ignore":
        known = schema.schema.get("properties", {})
        form = {name: value for name, value in form.items() if name in known}
    return schema.violations(form)


def form_values(form: Mapping[str, Json], schema: Json) -> dict[str, Json]:
    """A form as its schema sees it: numbers where the schema has numbers, files as text."""
    kinds = {name: it.get("type") for name, it in schema.get("properties", {}).items()}
    values: dict[str, Json] = {}
    for name, value in form.items():
        if not isinstance(value, str):
            values[name] = ""
        elif kinds.get(name) == "integer" and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            values[name] = int(value)
        else:
            values[name] = value
    return values


def _exist(road: Road, call: Call) -> None:
    found: dict[str, Resource] = {}
    for target in call.rules.targets:
        id_ = str(
            look_up(target.id_from, {"path": call.path, "query": call.query, "body": call.body})
        )
        read = road.provider.id_readers.get(target.kind)
        kept_id = read(call.here, id_) if read is not None else id_
        resource = call.here.find(target.kind, kept_id)
        is_hidden = target.hidden or road.contract.behaviour.foreign == "hide"
        if resource is not None and is_hidden and resource.account != call.account_id:
            resource = None
        if resource is not None and target.within is not None:
            resource = resource if resource.parent == found[target.within].id else None
        if resource is None:
            raise call.refuse("not_found", **_target_facts(road, target, id_))
        found[target.kind] = resource
    call.found = found


def _target_facts(road: Road, target: Target, id_: str) -> dict[str, Json]:
    return {"resource": road.contract.behaviour.resources[target.kind].called, "id": id_[:80]}


def _own(road: Road, call: Call) -> None:
    for target in call.rules.targets:
        resource = call.found[target.kind]
        if resource.account != call.account_id:
            raise call.refuse("foreign", **_target_facts(road, target, resource.id))


def _be_in_state(road: Road, call: Call) -> None:
    for target in call.rules.targets:
        if not target.states:
            continue
        resource = call.found[target.kind]
        state = state_of(road.provider, call.here, resource)
        if state not in target.states:
            allowed = " or ".join(sorted(target.states))
            facts = _target_facts(road, target, resource.id)
            raise call.refuse("wrong_state", **facts, state=state, allowed=allowed)


def state_of(provider: Provider, here: Instant, resource: Resource) -> str:
    """The state of any resource: from its script, or as its provider derives it."""
    if resource.script is not None:
        return here.state(resource)
    return provider.states[resource.kind](here, resource)


def _respect_rate(road: Road, call: Call) -> None:
    respect_rate(call)
    road.is_counted = True


def _respect_cap(road: Road, call: Call) -> None:
    respect_cap(call)


def _afford(road: Road, call: Call) -> None:
    price = call.rules.price
    if price is None:
        return
    facts = dict(call.body) if isinstance(call.body, dict) else {}
    supply = road.provider.price_facts.get(call.operation.id)
    if supply is not None:
        facts |= supply(call)
    try:
        amount = price.amount(facts)
    except ContractError as error:
        raise call.refuse("invalid", problem=str(error)) from None
    account = call.account
    if amount > account.available and call.here.behaviour.initial_credits is not None:
        raise call.refuse("insufficient_credits", cost=amount, available=account.available)
    call.cost = Cost(amount, price.moment)


def _be_decent(road: Road, call: Call) -> None:
    """Content that the provider refuses at submission, on the user's order."""
    ordered = ordered_outcome(call.body) if call.here.settings.has_magic else None
    if ordered is not None and ordered.verb == "reject":
        raise call.refuse("content_refused", problem=ordered.text or "content policy violation")


def _replay(road: Road, call: Call) -> Reply | None:
    rules = road.contract.behaviour.idempotency
    if rules is None or call.operation.id not in rules.operations:
        return None
    begun = begin_replay(rules, call, road.world.unanswered)
    if isinstance(begun, str):
        road.replay = lambda reply: finish_replay(rules, call, begun, reply)
        return None
    return begun


_GATES: Mapping[str, Gate] = {
    "authentication": _authenticate,
    "body": _read_body,
    "validation": _validate,
    "idempotency": _replay,
    "rate_limit": _respect_rate,
    "existence": _exist,
    "ownership": _own,
    "state": _be_in_state,
    "content": _be_decent,
    "concurrency": _respect_cap,
    "credits": _afford,
}
