"""Control calls about the server, worlds, accounts, clocks and readings."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json

from ...engine.keys import mint_further_keys
from ...engine.world import Plan, World
from ...kernel.clock import Mode, check_speed, parse_rfc3339, read_clock
from ...kernel.errors import MockError, unknown
from ...kernel.lifecycle import read_pace
from ...kernel.rows import Account
from .readings import check_readings
from .request import ControlCall, Handler, one_page
from .views import auth_word, show_account, show_clock, show_entry, show_event, show_world


def get_openapi(_: ControlCall) -> Json:
    return load_controls().document


def list_providers(call: ControlCall) -> Json:
    return [
        {
            "id": contract.provider,
            "name": contract.behaviour.name,
            "operations": len(contract.behaviour.operations),
            "auth": auth_word(contract.behaviour.credentials.values()),
            "env": list(contract.behaviour.environment),
        }
        for contract in call.worlds.contracts.values()
    ]


def list_worlds(call: ControlCall) -> Json:
    """One page of the worlds, oldest first. The cursor is a place in the list."""
    after = call.cursor or 0
    found = list(enumerate(call.worlds.all(), 1))[after : after + call.limit + 1]
    return one_page(found, call.limit, lambda it: _line_of(call, it[1]), lambda it: it[0])


def _line_of(call: ControlCall, world: World) -> Json:
    with world.rows.transaction():
        clock = show_clock(call.worlds, world)
    return {"id": world.id, "label": world.settings.label, "seed": world.seed, "clock": clock}


def _mode_and_speed(wish: Mapping[str, Json], mode: Mode, speed: float) -> tuple[Mode, float]:
    """*mode* and *speed* after the caller's *wish*. `real:60` names both.

    Raises:
        MockError: a speed is given twice, or is out of range.
    """
    if "mode" in wish:
        mode, named_speed = read_clock(wish["mode"])
        if ":" in wish["mode"]:
            speed = named_speed
            if "speed" in wish:
                raise MockError(
                    f"clock: mode {wish['mode']!r} names the speed, so it takes no 'speed'; "
                    "leave one of the two out",
                    code="invalid_field",
                )
    return mode, check_speed(wish.get("speed", speed))


def create_world(call: ControlCall) -> Json:
    body, clock = call.body, call.body.get("clock", {})
    credits = body.get("credits", {})
    for provider in credits:
        call.worlds.contract(provider)
    if clock.get("mode") == "system" and "now" in clock:
        raise MockError(
            "clock: a clock of the mode 'system' follows the system's time, so it takes no 'now'; "
            "leave one of the two out",
            code="invalid_field",
        )
    mode, speed = _mode_and_speed(clock, Mode.REAL, 1.0)
    plan = Plan(
        seed=int(body.get("seed", 1)),
        mode=mode,
        now_ms=parse_rfc3339(clock["now"]) if "now" in clock else None,
        speed=speed,
        pace=read_pace(body.get("pace", "documented")),
        credits={provider: int(amount) for provider, amount in credits.items()},
        has_magic=body.get("magic", True),
        has_fault_header=body.get("fault_header", False),
        label=body.get("label", ""),
    )
    return show_world(call.worlds, call.worlds.create(plan), call.origin)


def get_world(call: ControlCall) -> Json:
    return show_world(call.worlds, call.world, call.origin)


def change_world(call: ControlCall) -> Json:
    world, body = call.world, call.body
    with call.worlds.clocks.moving(world):
        if "pace" in body:
            world.settings = replace(world.settings, pace=read_pace(body["pace"]))
        if "magic" in body:
            world.settings = replace(world.settings, has_magic=body["magic"])
        if "fault_header" in body:
            world.settings = replace(world.settings, has_fault_header=body["fault_header"])
    return show_world(call.worlds, world, call.origin)


def delete_world(call: ControlCall) -> None:
    call.worlds.delete(call.world)


def reset_world(call: ControlCall) -> Json:
    return show_world(call.worlds, call.worlds.reset(call.world), call.origin)


def create_account(call: ControlCall) -> Json:
    world, body = call.world, call.body
    with world.rows.transaction():
        account, keys = call.worlds.accounts.add(
            world, body["provider"], credits=body.get("credits"), tier=body.get("tier")
        )
        return show_account(call.worlds, world, account, keys)


def get_account(call: ControlCall) -> Json:
    account = call.settled_account()
    with call.world.rows.transaction():
        return show_account(call.worlds, call.world, account)


def change_account(call: ControlCall) -> Json:
    worlds, world, body = call.worlds, call.world, call.body
    call.settled_account()
    with world.rows.transaction():
        account = worlds.accounts.get(world, call.path["account"])
        ctx = worlds.clocks.instant(world, account.provider)
        if "tier" in body:
            if body["tier"] not in ctx.behaviour.tiers:
                raise unknown("tier", body["tier"], ctx.behaviour.tiers, status=422)
            world.rows.accounts.set_tier(account.id, body["tier"])
        if "credits" in body:
            ctx.ledger.set_available(account.id, int(body["credits"]), ctx.now_ms)
        if "api_key_revoked" in body:
            _revoke(call, account, is_wanted=body["api_key_revoked"])
        return show_account(worlds, world, worlds.accounts.get(world, account.id))


def _revoke(call: ControlCall, account: Account, *, is_wanted: bool) -> None:
    keys, world_id = call.world.rows.keys, call.world.id
    if is_wanted:
        for key in keys.of(account.id, "api_key"):
            keys.deactivate(key.digest)
    elif not keys.has_active(account.id, "api_key"):
        raise MockError(
            f"the keys of {account.id} are revoked, and a revoked key does not come back; "
            f"POST /worlds/{world_id}/accounts/{account.id}/keys gives it new ones",
            code="key_revoked",
            status=409,
        )


def create_keys(call: ControlCall) -> Json:
    worlds, world = call.worlds, call.world
    call.settled_account()
    with world.rows.transaction():
        account = worlds.accounts.get(world, call.path["account"])
        ctx = worlds.clocks.instant(world, account.provider)
        keys = mint_further_keys(ctx, account.id)
        return show_account(worlds, world, account, keys)


def get_ledger(call: ControlCall) -> Json:
    account = call.settled_account()
    rows = call.world.rows
    with rows.transaction():
        entries = rows.entries.of(account.id, after_seq=call.cursor or 0, limit=call.limit + 1)
    page = one_page(entries, call.limit, show_entry, lambda it: it.seq)
    return {
        "available": account.available,
        "held": account.held,
        "spent": account.spent,
        "granted": account.granted,
        "opening": dict(
            zip(("granted", "available", "held", "spent"), account.opening, strict=True)
        ),
        "entries": page["items"],
        "next_cursor": page["next_cursor"],
    }


def get_clock(call: ControlCall) -> Json:
    world = call.world
    with world.rows.transaction():
        return show_clock(call.worlds, world)


def change_clock(call: ControlCall) -> Json:
    worlds, world, body = call.worlds, call.world, call.body
    worlds.clocks.set_clock(world, *_mode_and_speed(body, world.clock.mode, world.clock.speed))
    with world.rows.transaction():
        return show_clock(worlds, world)


def advance_clock(call: ControlCall) -> Json:
    worlds, world, body = call.worlds, call.world, call.body
    if world.clock.mode is Mode.SYSTEM:
        raise MockError(
            "this clock follows the system's; move that, or change the mode",
            code="follows_system",
            status=409,
        )
    if body.get("until") == "next":
        fired = worlds.clocks.advance_to_next(world, within_ms=body.get("by_ms"))
    elif "until" in body:
        fired = worlds.clocks.advance_until_idle(world)
    elif "to" in body:
        fired = worlds.clocks.advance(world, to_ms=parse_rfc3339(body["to"]))
    else:
        fired = worlds.clocks.advance_by(world, int(body["by_ms"]))
    with world.rows.transaction():
        clock = show_clock(worlds, world)
    shown = [show_event(event) for event in fired]
    return {"fired": shown, **{name: clock[name] for name in ("now", "next", "pending")}}


def list_interpretations(call: ControlCall) -> Json:
    choices = call.world.settings.choices
    return {
        f"{name}.{it.name}": {
            "value": contract.under(choices).reading_of(it.name),
            "default": it.default,
            "alternatives": dict(it.alternatives),
            "id": it.id,
            "reason": it.reason,
        }
        for name, contract in call.worlds.contracts.items()
        for it in contract.behaviour.interpretations.values()
    }


def change_interpretations(call: ControlCall) -> Json:
    world = call.world
    check_readings(call.worlds.contracts.values(), call.body)
    call.worlds.set_readings(world, call.body)
    return list_interpretations(call)


OPERATIONS: Mapping[str, Handler] = {
    "getOpenapi": get_openapi,
    "listProviders": list_providers,
    "listWorlds": list_worlds,
    "createWorld": create_world,
    "getWorld": get_world,
    "changeWorld": change_world,
    "deleteWorld": delete_world,
    "resetWorld": reset_world,
    "createAccount": create_account,
    "getAccount": get_account,
    "changeAccount": change_account,
    "createKeys": create_keys,
    "getLedger": get_ledger,
    "getClock": get_clock,
    "changeClock": change_clock,
    "advanceClock": advance_clock,
    "listInterpretations": list_interpretations,
    "changeInterpretations": change_interpretations,
}
