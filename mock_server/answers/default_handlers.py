"""What an operation does when its provider has no function for it: what the contract says.

`does: create, read, list, delete` work on the resources and views of the behaviour file; anything
else answers the documented example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from screentest.specs.json_types import Json

from ..engine.provider import Call, Reply
from ..engine.views import view, view_facts
from ..kernel.rows import Resource
from ..kernel.templates import fill
from .made_answers import answer_unbehaved, made_reply

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


def _facts_of(body: Json) -> dict[str, Json]:
    """The plain fields of a body, which durations and prices may depend on."""
    if not isinstance(body, dict):
        return {}
    return {name: value for name, value in body.items() if isinstance(value, (str, int, float))}
