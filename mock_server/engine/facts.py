"""The facts that the templates of a contract may name, each found when a template needs it.

A fact that is not needed costs nothing, and does not shorten how long an answer stays valid.
`specs.behaviour.fact_names` describes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from screentest.specs.behaviour.outputs import FileRules
from screentest.specs.expressions.templates import View
from screentest.specs.json_types import Json

from ..kernel.clock import Notations
from ..kernel.ids import digest, mint
from ..kernel.rows import Resource
from ..media.clips import Clip, choose_clip
from .endpoints import account_secret
from .instant import Instant

if TYPE_CHECKING:
    from .provider import Call


#: What is shown of a resource without a view.
_UNSEEN = View({"id": "$id", "state": "$state"})


class Facts(dict[str, Json]):
    """Facts by name. *find* is asked once for each; it raises KeyError for an unknown name."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[str], Json]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, name: str) -> Json:
        # Kept: a template may name a fact several times, and a URL that is signed anew would
        # differ.
        value = self[name] = self._find(name)
        return value


def resource_facts(ctx: Instant, resource: Resource) -> Facts:
    """The facts about a resource and its world."""
    about = _OfResource(ctx, resource)
    let = ctx.kind_rules(resource).let

    def find(name: str) -> Json:
        if name in let:
            return let[name].fill(facts)
        return _RESOURCE[name](about) if name in _RESOURCE else _WORLD[name](ctx)

    facts = Facts(find)
    return facts


def call_facts(call: Call, resource: Resource | None = None) -> Facts:
    """The facts about a call and its world, and those about *resource* if there is one."""
    about = _OfResource(call.ctx, resource) if resource is not None else None
    let = call.ctx.kind_rules(resource).let if resource is not None else {}

    def find(name: str) -> Json:
        if name in let:
            return let[name].fill(facts)
        if about is not None and name in _RESOURCE:
            return _RESOURCE[name](about)
        return _CALL[name](call, facts) if name in _CALL else _WORLD[name](call.ctx)

    facts = Facts(find)
    return facts


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


class _OfResource(Struct, frozen=True, gc=False):
    """A resource as it is in an instant."""

    ctx: Instant
    resource: Resource

    @property
    def is_final(self) -> bool:
        return self.resource.script is not None and self.ctx.kind(self.resource).is_final

    def state(self) -> str | None:
        """Its state; None for a kind without one."""
        if self.resource.script is not None:
            return self.ctx.state(self.resource)
        rules = self.ctx.kind_rules(self.resource).state
        if rules is None:
            return None
        state: str = rules.fill(resource_facts(self.ctx, self.resource))
        return state

    def urls(self) -> Json:
        """The URLs that need nothing but the id, by kind."""
        return Facts(lambda name: self.ctx.url(name, id=self.resource.id))

    def view(self) -> Json:
        view = self.ctx.kind_rules(self.resource).view or _UNSEEN
        return view.fill(resource_facts(self.ctx, self.resource))

    def sizes(self) -> Json:
        """The sizes of its videos, by kind of URL."""
        urls = self.ctx.behaviour.urls

        def find(name: str) -> int:
            rules = urls[name].file
            if rules is None:
                raise KeyError(name)
            return clip_of(rules, resource_facts(self.ctx, self.resource)).size_bytes

        return Facts(find)

    def instants(self) -> Json:
        """When it entered each state that it has passed, by the name of the state."""
        script, created_ms = self.resource.script, self.resource.created_ms
        _ = self.ctx.state(self.resource)  # what is shown is valid until the next state
        offset_ms = self.resource.offset_ms(self.ctx.now_ms)
        steps = script.steps if script is not None else ()
        passed = {state: Notations(created_ms + at) for at, state in steps if at <= offset_ms}
        return Facts(lambda name: passed.get(name, Notations(None)))

    def left_ms(self) -> int:
        script = self.resource.script
        assert script is not None, self.resource.kind
        offset_ms = self.resource.offset_ms(self.ctx.now_ms)
        if script.held_ms is not None:
            offset_ms = min(offset_ms, script.held_ms)
        return script.steps[-1][0] - offset_ms


def _found(ctx: Instant, resource: Resource | None) -> Facts | None:
    return resource_facts(ctx, resource) if resource is not None else None


_Finder = Callable[[_OfResource], Json]

_WORLD: Mapping[str, Callable[[Instant], Json]] = {
    "facts": lambda ctx: ctx.behaviour.facts,
    "media": lambda ctx: ctx.behaviour.media,
    "reading": lambda ctx: Facts(ctx.reading),
    "base_url": lambda ctx: ctx.base_url,
    "provider_url": lambda ctx: ctx.behaviour.base_url,
    "world": lambda ctx: ctx.world.id,
    "now": lambda ctx: Notations(ctx.now_ms),
    "address": lambda ctx: lambda name, parts: ctx.url(name, **parts),
    "mint": lambda ctx: lambda form, number: mint(form, number, ctx.world.seed, ctx.provider),
    "resource": lambda ctx: lambda kind, id_: _found(ctx, ctx.find(kind, id_ or "")),
    "newest": lambda ctx: lambda kind, parent: _found(ctx, ctx.newest(kind, parent or "")),
    "children": lambda ctx: (
        lambda kind, parent: [
            resource_facts(ctx, it)
            for it in ctx.rows.resources.children(ctx.provider, kind, parent)
        ]
    ),
    "digest": lambda _: lambda parts: digest(*parts).hex()[:16],
}
_RESOURCE: Mapping[str, _Finder] = {
    "id": lambda it: it.resource.id,
    "input": lambda it: it.resource.doc.get("input", {}),
    "doc": lambda it: it.resource.doc,
    "owner": lambda it: it.resource.account,
    "parent": lambda it: it.resource.parent,
    "created": lambda it: Notations(it.resource.created_ms),
    "state": _OfResource.state,
    "kind": lambda it: it.ctx.state_rules(it.resource, it.state() or "").kind.value,
    "entered": lambda it: Notations(it.ctx.entered_ms(it.resource)),
    "at": _OfResource.instants,
    "ended": lambda it: Notations(it.ctx.entered_ms(it.resource) if it.is_final else None),
    "left_ms": lambda it: it.left_ms(),
    "wait_ms": lambda it: it.ctx.wall_wait_ms(it.resource),
    "progress": lambda it: it.ctx.progress(it.resource),
    "reason": lambda it: it.resource.script.reason if it.resource.script is not None else "",
    "refunded": lambda it: it.ctx.ledger.refunded(it.resource.account, it.resource.id),
    "url": _OfResource.urls,
    "view": _OfResource.view,
    "bytes": _OfResource.sizes,
}
_CALL: Mapping[str, Callable[[Call, Facts], Json]] = {
    "path": lambda call, _: call.path,
    "query": lambda call, _: call.query,
    "body": lambda call, _: call.body,
    "given": lambda call, _: call.provider.fields(call) if call.provider.fields else call.body,
    "supplied": lambda call, _: call.provider.price_facts[call.operation.id](call),
    "content": lambda call, facts: content_of(call, facts["given"]),
    "random": lambda call, facts: call.ctx.rng(call.operation.id, facts["content"]),
    "pick": lambda _, facts: facts["random"].choice,
    "sample": lambda _, facts: facts["random"].sample,
    "random_int": lambda _, facts: facts["random"].randint,
    "owned": lambda call, _: (
        lambda kind, most: len(
            call.ctx.rows.resources.of_account(call.ctx.provider, kind, call.account_id, limit=most)
        )
    ),
    "operation": lambda call, _: call.operation.id,
    "number": lambda call, _: call.ctx.number,
    "account": lambda call, _: call.account,
    "webhook_secret": lambda call, _: account_secret(call.ctx, call.account_id),
    "found": lambda call, _: Facts(lambda kind: resource_facts(call.ctx, call.found[kind])),
}
