"""What an operation does when its provider has no function for it: what the contract says.

`does: create, read, list, update, delete, file` work on the resources and views of the behaviour
file; anything else answers the documented example, or `answer` where the contract has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from screentest.specs.behaviour.operations import Page
from screentest.specs.expressions.operators import ABSENT, is_number
from screentest.specs.expressions.templates import Template
from screentest.specs.json_types import Json

from ..engine.facts import Facts, call_facts, resource_facts
from ..engine.provider import Call, EventStream, Handler, Refusal, Reply
from ..engine.steps import cancel
from ..engine.views import file_of, view
from ..kernel.rows import Resource
from ..media.ranges import part_of
from .made_answers import answer_unbehaved, made_reply
from .refusals import shape_refusal

_LISTED_MAX = 100


def answer_from_contract(call: Call) -> Reply | EventStream:
    """Do what the contract says of this operation.

    Raises:
        RefusedError: one of its own refusals applies.
    """
    if call.rules.is_unbehaved:
        return answer_unbehaved(call)
    return _VERBS.get(call.rules.does or "example", _example)(call)


def ordered_failure(call: Call) -> Reply | None:
    """The refusal of an operation with a `failure`, where a fault or a directive says so.

    It is returned, not raised, because a raised refusal would undo that the fault was applied.
    """
    if call.rules.failure is None:
        return None
    where = {"operation": call.operation.id, "account": call.account_id}
    fault, directive = call.ctx.apply_fault("job_failure", where), call.directive
    if fault is None and (directive is None or directive.verb != "fail"):
        return None
    asked = fault.attributes.get("reason") if fault is not None else None
    asked = asked or (directive.text if directive is not None else "") or call.rules.failure
    price = call.rules.price
    if price is not None and price.kept_on_error and call.cost is not None:
        ctx = call.ctx
        ctx.ledger.charge(call.account_id, call.cost.amount, ctx.now_ms, None, ctx.number)
    reply = shape_refusal(call, Refusal("failed", {"problem": asked}))
    reply.refusal = None
    return reply


def _example(call: Call) -> Reply:
    if call.rules.answer is not None:
        return _reply(call, _facts(call), None)
    status = int(call.rules.status.source) if call.rules.status is not None else None
    status = status or call.operation.success_status
    shape = call.operation.reply(status)
    if shape is None or shape.example is None:
        return made_reply(call, status)
    return Reply(status, shape.example)


def _create(call: Call) -> Reply | EventStream:
    rules, facts = call.rules, _facts(call)
    doc = {**_facts_of(call.body), "input": call.body}
    if rules.keeps is not None:
        doc = rules.keeps.fill(facts)
    parent = rules.parent.fill(facts) if rules.parent is not None else None
    if rules.starts is not None:
        made = call.start(doc, parent=parent)
    else:
        assert rules.of is not None, rules.id
        made = call.ctx.add(rules.of, call.account_id, doc, parent=parent)
    if rules.id in call.ctx.behaviour.streams:
        return EventStream(made)
    return _reply(call, _about(call, made, facts), made)


def _read(call: Call) -> Reply:
    facts = _facts(call)
    return _reply(call, facts, _target(call))


def _list(call: Call) -> Reply:
    rules, facts, ctx = call.rules, _facts(call), call.ctx
    kind, page = rules.of or rules.starts, rules.page
    assert kind is not None, rules.id
    if page is not None:
        limit = _count(_filled(page.limit, facts))
    else:
        asked = _count(call.query.get("limit"))
        limit = min(asked, _LISTED_MAX) if asked is not None else _LISTED_MAX
    found = [*islice(_listed(call, kind, page, facts), limit + 1 if limit is not None else None)]
    facts["has_more"] = limit is not None and len(found) > limit
    if rules.answer is not None and "total" in rules.answer.always.names:
        every = Page(where=page.where if page is not None else None)
        facts["total"] = sum(1 for _ in _listed(call, kind, every, facts))
    if rules.item is not None:
        facts["items"] = [rules.item.fill(resource_facts(ctx, it)) for it in found[:limit]]
    else:
        facts["items"] = [view(ctx, it) for it in found[:limit]]
    if rules.answer is None:
        return Reply(_status(call, facts), facts["items"])
    return _reply(call, facts, None)


def _listed(call: Call, kind: str, page: Page | None, facts: Facts) -> Iterator[Resource]:
    """The resources of a list from the beginning of its page on."""
    page = page or Page()
    cursor = _cursor(call, kind, page, facts)
    is_rising = _filled(page.rising, facts) is True
    is_plain = page.where is None and page.offset is None
    limit = _count(_filled(page.limit, facts)) if is_plain else None
    found = call.ctx.rows.resources.of_account(
        call.ctx.provider,
        kind,
        call.account_id,
        before_seq=None if is_rising else cursor,
        after_seq=cursor if is_rising else None,
        newest_first=not is_rising,
        limit=limit + 1 if limit is not None else None,
    )
    where = page.where
    chosen = (
        it for it in found if where is None or where.fill(resource_facts(call.ctx, it)) is True
    )
    return islice(chosen, _count(_filled(page.offset, facts)) or 0, None)


def _count(value: Json) -> int | None:
    """*value* as a number of resources. None unless it is a number: schemas may permit others."""
    return max(int(value), 0) if is_number(value) else None


def _cursor(call: Call, kind: str, page: Page, facts: Facts) -> int | None:
    """The number of the resource behind which the page starts.

    Raises:
        RefusedError: the account has no such resource, and the contract refuses that.
    """
    after = _filled(page.after, facts)
    if after is None:
        return None
    read = call.provider.id_readers.get(kind)
    resource = call.ctx.find(kind, read(call.ctx, after) if read is not None else after)
    if resource is not None and resource.account == call.account_id:
        return resource.seq
    reason = _filled(page.unknown, facts)
    if reason is None:
        return None
    raise call.refuse(reason, id=after)


def _update(call: Call) -> Reply:
    facts = _facts(call)
    assert call.rules.keeps is not None, call.rules.id
    changed = call.ctx.save(_target(call), call.rules.keeps.fill(facts))
    return _reply(call, _about(call, changed, facts), changed)


def _cancel(call: Call) -> Reply:
    facts = _facts(call)
    canceled = cancel(call.provider, call.ctx, _target(call))
    return _reply(call, _about(call, canceled, facts), canceled)


def _delete(call: Call) -> Reply:
    facts, resource = _facts(call), _target(call)
    reply = _reply(call, facts, resource)
    call.ctx.rows.resources.remove(call.ctx.rows.resources.key_of(resource))
    return reply


def _file(call: Call) -> Reply:
    """The file of a resource, or the part of it that the request asks for."""
    facts, rules = _facts(call), call.rules.file
    assert rules is not None, call.rules.id
    file = file_of(rules, facts, _target(call).id)
    part = part_of(file.content, call.request.headers)
    headers = {**part.headers, **(_filled(call.rules.headers, facts) or {})}
    return Reply(part.status, part.content or None, headers, file.content_type)


def _issue(call: Call) -> Reply:
    facts = _facts(call)
    for name in call.rules.issues:
        _ = facts["issued"][name]
    return _reply(call, facts, None)


def _revoke(call: Call) -> Reply:
    facts = _facts(call)
    call.ctx.rows.keys.deactivate(_filled(call.rules.revokes, facts))
    return _reply(call, facts, None)


_VERBS: Mapping[str, Handler] = {
    "example": _example,
    "create": _create,
    "read": _read,
    "list": _list,
    "update": _update,
    "cancel": _cancel,
    "delete": _delete,
    "file": _file,
    "issue": _issue,
    "revoke": _revoke,
}


#: What is done to the resource that the operation acts on, whose facts are then those at the top.
_ACTING = frozenset({"read", "update", "cancel", "delete", "file"})


def _target(call: Call) -> Resource:
    return call.found[call.rules.targets[-1].kind]


def _facts(call: Call) -> Facts:
    """The facts of this call and of what it acts on, with the values that the operation names.

    Raises:
        RefusedError: one of the operation's own refusals applies.
    """
    is_about = call.rules.does in _ACTING and call.rules.targets
    facts = call_facts(call, _target(call) if is_about else None)
    for name, value in call.rules.let.items():
        found = value.fill(facts)
        facts[name] = found if found is not ABSENT else None
    for refused in call.rules.refuses:
        if refused.when.fill(facts) is True:
            raise call.refuse(refused.reason, **(_filled(refused.facts, facts) or {}))
    return facts


def _about(call: Call, resource: Resource, before: Facts) -> Facts:
    """The facts once the call has made or changed *resource*."""
    facts = call_facts(call, resource)
    facts.update((name, before[name]) for name in call.rules.let)
    return facts


def _filled(template: Template | None, facts: Facts) -> Json:
    return template.fill(facts) if template is not None else None


def _status(call: Call, facts: Facts) -> int:
    status = call.rules.status
    return status.fill(facts) if status is not None else call.operation.success_status


def _reply(call: Call, facts: Facts, resource: Resource | None) -> Reply:
    answer, status = call.rules.answer, _status(call, facts)
    if status == 204:
        body = None
    elif answer is not None:
        body = answer.fill(facts)
    else:
        body = facts["view"] if resource is not None else None
    if call.rules.envelope is not None:
        facts["made"] = body
        body = call.rules.envelope.fill(facts)
    if call.rules.headers is None:
        return Reply(status, body)
    return Reply(
        status, body, {name: str(it) for name, it in _filled(call.rules.headers, facts).items()}
    )


def _facts_of(body: Json) -> dict[str, Json]:
    """The plain fields of a body, which durations and prices may depend on."""
    if not isinstance(body, dict):
        return {}
    return {name: value for name, value in body.items() if isinstance(value, (str, int, float))}
