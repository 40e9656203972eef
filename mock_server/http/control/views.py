"""Rows as the control API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from screentest.specs.behaviour.credentials import Credential
from screentest.specs.behaviour.forms import COOKIE, QUERY
from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.contracts.redaction import header_name
from screentest.specs.json_types import Json

from ...engine.facts import resource_facts
from ...engine.world import World
from ...engine.worlds import Worlds
from ...kernel.clock import rfc3339
from ...kernel.faults import Fault
from ...kernel.rows import Account, Entry, Event, Resource


def show_world(worlds: Worlds, world: World, origin: str) -> Json:
    """A world with its clock, its first accounts, and the variables that point clients at it."""
    with world.rows.transaction():
        clock = show_clock(worlds, world)
        first: dict[str, Account] = {}
        for account in world.rows.accounts.of_world():
            first.setdefault(account.provider, account)
        keys = {name: worlds.accounts.first_keys(world, name) for name in worlds.contracts}
        shown = {
            name: show_account(worlds, world, first[name], keys[name]) for name in worlds.contracts
        }
    prefix = "" if world.id == "default" else f"/w/{world.id}"
    providers: dict[str, Json] = {}
    env: dict[str, str] = {}
    for name, contract in worlds.contracts.items():
        base_url = f"{origin}{prefix}/{name}"
        known = {"base_url": base_url, **keys[name]}
        providers[name] = {"base_url": base_url, "account": shown[name]}
        env |= {
            variable: known[what] if what in known else what.format(**known)
            for variable, what in contract.behaviour.environment.items()
        }
    return {
        "id": world.id,
        "label": world.settings.label,
        "seed": world.seed,
        "clock": clock,
        "pace": world.settings.pace,
        "magic": world.settings.has_magic,
        "fault_header": world.settings.has_fault_header,
        "providers": providers,
        "env": env,
    }


def show_clock(worlds: Worlds, world: World) -> Json:
    """The clock, and what is due next. To be called inside a transaction."""
    now_ms = worlds.clocks.now_ms(world)
    worlds.clocks.settle(world, now_ms)
    effect = world.rows.effects.next()
    due = effect and {
        "at": rfc3339(effect.due_ms),
        "type": effect.label,
        "subject": effect.subject.split("/", 2)[2],
    }
    return {
        "mode": world.clock.mode.value,
        "now": rfc3339(now_ms),
        "speed": world.clock.speed,
        "next": due,
        "pending": len(world.rows.effects),
    }


def show_job(worlds: Worlds, world: World, job: Resource) -> Json:
    """A job with its whole script."""
    ctx = worlds.clocks.instant(world, job.provider)
    assert job.script is not None
    detail = ctx.kind_rules(job).detail
    end = ctx.state_rules(job, job.script.steps[-1][1]).kind
    return {
        "id": job.id,
        "provider": job.provider,
        "kind": job.kind,
        "account": job.account,
        "parent": job.parent,
        "state": ctx.state(job),
        "progress": ctx.progress(job),
        "created_at": rfc3339(job.created_ms),
        "held": job.script.held_ms is not None,
        "script": [
            {"at": rfc3339(job.created_ms + at), "state": state} for at, state in job.script.steps
        ],
        "outcome": "failed" if end is Kind.FAILED else "completed",
        "reason": job.script.reason or None,
        "details": detail.fill(resource_facts(ctx, job)) if detail is not None else {},
    }


def show_fault(fault: Fault) -> Json:
    """A fault, with the instants of its window."""
    shown = fault.to_json()
    for name in ("from", "until"):
        at_ms = shown.pop(f"{name}_ms")
        shown[name] = rfc3339(at_ms) if at_ms is not None else None
    return shown


def show_account(
    worlds: Worlds, world: World, account: Account, keys: Mapping[str, str] | None = None
) -> Json:
    """An account; *keys* are shown at creation, and for a world's first accounts.

    To be called inside a transaction.
    """
    shown: dict[str, Json] = {"id": account.id, "provider": account.provider}
    if keys is not None:
        shown["api_key"] = keys.get("api_key")
    shown["credits"] = {"available": account.available, "held": account.held}
    shown["tier"] = account.tier
    shown["api_key_revoked"] = not world.rows.keys.has_active(account.id, "api_key")
    if keys is not None:
        shown["bearer"] = keys.get("bearer")
    return shown


def show_entry(entry: Entry) -> Json:
    """One line of a ledger."""
    return {
        "seq": entry.seq,
        "at": rfc3339(entry.at_ms),
        "kind": entry.kind,
        "amount": entry.amount,
        "job": entry.job,
        "request": f"req_{entry.request}" if entry.request else None,
    }


def show_event(event: Event) -> Json:
    """One event of a world."""
    return {"at": rfc3339(event.at_ms), "type": event.type, "subject": event.subject}


def auth_word(credentials: Iterable[Credential]) -> str:
    """How the documented credential of a provider is sent: a header's name, or a scheme word."""
    credential = next(iter(credentials), None)
    if credential is None:
        return "no key"
    place, scheme = credential.forms[0]
    return scheme or header_name(place.lstrip(QUERY + COOKIE).lower())
