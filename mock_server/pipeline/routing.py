"""Finding the world, the key and the operation that a request is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from screentest.specs.behaviour.sent_keys import presented
from screentest.specs.contracts.contract import Contract
from screentest.specs.openapi.routes import Match

from ..engine.keys import key_digest
from ..engine.provider import NO_OPERATION, NO_RULES, Call, Refusal, Request
from ..engine.world import World
from ..engine.worlds import DEFAULT_WORLD, Worlds
from ..findings.near_misses import near_misses
from ..kernel.magic import split_key
from ..kernel.rows import Key
from ..store.working_set import WorkingSet


def receive(
    worlds: Worlds, world: World, provider_id: str, request: Request
) -> tuple[Call, Refusal | None]:
    """The call that *request* makes in *world*, and the refusal if no operation takes it."""
    key, raw_key = presented_key(world.rows, worlds.contracts[provider_id], request)
    ctx = worlds.clocks.instant(
        world, provider_id, base_url=request.base_url, number=world.requests + 1
    )
    found = _route(ctx.contract, worlds.contracts.values(), request)
    call = Call(
        ctx,
        request,
        NO_OPERATION,
        NO_RULES,
        worlds.providers[provider_id],
        served=worlds.contracts,
        presented_key=key,
        raw_key=raw_key,
    )
    if isinstance(found, Refusal):
        return call, found
    call.operation, call.path = found.operation, found.path
    call.rules = ctx.behaviour.operations[found.operation.id]
    return call, None


def world_of(worlds: Worlds, world: World, provider_id: str, request: Request) -> World:
    """The world that a request to *world* is for.

    Keys are unique over all worlds, so a client that knows only the default base URL still reaches
    its own world.
    """
    # The path names a world, so a key of another world is wrong and will be refused.
    if world.id != DEFAULT_WORLD:
        return world
    contract = worlds.contracts[provider_id]
    for raw in _sent_keys(contract, request):
        for text in (raw, split_key(raw)[0]):
            found = worlds.store.holder(key_digest(text))
            if found is not None and found[1].provider == contract.provider:
                return worlds.find(found[0]) or world
    return world


def presented_key(rows: WorkingSet, contract: Contract, request: Request) -> tuple[Key | None, str]:
    """The key of this world that a request presents, as stored and as sent."""
    for raw in _sent_keys(contract, request):
        for text in (raw, split_key(raw)[0]):
            key = rows.keys.get(key_digest(text))
            if key is not None and key.provider == contract.provider:
                return key, text
    return None, ""


def _sent_keys(contract: Contract, request: Request) -> Iterator[str]:
    # In the order of the contract, as a provider with two schemes takes the first that it finds.
    for credential in contract.behaviour.credentials.values():
        raw = presented(credential, request.headers, request.query)
        if raw is not None:
            yield raw


def _route(contract: Contract, served: Iterable[Contract], request: Request) -> Match | Refusal:
    """The operation that takes *request*; else why none does, with the nearest of those *served*.

    HEAD is answered as GET, without the body.
    """
    path = request.path
    below = [path[len(it) :] for it in contract.behaviour.prefixes if path.startswith(it)]
    # An exact match under any prefix comes before a wrong method under another one.
    for inner in below:
        match = contract.routes.find(request.method, inner)
        if match is not None:
            return match
    for inner in below:
        methods = contract.routes.methods(inner)
        if methods:
            near = near_misses(contract, served, request.method, path)
            facts = {"method": request.method, "allow": ", ".join(methods), "near": near}
            return Refusal("wrong_method", facts)
    # After the wrong method: a framework redirects only paths that it does not have.
    redirect = _redirect(contract, request)
    if redirect is not None:
        return redirect
    near = near_misses(contract, served, request.method, path)
    return Refusal("unknown_route", {"method": request.method, "path": path, "near": near})


def _redirect(contract: Contract, request: Request) -> Refusal | None:
    """A redirect to the documented spelling, where the provider's framework sends one."""
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
