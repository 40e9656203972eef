"""The facts that the templates of a contract may name, each found when a template needs it.

A fact that is not needed costs nothing, and does not shorten how long an answer stays valid.
`specs.behaviour.fact_names` describes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import to_builtins
from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.outputs import FileRules
from screentest.specs.expressions.templates import Template, View
from screentest.specs.json_types import Json

from ..kernel.clock import Notations
from ..kernel.ids import digest, mint
from ..kernel.lifecycle import Script
from ..kernel.rows import Key, Resource
from ..media.clips import Clip, choose_clip
from .endpoints import account_secret
from .instant import Instant
from .keys import key_digest, mint_key

if TYPE_CHECKING:
    from .provider import Call


#: What is shown of a resource without a view.
_UNSEEN = View({"id": "$id", "state": "$state"})


class Facts(dict[str, Json]):
    """The facts about a world, and about a resource and a call where there are."""

    __slots__ = ("_finders", "_let", "call", "ctx", "resource")

    def __init__(self, ctx: Instant, resource: Resource | None, call: Call | None) -> None:
        self.ctx = ctx
        # The table below has no finder that asks for what there is not.
        self.resource: Resource = resource  # type: ignore[assignment]
        self.call: Call = call  # type: ignore[assignment]
        self._let: Mapping[str, Template] = {}
        if resource is not None:
            self._let = ctx.contract.behaviour.resources[resource.kind].let
        self._finders = _FINDERS[resource is not None, call is not None]

    def __missing__(self, name: str) -> Json:
        finder = self._finders.get(name) or self._let[name].fill
        # A template may name a fact several times. Signing a URL again would change it.
        value = self[name] = finder(self)
        return value


class _Each(dict[str, Json]):
    """Values of one kind by name. *find* is asked once for each."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[str], Json]) -> None:
        self._find = find

    def __missing__(self, name: str) -> Json:
        value = self[name] = self._find(name)
        return value


def resource_facts(ctx: Instant, resource: Resource) -> Facts:
    """The facts about a resource and its world."""
    return Facts(ctx, resource, None)


def call_facts(call: Call, resource: Resource | None = None) -> Facts:
    """The facts about a call and its world, and those about *resource* if there is one."""
    return Facts(call.ctx, resource, call)


def content_of(call: Call, given: Json) -> str:
    """16 hexadecimal digits, the same for equal requests only."""
    return digest(call.operation.id, json.dumps(given, sort_keys=True)).hex()[:16]


def clip_of(rules: FileRules, facts: Facts) -> Clip:
    """The video behind a URL of the resource that has these *facts*."""
    lasts_s = rules.seconds.fill(facts) if rules.seconds is not None else None
    return choose_clip(
        *rules.size.fill(facts),
        fps=rules.fps.fill(facts) if rules.fps is not None else None,
        duration_ms=int(lasts_s * 1_000) if lasts_s is not None else None,
    )


# Facts about a resource


def _script(facts: Facts) -> Script:
    script = facts.resource.script
    assert script is not None, facts.resource.kind
    return script


def _state(facts: Facts) -> str | None:
    """Its state; None for a kind without one."""
    resource, ctx = facts.resource, facts.ctx
    if resource.script is not None:
        return ctx.state(resource)
    rules = ctx.kind_rules(resource).state
    return rules.fill(facts) if rules is not None else None


def _sizes(facts: Facts) -> Json:
    """The sizes of its videos, by kind of URL."""
    urls = facts.ctx.behaviour.urls

    def find(name: str) -> int:
        rules = urls[name].file
        if rules is None:
            raise KeyError(name)
        return clip_of(rules, facts).size_bytes

    return _Each(find)


def _instants(facts: Facts) -> Json:
    """When it entered each state that it has passed, by the name of the state."""
    resource, ctx = facts.resource, facts.ctx
    _ = facts["state"]  # what is shown is valid until the next state
    offset_ms = resource.offset_ms(ctx.now_ms)
    steps = resource.script.steps if resource.script is not None else ()
    passed = {it: Notations(resource.created_ms + at) for at, it in steps if at <= offset_ms}
    return _Each(lambda name: passed.get(name, Notations(None)))


def _left_ms(facts: Facts) -> int:
    script = _script(facts)
    offset_ms = facts.resource.offset_ms(facts.ctx.now_ms)
    if script.held_ms is not None:
        offset_ms = min(offset_ms, script.held_ms)
    return script.steps[-1][0] - offset_ms


# Facts about a call and its world


def _has_account(ctx: Instant, id_: str) -> bool:
    account = ctx.rows.accounts.get(id_)
    return account is not None and account.provider == ctx.provider


def _key_facts(ctx: Instant, key: Key | None) -> Json:
    if key is None:
        return None
    # Each call changes when its key was used last, so an answer that shows it is not reused.
    ctx.lasting.end_by(ctx.at_ms)
    return {**to_builtins(key), "last_used_ms": ctx.rows.key_uses.last_ms(key.digest)}


def _issued(facts: Facts, name: str) -> Json:
    """A new key by the rules of the operation."""
    ctx, rules = facts.ctx, facts.call.rules
    wanted = rules.issues[name]
    credential = ctx.behaviour.credentials[wanted.credential]
    if wanted.key is not None:
        credential = replace(credential, key_kind=wanted.key)
    account = rules.account.fill(facts) if rules.account is not None else facts.call.account_id
    key, raw = mint_key(ctx, account, credential, wanted.name.fill(facts))
    return {**_key_facts(ctx, key), "raw": raw}


def _found(ctx: Instant, resource: Resource | None) -> Facts | None:
    return resource_facts(ctx, resource) if resource is not None else None


_OVER = frozenset(kind.value for kind in Kind if kind.is_final)
_Finder = Callable[[Facts], Json]

WORLD_FACTS: Mapping[str, _Finder] = {
    "facts": attrgetter("ctx.contract.behaviour.facts"),
    "media": attrgetter("ctx.contract.behaviour.media"),
    "reading": attrgetter("ctx.contract.in_force"),
    "base_url": attrgetter("ctx.base_url"),
    "provider_url": attrgetter("ctx.contract.behaviour.base_url"),
    "world": attrgetter("ctx.world.id"),
    "now": lambda it: Notations(it.ctx.now_ms),
    "address": lambda it: lambda name, parts: it.ctx.url(name, **parts),
    "mint": lambda it: lambda form, number: mint(form, number, it.ctx.world.seed, it.ctx.provider),
    "resource": lambda it: lambda kind, id_: _found(it.ctx, it.ctx.find(kind, id_ or "")),
    "newest": lambda it: lambda kind, parent: _found(it.ctx, it.ctx.newest(kind, parent or "")),
    "children": lambda it: (
        lambda kind, parent: [
            resource_facts(it.ctx, child)
            for child in it.ctx.rows.resources.children(it.ctx.provider, kind, parent)
        ]
    ),
    "credentials": attrgetter("ctx.contract.behaviour.credentials"),
    "has_account": lambda it: lambda id_: _has_account(it.ctx, id_),
    "known_key": lambda it: lambda raw: _key_facts(it.ctx, it.ctx.rows.keys.get(key_digest(raw))),
    "digest": lambda _: lambda parts: digest(*parts).hex()[:16],
}
RESOURCE_FACTS: Mapping[str, _Finder] = {
    "id": attrgetter("resource.id"),
    "doc": attrgetter("resource.doc"),
    "input": lambda it: it.resource.doc.get("input", {}),
    "owner": attrgetter("resource.account"),
    "parent": attrgetter("resource.parent"),
    "created": lambda it: Notations(it.resource.created_ms),
    "state": _state,
    "kind": lambda it: it.ctx.state_rules(it.resource, it["state"]).kind.value,
    "entered": lambda it: Notations(it.ctx.entered_ms(it.resource)),
    "at": _instants,
    "is_over": lambda it: it["kind"] in _OVER,
    "ended": lambda it: it["entered"] if it["is_over"] else Notations(None),
    "left_ms": _left_ms,
    "wait_ms": lambda it: it.ctx.wall_wait_ms(it.resource),
    "progress": lambda it: it.ctx.progress(it.resource),
    "reason": lambda it: _script(it).reason if it.resource.script is not None else "",
    "refunded": lambda it: it.ctx.ledger.refunded(it.resource.account, it.resource.id),
    "url": lambda it: _Each(lambda name: it.ctx.url(name, id=it.resource.id)),
    "view": lambda it: (it.ctx.kind_rules(it.resource).view or _UNSEEN).fill(it),
    "bytes": _sizes,
}
CALL_FACTS: Mapping[str, _Finder] = {
    "path": attrgetter("call.path"),
    "query": attrgetter("call.query"),
    "body": attrgetter("call.body"),
    "given": lambda it: (
        it.call.provider.fields(it.call) if it.call.provider.fields else it.call.body
    ),
    "supplied": lambda it: it.call.provider.price_facts[it.call.operation.id](it.call),
    "content": lambda it: content_of(it.call, it["given"]),
    "random": lambda it: it.ctx.rng(it.call.operation.id, it["content"]),
    "pick": lambda it: it["random"].choice,
    "sample": lambda it: it["random"].sample,
    "random_int": lambda it: it["random"].randint,
    "owned": lambda it: (
        lambda kind, most: len(
            it.ctx.rows.resources.of_account(it.ctx.provider, kind, it.call.account_id, limit=most)
        )
    ),
    "keys": lambda it: (
        lambda kind: [
            _key_facts(it.ctx, key) for key in it.ctx.rows.keys.of(it.call.account_id, kind)
        ]
    ),
    "issued": lambda it: _Each(lambda name: _issued(it, name)),
    "operation": attrgetter("call.operation.id"),
    "number": lambda it: it.ctx.number,
    "account": attrgetter("call.account"),
    "webhook_secret": lambda it: account_secret(it.ctx, it.call.account_id),
    "found": lambda it: _Each(lambda kind: resource_facts(it.ctx, it.call.found[kind])),
}
#: By whether there is a resource, and whether there is a call.
_FINDERS: Mapping[tuple[bool, bool], Mapping[str, _Finder]] = {
    (False, False): WORLD_FACTS,
    (True, False): {**WORLD_FACTS, **RESOURCE_FACTS},
    (False, True): {**WORLD_FACTS, **CALL_FACTS},
    (True, True): {**WORLD_FACTS, **CALL_FACTS, **RESOURCE_FACTS},
}
