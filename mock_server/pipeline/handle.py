"""The one road of a request: route, gates in the provider's order, behaviour, our own check.

Framework-free and in one transaction. Nothing here sleeps, sends or reads a file. Bad input ends in
the provider's own refusal; an exception that is nobody's fault but ours ends in a journaled 500.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Sequence

from msgspec import Struct

from screentest.specs.behaviour import Moment
from screentest.specs.contract import Contract
from screentest.specs.operations import Match, Operation
from screentest.specs.validation import Violation

from ..engine.default_handlers import answer_from_contract
from ..engine.instant import Instant
from ..engine.keys import key_digest, presented
from ..engine.provider import Call, EventStream, Refusal, RefusedError, Reply, Request
from ..engine.refusals import shape_refusal
from ..engine.world import World
from ..engine.worlds import DEFAULT_WORLD, Worlds
from ..findings.ignored_fields import ignored_fields, misspelt_orders
from ..findings.near_misses import near_misses
from ..findings.repeated_calls import habits_of
from ..kernel.bodies import read_json
from ..kernel.clock import Mode
from ..kernel.errors import MockError
from ..kernel.faults import Fault
from ..kernel.magic import split_key
from ..kernel.rows import Key
from .fault_injection import strike_answer, strike_before, strike_commit, strike_model
from .gates import GATES, Road
from .journal import JournalLine, note
from .limits import count_refused, note_in_flight, payer_of

Answer = Reply | EventStream


#: Faults that keep the client waiting; until then a repetition finds its first call running.
_HOLDS_BACK = frozenset({"latency", "timeout"})


class Handled(Struct, frozen=True):
    """What became of a request: its answer, the world it happened in, and its number there.

    *note* is what the journal keeps of it. *faults* are to be acted out on the answer.
    """

    answer: Answer
    world: World
    number: int
    operation: str
    note: JournalLine
    faults: Sequence[Fault] = ()


def handle(worlds: Worlds, world: World, provider: str, request: Request) -> Handled:
    """Answer *request* to *provider* in *world* (or in the world that its key belongs to)."""
    contract = worlds.contracts[provider]
    with worlds.store.request():
        world, key, presented_key = _whose(worlds, world, contract, request)
        number = world.requests = world.requests + 1
        now_ms = worlds.now_ms(world)
        ctx = worlds.instant(
            world, provider, now_ms=now_ms, base_url=request.base_url, number=number
        )
        contract = ctx.contract
        road = Road(worlds, world, contract, worlds.providers[provider], key, presented_key)
        match = _route(contract, worlds.contracts.values(), request)
        if isinstance(match, Match):
            operation = match.operation.id
            answer = _guarded(road, ctx, match, request)
        else:
            operation, answer = "", _off_road(road, ctx, request, match)
        advice = habits_of(
            world.marks, contract, request, road.call, answer, world.clock.mode, now_ms
        )
        if road.call is not None and road.call.body:
            advice += ignored_fields(contract, road.call, answer)
            advice += misspelt_orders(road.call)
        redactor = worlds.store.redactor
        noted = note(
            number, now_ms, contract, operation, request, answer, redactor, advice, road.faults
        )
        worlds.store.add_journal(
            world.id, (number, now_ms, provider, operation, answer.status), noted.to_keep()
        )
        if any(fault.type in _HOLDS_BACK for fault in road.faults):
            world.unanswered[number] = payer_of(road.call)
    return Handled(answer, world, number, operation, noted, road.faults)


def note_refusal(
    worlds: Worlds, world: World, provider: str, request: Request, reply: Reply
) -> Handled:
    """Note in the journal that *request*, which is for no operation, was refused with *reply*."""
    with worlds.store.request():
        number = world.requests = world.requests + 1
        now_ms = worlds.now_ms(world)
        noted = note(
            number, now_ms, worlds.contracts[provider], "", request, reply, worlds.store.redactor
        )
        worlds.store.add_journal(
            world.id, (number, now_ms, provider, "", reply.status), noted.to_keep()
        )
    return Handled(reply, world, number, "", noted)


def _whose(
    worlds: Worlds, world: World, contract: Contract, request: Request
) -> tuple[World, Key | None, str]:
    """The world that a request is about, and the key that it presents, as kept and in the raw.

    Keys are unique over all worlds, so a client that only knows the default base address still
    reaches its own world.
    """
    for credential in contract.behaviour.credentials.values():
        raw = presented(credential, request.headers)
        if raw is None:
            continue
        key = worlds.store.key(key_digest(raw))
        if key is None:
            raw, suffix = split_key(raw)
            key = worlds.store.key(key_digest(raw)) if suffix else None
        if key is None or key.provider != contract.provider:
            continue
        if key.world == world.id:
            return world, key, raw
        if world.id == DEFAULT_WORLD:
            return worlds.get(key.world), key, raw
    return world, None, ""


def _route(contract: Contract, served: Iterable[Contract], request: Request) -> Match | Refusal:
    """The operation that takes *request*; else why none does, with what is *served* instead."""
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
                near = near_misses(contract, served, request.method, path)
                facts = {"method": request.method, "allow": ", ".join(methods), "near": near}
                return Refusal("wrong_method", facts)
    redirect = _redirect(contract, request)
    if redirect is not None:
        return redirect
    near = near_misses(contract, served, request.method, path)
    return Refusal("unknown_route", {"method": request.method, "path": path, "near": near})


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
    facts = {"status": int(style[-3:]), "location": other + query}
    return Refusal("redirect", {**facts, "near": [f"{request.method} {other}"]})


def _off_road(road: Road, ctx: Instant, request: Request, refusal: Refusal) -> Reply:
    """The answer to a request that no operation takes."""
    if refusal.reason == "redirect":
        base = re.sub(r"^https?://[^/]+", "", request.base_url)
        location = base + refusal.facts["location"]
        headers = {"Location": location}
        return Reply(refusal.facts["status"], None, headers, reason="route", refusal=refusal)
    operation = next(iter(road.contract.operations.values()))
    call = Call(ctx, request, operation, road.contract.behaviour.operations[operation.id])
    return shape_refusal(road.provider, call, refusal)


def _guarded(road: Road, ctx: Instant, match: Match, request: Request) -> Answer:
    """Answer an operation; refusals roll nothing but their own handler back."""
    operation = match.operation
    rules = road.contract.behaviour.operations[operation.id]
    road.call = call = Call(ctx, request, operation, rules, path=match.path)
    try:
        answer = _answer(road, call)
        strike_commit(road, call)
    except RefusedError as refused:
        if not road.is_counted:
            count_refused(call, refused.refusal)
        answer = shape_refusal(road.provider, call, refused.refusal)
        if road.replay is not None and not refused.refusal.reason.startswith("fault:"):
            road.replay(answer)
    except MockError as limit:
        answer = Reply(503, {"detail": str(limit)}, reason="ours:limit")
    except Exception as error:  # noqa: BLE001  the request ends here, journaled
        answer = _our_fault("crash", "".join(traceback.format_exception(error)))
    answer = _checked(operation, answer)
    strike_answer(road, call, answer)
    return answer


def _answer(road: Road, call: Call) -> Answer:
    if road.world.clock.mode is Mode.AUTO and call.rules.effect == "read":
        _jump(road, call)
    lost = strike_before(road, call)
    if lost is not None:
        return lost
    road.worlds.settle(road.world, call.ctx.now_ms)
    for gate in road.contract.behaviour.refusal_order:
        reply = GATES[gate](road, call)
        if reply is not None:
            return reply
    strike_model(road, call)
    with road.worlds.store.attempt():
        answer = _behave(road, call)
        _charge_for_answer(call, answer)
        if road.replay is not None and isinstance(answer, Reply):
            road.replay(answer)
    return answer


def _jump(road: Road, call: Call) -> None:
    """In auto mode a poll moves the clock to what is due next."""
    road.worlds.jump(road.world)
    now_ms = road.worlds.now_ms(road.world)
    call.ctx = road.worlds.instant(
        road.world,
        call.ctx.provider,
        now_ms=now_ms,
        base_url=call.ctx.base_url,
        number=call.ctx.number,
    )


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
    ctx = call.ctx
    assert ctx.ledger.charge(call.account_id, cost.amount, ctx.now_ms, None, ctx.number)
    note_in_flight(call)


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
    detail = "; ".join(violation.message for violation in found[:3])
    return _our_fault("contract", f"{operation.id} {answer.status}: {detail}", found)


def _our_fault(what: str, detail: str, violations: Sequence[Violation] = ()) -> Reply:
    last = detail.strip().splitlines()[-1]
    body = {"detail": f"screentest is wrong here ({what}): {last}. Please report it."}
    return Reply(500, body, reason=f"ours:{what}", violations=violations)
