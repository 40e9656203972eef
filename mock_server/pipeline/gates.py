"""The gates of a request: each fills in what it found, or refuses in its turn.

Their order is the provider's, from its behaviour file. A stored reply to a repeated request ends
the way at its gate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from msgspec import Struct

from screentest.specs.behaviour import Credential, Target
from screentest.specs.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.operations import Parameter
from screentest.specs.validation import Schema, Violation

from ..engine.instant import Cost, Instant
from ..engine.keys import is_expired, key_digest, presented
from ..engine.provider import Call, Provider, Refusal, RefusedError, Reply
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.bodies import BodyError, read_json
from ..kernel.faults import Fault
from ..kernel.header_names import header_name
from ..kernel.magic import ordered_outcome, split_key
from ..kernel.rows import Key, Resource
from ..kernel.templates import look_up
from .idempotency import begin_replay, finish_replay
from .limits import respect_cap, respect_rate, window_facts

Gate = Callable[["Road", Call], "Reply | None"]

#: A schema with one of these says itself which other fields there may be.
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties", "patternProperties"})


class Road(Struct):
    """One request on its way. *worlds* is everything that could be reached from here.

    *key* is what *raw_key*, as presented, stands for; *key_suffix* is what the client appended to
    it to order something. *is_counted* says that the call has taken its room in the rate windows.
    *faults* have met it, and may only if it *is_exposed* to any.
    *call* is what the gates fill in; None for a request that no operation takes.
    """

    worlds: Worlds
    world: World
    contract: Contract
    provider: Provider
    key: Key | None = None
    raw_key: str = ""
    replay: Callable[[Reply], None] | None = None
    is_counted: bool = False
    faults: list[Fault] = []
    is_exposed: bool = False
    key_suffix: str = ""
    call: Call | None = None


def _authenticate(road: Road, call: Call) -> None:
    if not call.operation.security:
        return
    schemes = [road.contract.behaviour.credentials[name] for name in call.operation.security]
    for credential in schemes:
        raw = presented(credential, call.request.headers)
        if raw is None:
            continue
        if call.ctx.settings.has_magic:
            raw, road.key_suffix = split_key(raw)
        key = road.key if raw == road.raw_key else _other_key(road, call, raw)
        if key is None or key.kind != credential.key_kind:
            facts = {**_credential_facts(credential), "whose": _whose_key(road, raw)}
            raise call.refuse(
                "unknown_credential", **facts, provider=road.contract.behaviour.name, sent=raw
            )
        if not key.is_active or road.key_suffix == "-revoked":
            raise call.refuse("revoked_credential", **_credential_facts(credential))
        if is_expired(credential, key, call.ctx.now_ms):
            raise call.refuse("expired_credential", **_credential_facts(credential))
        call.ctx.rows.note_use(key.digest, call.ctx.now_ms)
        road.key = call.key = key
        call.account_id = key.account
        return
    raise call.refuse("missing_credential", **_credential_facts(schemes[0]))


def _other_key(road: Road, call: Call, raw: str) -> Key | None:
    """What *raw* stands for, where the request presents another kind of key beside it."""
    key = call.ctx.rows.key(key_digest(raw))
    is_of_here = key is not None and (key.world, key.provider) == (
        road.world.id,
        call.ctx.provider,
    )
    return key if is_of_here else None


def _whose_key(road: Road, raw: str) -> str:
    """What there is to say of a key that opens nothing here."""
    key = road.worlds.store.key(key_digest(raw))
    if key is None:
        return "a key that nobody was given"
    known = road.worlds.contracts.get(key.provider)
    name = known.behaviour.name if known is not None else key.provider
    if key.world != road.world.id:
        return f"a key of {name} in another world"
    if key.provider == road.contract.provider:
        return "a key of this world, but of another kind"
    return f"a key of {name} in this world"


def _credential_facts(credential: Credential) -> dict[str, Json]:
    header, scheme = credential.forms[0]
    name = header_name(header)
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
        path = call.ctx.behaviour.prefixes[0] + operation.path
        near = [f"{operation.method} {path} with {it}" for it in operation.bodies]
        raise call.refuse("wrong_content_type", expected=documented, actual=actual, near=near)
    if request.problem is not None:
        raise call.refuse(request.problem.reason, **request.problem.facts)
    if request.form is not None:
        drops = call.ctx.behaviour.drops_empty_form_texts
        call.body = {it: value for it, value in request.form.items() if not drops or value != ""}
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
    form = call.request.form
    values = form_values(call.body, schema.schema) if form is not None else call.body
    if call.ctx.behaviour.unknown_fields == "refuse":
        return _strict_violations(schema, values)
    if form is None:
        return schema.violations(values)
    known = schema.schema.get("properties", {})
    return schema.violations({name: value for name, value in values.items() if name in known})


def _strict_violations(schema: Schema, values: Json) -> list[Violation]:
    """What is wrong with *values*, and the fields that a schema open for more does not name."""
    known = schema.schema.get("properties")
    if known is None or not isinstance(values, dict) or _CLOSED & schema.schema.keys():
        return schema.violations(values)
    unknown = [
        Violation("body", f"/{name[:80]}", "additionalProperties", "no such field", "a value")
        for name in values
        if name not in known
    ]
    return schema.violations({it: values[it] for it in values if it in known}) + unknown


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
        kept_id = read(call.ctx, id_) if read is not None else id_
        resource = call.ctx.find(target.kind, kept_id)
        is_hidden = target.hidden or road.contract.behaviour.foreign == "hide"
        if resource is not None and is_hidden and resource.account != call.account_id:
            resource = None
        if resource is not None and target.within is not None:
            resource = resource if resource.parent == found[target.within].id else None
        if resource is None and target.within is not None:
            _refuse_foreign(road, call, found[target.within])
        if resource is None:
            raise call.refuse("not_found", **_target_facts(road, target, id_))
        found[target.kind] = resource
    call.found = found


def _refuse_foreign(road: Road, call: Call, resource: Resource) -> None:
    """Raises if the caller does not own *resource*: what is within it is then not looked for."""
    if resource.account != call.account_id and "ownership" in road.contract.behaviour.refusal_order:
        target = next(it for it in call.rules.targets if it.kind == resource.kind)
        raise call.refuse("foreign", **_target_facts(road, target, resource.id))


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
        state = state_of(road.provider, call.ctx, resource)
        if state not in target.states:
            allowed = " or ".join(sorted(target.states))
            facts = _target_facts(road, target, resource.id)
            raise call.refuse("wrong_state", **facts, state=state, allowed=allowed)


def state_of(provider: Provider, ctx: Instant, resource: Resource) -> str:
    """The state of any resource: from its script, or as its provider derives it."""
    if resource.script is not None:
        return ctx.state(resource)
    return provider.states[resource.kind](ctx, resource)


def _respect_rate(road: Road, call: Call) -> None:
    if road.key_suffix == "-rate-limited" and "rate_limited" in call.ctx.behaviour.refusals:
        windows = call.ctx.behaviour.rate_windows
        other = {"limit": 0, "action": call.operation.id, "period": "a minute"}
        raise call.refuse(
            "rate_limited", **(window_facts(windows[0]) if windows else other), wait_s=60
        )
    respect_rate(call)
    road.is_counted = True


def _respect_cap(road: Road, call: Call) -> None:
    respect_cap(call, road.world.unanswered, lambda: _amount(road, call))


def _amount(road: Road, call: Call) -> int:
    """What *call* costs; 0 for an operation without a price.

    Raises:
        RefusedError: there is no price for what it asks for.
    """
    price = call.rules.price
    if price is None:
        return 0
    facts = dict(call.body) if isinstance(call.body, dict) else {}
    supply = road.provider.price_facts.get(call.operation.id)
    if supply is not None:
        facts |= supply(call)
    try:
        return price.amount(facts)
    except ContractError as error:
        raise call.refuse("invalid", problem=str(error)) from None


def _afford(road: Road, call: Call) -> None:
    price = call.rules.price
    if price is None:
        return
    amount = _amount(road, call)
    account = call.account
    available = 0 if road.key_suffix == "-no-credits" else account.available
    needed = max(amount, price.balance_min)
    if needed > available and call.ctx.behaviour.initial_credits is not None:
        raise call.refuse("insufficient_credits", cost=amount, available=available)
    call.cost = Cost(amount, price.moment)


def _be_decent(road: Road, call: Call) -> None:
    """Content that the provider refuses at submission, on the user's order."""
    ordered = ordered_outcome(call.body) if call.ctx.settings.has_magic else None
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


GATES: Mapping[str, Gate] = {
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
