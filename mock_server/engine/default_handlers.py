"""What an operation does when its provider has no function for it: what the contract says.

`does: create, read, list, delete` work on the resources and views of the behaviour file; anything
else answers the documented example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from screentest.specs.behaviour.behaviour import Kind
from screentest.specs.json_types import Json

from ..kernel.clock import notations
from ..kernel.rows import Resource
from ..kernel.templates import fill
from ..media.asset import Asset
from ..media.clips import choose_clip, video_bytes
from .instant import Instant
from .made_answers import answer_unbehaved, made_reply
from .provider import Call, Reply

_LISTED_MAX = 100


def answer_from_contract(call: Call) -> Reply:
    """Do what the contract says of this operation."""
    if call.rules.is_unbehaved:
        return answer_unbehaved(call)
    return _VERBS.get(call.rules.does or "example", _example)(call)


def _success(call: Call) -> int:
    if call.rules.status is not None:
        return call.rules.status
    return call.operation.success_status


def _example(call: Call) -> Reply:
    status = _success(call)
    shape = call.operation.reply(status)
    if shape is None or shape.example is None:
        return made_reply(call, status)
    return Reply(status, shape.example)


def _create(call: Call) -> Reply:
    assert call.rules.starts is not None, call.operation.id
    doc = {"input": call.body}
    made = call.start({**_facts_of(call.body), **doc})
    return Reply(_success(call), _shown(call, made))


def _read(call: Call) -> Reply:
    return Reply(_success(call), _shown(call, call.found[call.rules.targets[-1].kind]))


def _list(call: Call) -> Reply:
    assert call.rules.starts is not None, call.operation.id
    limit = min(int(call.query.get("limit", _LISTED_MAX)), _LISTED_MAX)
    ctx = call.ctx
    found = ctx.rows.resources.of_account(
        ctx.provider, call.rules.starts, call.account_id, limit=limit
    )
    items = [view(ctx, resource) for resource in found]
    answer = call.rules.answer
    return Reply(_success(call), fill(answer, {"items": items}) if answer is not None else items)


def _delete(call: Call) -> Reply:
    resource = call.found[call.rules.targets[-1].kind]
    shown = _shown(call, resource)
    call.ctx.rows.resources.remove(call.ctx.rows.resources.key_of(resource))
    status = _success(call)
    return Reply(status, None if status == 204 else shown)


_VERBS: Mapping[str, Callable[[Call], Reply]] = {
    "example": _example,
    "create": _create,
    "read": _read,
    "list": _list,
    "delete": _delete,
}


def _shown(call: Call, resource: Resource) -> Json:
    answer = call.rules.answer
    if answer is None:
        return view(call.ctx, resource)
    return fill(answer, view_facts(call.ctx, resource))


def view(ctx: Instant, resource: Resource) -> Json:
    """The reply body of a resource, by its `view`.

    A view is a template; `when: {state: {fields}}` inside it adds fields in some states.
    """
    shown: Json = ctx.kind_rules(resource).view or {"id": "$id", "state": "$state"}
    template: dict[str, Json] = dict(shown)
    by_state: Mapping[str, Json] = template.pop("when", {})
    facts = view_facts(ctx, resource)
    return fill({**template, **by_state.get(facts["state"], {})}, facts)


def view_facts(ctx: Instant, resource: Resource) -> dict[str, Json]:
    """What a view may name."""
    facts: dict[str, Json] = {
        "id": resource.id,
        "input": resource.doc.get("input", {}),
        "doc": resource.doc,
        "parent": resource.parent,
        "created": notations(resource.created_ms),
        "state": None,
        "ended": notations(None),
    }
    if resource.script is not None:
        facts["state"] = ctx.state(resource)
        facts["progress"] = ctx.progress(resource)
        facts["reason"] = resource.script.reason
        is_over = ctx.kind(resource).is_final
        facts["ended"] = notations(ctx.entered_ms(resource) if is_over else None)
    facts["url"] = {
        name: ctx.url(name, id=resource.id)
        for name, rules in ctx.behaviour.urls.items()
        if rules.path.count("{") == rules.path.count("{id}")
    }
    return facts


def default_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    """The video behind a URL that no function serves: that of the job named by its `{id}`.

    It has the `size`, `fps` and `duration_s` that the contract's `media` names. None while there is
    no such job that ended well.
    """
    media = ctx.behaviour.media
    if "size" not in media or "id" not in parts:
        return None
    for kind, rules in ctx.behaviour.resources.items():
        job = ctx.find(kind, parts["id"]) if rules.lifecycle is not None else None
        if job is not None and job.script is not None and ctx.kind(job) is Kind.SUCCEEDED:
            lasts_ms = media.get("duration_s", 1) * 1_000
            clip = choose_clip(*media["size"], fps=media.get("fps"), duration_ms=lasts_ms)
            return Asset(
                video_bytes(clip, stamp={"job": job.id, "world": ctx.world.id}), "video/mp4"
            )
    return None


def _facts_of(body: Json) -> dict[str, Json]:
    """The plain fields of a body, which durations and prices may depend on."""
    if not isinstance(body, dict):
        return {}
    return {name: value for name, value in body.items() if isinstance(value, (str, int, float))}
