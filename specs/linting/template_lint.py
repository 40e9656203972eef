"""Mistakes in the templates of a behaviour file: bad expressions, and unknown names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ..behaviour.behaviour import Behaviour
from ..behaviour.fact_names import OF_CALLS, OF_LISTS, OF_RESOURCES, OF_WORLDS, known_names
from ..behaviour.operations import OperationRules, ResourceKind
from ..behaviour.outputs import FileRules
from ..behaviour.reasons import REASONS
from ..contracts.contract import Contract
from ..errors import ContractError, no_such
from ..expressions.expressions import unknown_names
from ..expressions.templates import Template, View
from ..openapi.operations import Operation

_TIMES = ("ms", "s", "iso", "iso_s", "iso_us")
#: A view that named itself would never end.
_OWN_VIEW = {"view", "view.*"}


def problems_of_templates(contract: Contract) -> Iterator[str]:
    """What is wrong with the templates of *contract*, each with its place."""
    rules = contract.behaviour
    world = _names_of(rules, OF_WORLDS)
    view = world | _names_of(rules, OF_RESOURCES)
    for name, kind in rules.resources.items():
        view = {*world, *_names_of(rules, OF_RESOURCES), *_let_names(kind)}
        for part in sorted(known_names(OF_WORLDS, OF_RESOURCES, OF_CALLS) & kind.let.keys()):
            yield f"at resources/{name}/let/{part}: there is a fact of that name; choose another"
        for part, value in kind.let.items():
            yield from _bad(value, view, f"resources/{name}/let/{part}")
        yield from _bad(kind.state, view, f"resources/{name}/state")
        yield from _bad(kind.detail, view, f"resources/{name}/detail")
        states = kind.lifecycle.states if kind.lifecycle is not None else None
        yield from _bad_view(kind.view, view - _OWN_VIEW, f"resources/{name}/view", states)
    for name, url in rules.urls.items():
        if url.file is not None:
            yield from _bad_file(url.file, view, f"urls/{name}/file")
    for id_, operation in rules.operations.items():
        yield from _bad_operation(rules, operation, contract.operations[id_])
    if rules.webhooks is not None and not contract.has_functions:
        yield from _bad_webhooks(rules, {f"job.{it}" for it in view})
    yield from _bad(rules.refusal_body, None, "refusals/body")
    for reason, reply in rules.refusals.items():
        # A provider's functions may give webhooks and refusals further facts.
        is_known = reason in REASONS and not contract.has_functions
        names = {*REASONS[reason].facts, "message", "field"} if is_known else None
        texts = Template({"message": reply.message, "headers": reply.headers})
        yield from _bad(texts, names, f"refusals/replies/{reason}")
        yield from _bad(reply.body, names, f"refusals/replies/{reason}/body")
    for name, stream in rules.streams.items():
        for event in (*stream.events, stream.on_error):
            yield from _bad(Template(event), None, f"streams/{name}")


def _let_names(kind: ResourceKind) -> set[str]:
    return {it for name in kind.let for it in (name, f"{name}.*")}


def _bad_operation(rules: Behaviour, operation: OperationRules, shape: Operation) -> Iterator[str]:
    at = f"operations/{operation.id}"
    before = _names_of(rules, OF_WORLDS) | _names_of_call(operation, shape)
    resource = _names_of(rules, OF_WORLDS) | _names_of(rules, OF_RESOURCES)
    about = operation.targets[-1].kind if operation.targets else operation.of or operation.starts
    for name in {about, operation.of, operation.starts} - {None}:
        resource |= _let_names(rules.resources[name or ""])
    for name, value in operation.let.items():
        yield from _bad(value, before, f"{at}/let/{name}")
        before |= {name, f"{name}.*"}
    everything = before | resource
    first = before if operation.does in {"create", "list", None, "example"} else everything
    for number, refused in enumerate(operation.refuses):
        yield from _bad(refused.when, first, f"{at}/refuses/{number}/when")
        yield from _bad(refused.facts, first, f"{at}/refuses/{number}/facts")
    for name in ("keeps", "parent"):
        yield from _bad(getattr(operation, name), first, f"{at}/{name}")
    if operation.price is not None:
        yield from _bad(operation.price.facts, before, f"{at}/price/facts")
    for name in ("account", "revokes"):
        yield from _bad(getattr(operation, name), before, f"{at}/{name}")
    for name, key in operation.issues.items():
        yield from _bad(key.name, before, f"{at}/issues/{name}/name")
        if key.credential not in rules.credentials:
            detail = no_such("credential", key.credential, rules.credentials)
            yield f"at {at}/issues/{name}: {detail}"
    yield from _bad_view(operation.item, resource, f"{at}/item")
    if operation.page is not None:
        for name in ("limit", "after", "offset", "rising", "unknown"):
            yield from _bad(getattr(operation.page, name), before, f"{at}/page/{name}")
        yield from _bad(operation.page.where, resource, f"{at}/page/where")
    if operation.file is not None:
        yield from _bad_file(operation.file, everything, f"{at}/file")
    last = before | {*known_names(OF_LISTS)} if operation.does == "list" else everything
    yield from _bad_view(operation.answer, last, f"{at}/answer")
    yield from _bad(operation.envelope, {*last, "made", "made.*"}, f"{at}/envelope")
    for name in ("headers", "status"):
        yield from _bad(getattr(operation, name), last, f"{at}/{name}")
    status = operation.status.source if operation.status is not None else None
    if isinstance(status, int) and shape.reply(status) is None:
        yield f"at {at}/status: {no_such('reply', str(status), shape.replies)}"


def _bad_file(file: FileRules, known: Collection[str], at: str) -> Iterator[str]:
    for name in ("size", "still", "fps", "seconds", "stamp"):
        yield from _bad(getattr(file, name), known, f"{at}/{name}")


def _bad_webhooks(rules: Behaviour, job: Collection[str]) -> Iterator[str]:
    webhooks = rules.webhooks
    assert webhooks is not None
    event = {"id", "type", "created", *(f"created.{it}" for it in _TIMES), *job}
    for type_, it in webhooks.events.items():
        yield from _bad(it.data, event, f"webhooks/events/{type_}/data")
    yield from _bad(webhooks.body, {*event, "data", "data.*"}, "webhooks/body")
    for name in ("address", "only"):
        yield from _bad(getattr(webhooks, name), job, f"webhooks/{name}")
    sent = {"id", "type", "attempt", "body", *(f"timestamp.{it}" for it in _TIMES)}
    yield from _bad(Template(webhooks.signed), sent, "webhooks/signed")
    signed = {*sent, "signature.hex", "signature.base64"}
    yield from _bad(Template(dict(webhooks.headers)), signed, "webhooks/headers")


def _names_of(rules: Behaviour, table: Mapping[str, str]) -> set[str]:
    """The names of *table*, with what this contract has inside them."""
    plain = {name for name, it in rules.urls.items() if set(_parts(it.path)) == {"id"}}
    inside: Mapping[str, Collection[str]] = {
        "facts": rules.facts,
        "media": rules.media,
        "reading": rules.interpretations,
        "url": plain,
        "bytes": [name for name, it in rules.urls.items() if it.file is not None],
    }
    names = {*known_names(table)} - {f"{name}.*" for name in inside}
    for root, known in inside.items():
        if f"{root}.*" in table:
            names |= {root, *(f"{root}.{it}" for it in known)}
            names |= {f"{root}.{it}.*" for it in known} if root in {"facts", "media"} else set()
    return names


def _parts(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _names_of_call(rules: OperationRules, shape: Operation) -> set[str]:
    fields = {name for it in shape.bodies.values() for name in it.fields.named}
    inside: Mapping[str, Collection[str]] = {
        "path": _parts(shape.path),
        "query": [it.name for it in shape.parameters if it.place == "query"],
        "body": fields,
        "found": [it.kind for it in rules.targets],
    }
    names = {*known_names(OF_CALLS)} - {f"{name}.*" for name, it in inside.items() if it}
    for root, known in inside.items():
        names |= {root, *(it for name in known for it in (f"{root}.{name}", f"{root}.{name}.*"))}
    return names


def _bad_view(
    view: View | None,
    known: Collection[str],
    at: str,
    states: Collection[str] | None = None,
) -> Iterator[str]:
    if view is None:
        return
    yield from _bad(view.always, known, at)
    for state, template in view.changes.items():
        yield from _bad(template, known, f"{at}/when/{state}")
        if states is not None and state not in states:
            yield f"at {at}/when/{state}: {no_such('state', state, states)}"


def _bad(template: Template | None, known: Collection[str] | None, at: str) -> Iterator[str]:
    """The mistakes of *template*. None of *known*: its facts are not part of the contract."""
    if template is None:
        return
    try:
        names = template.names
    except ContractError as error:
        yield from (f"at {at}/{it}" for it in error.problems)
        return
    if known is None:
        return
    unknown = unknown_names(names, known)
    shown = [name for name in known if not name.endswith(".*")]
    yield from (f"at {at}: {no_such('fact', name, shown)}" for name in unknown)
