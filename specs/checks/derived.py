"""Checks that follow from the two other files, for what checks.yaml does not say.

They make the kit usable on any contract: the smallest request of each operation by its schema, and
what `does: create`, `read` and `list` show of resources by the templates of the behaviour file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from random import Random
from urllib.parse import urlencode

from ..behaviour.operations import OperationRules
from ..contracts.contract import Contract
from ..expressions.templates import View
from ..json_types import Json
from ..openapi.generating import UngeneratedError, generate
from ..openapi.media_types import is_json, plain
from ..openapi.operations import Operation
from ..openapi.parameters import Parameter

_BODY = "$response.body#"
_JSON = "application/json"
_FILE = {"name": "file.png", "type": "image/png", "is": "png"}


def with_derived(written: Mapping[str, Json], contract: Contract) -> dict[str, Json]:
    """The parts *written* of a checks.yaml, with derived ones.

    Resources are derived as a whole, where the file says of none how it is made.
    """
    requests = {**_requests(contract), **written.get("requests", {})}
    if "makes" in written:
        return {**written, "requests": requests}
    derived = {
        "makes": _makes(contract),
        "views": _views(contract),
        "lists": _lists(contract),
        "price_facts": _price_facts(contract),
    }
    return {**derived, **written, "requests": requests}


# Requests


def _requests(contract: Contract) -> dict[str, Json]:
    """The smallest request of each operation for which one can be made."""
    plans = {name: _plan(it) for name, it in contract.operations.items()}
    found = {name: plan for name, plan in plans.items() if plan is not None}
    for name, plan in found.items():
        for target in contract.behaviour.operations[name].targets:
            place, _, field = target.id_from.partition(".")
            into = plan["query"] if place == "query" else plan.get("json", plan.get("form"))
            if place != "path" and into is not None and "." not in field:
                into[field] = f"$ids.{field}"
    return found


def _plan(operation: Operation) -> dict[str, Json] | None:
    query: dict[str, Json] = {}
    headers: dict[str, Json] = {}
    plan: dict[str, Json] = {}
    try:
        for parameter in operation.parameters:
            if not parameter.is_required or parameter.place == "path":
                continue
            text = _text_of(parameter)
            if parameter.place == "cookie":
                headers["cookie"] = f"{parameter.name}={text}"
            else:
                (query if parameter.place == "query" else headers)[parameter.name] = text
        if operation.is_body_required:
            plan = _body(operation)
    except UngeneratedError:
        return None
    if not 200 <= operation.success_status < 300:
        plan["answers"] = operation.success_status
    return {**plan, "query": query, "headers": headers}


def _text_of(parameter: Parameter) -> str:
    """The smallest value of *parameter* as a request writes it.

    Raises:
        UngeneratedError: it has none, or one that is not written as one text.
    """
    value = generate(parameter.schema, Random(0), is_smallest=True)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not parameter.schema.is_valid(parameter.read(text)) or not text.isprintable() or not text:
        raise UngeneratedError(f"{parameter.name} is not one text")
    return text


def _body(operation: Operation) -> dict[str, Json]:
    """The smallest body, of the first media type in which one can be made.

    Raises:
        UngeneratedError: there is none.
    """
    for media_type, schema in operation.bodies.items():
        name = plain(media_type)
        if is_json(name):
            value = generate(schema, Random(0), is_smallest=True)
            # Only objects have fields that the kit can vary.
            is_object = isinstance(value, dict)
            sent = {"json": value} if is_object else {"raw": json.dumps(value)}
            return sent if name == _JSON and is_object else {**sent, "type": name}
        if name == "multipart/form-data":
            fields = generate(schema, Random(0), is_smallest=True)
            binary = {it for it, field in schema.fields.named.items() if field.is_binary}
            return {"form": {it: _FILE if it in binary else value for it, value in fields.items()}}
        if name == "application/x-www-form-urlencoded":
            fields = generate(schema, Random(0), is_smallest=True)
            return {"raw": urlencode(fields), "type": name}
        if name in {"text/plain", "*/*"}:
            return {"raw": "screentest", "type": "text/plain"}
    raise UngeneratedError(f"{operation.id} takes a body of another kind")


# Resources


def _kinds(contract: Contract) -> Iterator[tuple[str, OperationRules]]:
    """Each kind that an operation creates by data, and that operation."""
    seen: set[str] = set()
    # What needs nothing in its path comes first: it can be called as it is.
    creating = sorted(
        contract.behaviour.operations.values(),
        key=lambda it: len(contract.operations[it.id].path_names),
    )
    for rules in creating:
        if rules.does == "create" and rules.starts is not None and rules.starts not in seen:
            seen.add(rules.starts)
            yield rules.starts, rules


def _makes(contract: Contract) -> dict[str, Json]:
    """How each kind is made, where the creating answer shows its id, and by a caller with a key.

    Where no operation takes a key, all callers are one account.
    """
    found: dict[str, Json] = {}
    has_keys = any(it.security for it in contract.operations.values())
    for kind, rules in _kinds(contract):
        if has_keys and not contract.operations[rules.id].security:
            continue
        at = _pointer(_shown(contract, rules, kind), "$id")
        if at is None:
            continue
        users = [it for it in contract.behaviour.operations.values() if it.targets]
        names = [
            target.id_from.rpartition(".")[2]
            for it in users
            for target in it.targets
            if target.kind == kind
        ]
        reads = [it.id for it in users if it.does == "read" and it.targets[-1].kind == kind]
        found[kind] = {
            "by": rules.id,
            "ids": dict.fromkeys(names or [f"{kind}_id"], f"{_BODY}{at}"),
            "read": reads[0] if reads else None,
        }
    return found


def _views(contract: Contract) -> dict[str, Json]:
    """What creating and reading answers, and the items of lists, show of a resource."""
    found: dict[str, Json] = {}
    for rules in contract.behaviour.operations.values():
        kind = rules.starts or rules.of or (rules.targets[-1].kind if rules.targets else None)
        if kind is None or kind not in contract.behaviour.resources:
            continue
        if rules.does in {"create", "read"}:
            view = _view(_shown(contract, rules, kind), _BODY, asked=_asked(rules))
            if view is not None and rules.does == "read":
                view |= _files(contract, _shown(contract, rules, kind))
        elif rules.does == "list":
            view = _view(_listed(contract, rules, kind), "$item#")
            items = _items(rules)
            if view is not None and items is not None:
                view["each"] = f"{_BODY}{items}"
        else:
            continue
        if view is not None:
            found[rules.id] = [{**view, "resource": kind}]
    return found


def _asked(rules: OperationRules) -> str:
    """Where a request to read a resource has its id; empty for another request."""
    if rules.does != "read" or not rules.targets:
        return ""
    place, _, name = rules.targets[-1].id_from.partition(".")
    return f"$request.{place}{'#/' if place == 'body' else '.'}{name}"


def _view(template: Json, source: str, asked: str = "") -> dict[str, Json] | None:
    """Where *template* shows the id and the state; *asked* is the id of an answer without one."""
    at = _pointer(template, "$id")
    id_ = f"{source}{at}" if at is not None else asked
    if not id_:
        return None
    view: dict[str, Json] = {"id": id_}
    state = _pointer(template, "$state")
    if state is not None:
        view["state"] = f"{source}{state}"
    return view


def _files(contract: Contract, template: Json) -> dict[str, Json]:
    """Where an answer shows the URLs of files, and what the file behind the first of them is."""
    urls = {
        name: f"{_BODY}{at}"
        for name in contract.behaviour.urls
        if (at := _somewhere(template, f"$url.{name}")) is not None
    }
    media = contract.behaviour.media
    if not urls or "size" not in media:
        return {"urls": urls}
    shown = {"at": next(iter(urls.values())), "sizes": media["size"]}
    return {"urls": urls, "media": shown}


def _lists(contract: Contract) -> dict[str, Json]:
    found: dict[str, Json] = {}
    made = _makes(contract)
    for rules in contract.behaviour.operations.values():
        kind = rules.of or rules.starts
        if rules.does != "list" or kind not in made:
            continue
        items = _items(rules)
        at = _pointer(_listed(contract, rules, kind), "$id")
        if items is None or at is None:
            continue
        found[rules.id] = {"items": f"{_BODY}{items}", "id": f"$item#{at}", "of": kind}
        names = {it.name for it in contract.operations[rules.id].parameters}
        if "limit" in names:
            found[rules.id]["limit"] = "limit"
    return found


def _shown(contract: Contract, rules: OperationRules, kind: str) -> Json:
    """The template of the answer of an operation that makes or reads a resource of *kind*."""
    view = _source(contract.behaviour.resources[kind].view) or {"id": "$id", "state": "$state"}
    return view if rules.answer is None else _filled(_source(rules.answer), view)


def _listed(contract: Contract, rules: OperationRules, kind: str) -> Json:
    """The template of an item of a list."""
    return _source(rules.item) or _source(contract.behaviour.resources[kind].view)


def _items(rules: OperationRules) -> str | None:
    """Where the answer of a list has its items."""
    return _pointer(_source(rules.answer), "$items") if rules.answer is not None else ""


def _source(view: View | None) -> Json:
    if view is None or not view.changes:
        return view.always.source if view is not None else None
    return {**view.always.source, "when": {state: it.source for state, it in view.changes.items()}}


def _filled(template: Json, view: Json) -> Json:
    """*template* with the view of its resource in place of `$view`."""
    if isinstance(template, dict):
        return {name: _filled(it, view) for name, it in template.items()}
    return view if template == "$view" else template


def _somewhere(template: Json, fact: str) -> str | None:
    """Where *template* shows *fact*, in any state."""
    if not isinstance(template, dict):
        return "" if template == fact else None
    for state in template.get("when", {}).values():
        at = _somewhere(state, fact)
        if at is not None:
            return at
    return _below(template, fact, _somewhere, skipped=frozenset({"when"}))


def _pointer(template: Json, fact: str) -> str | None:
    """Where *template* shows *fact* in every state, as a JSON pointer; None where it does not."""
    if not isinstance(template, dict):
        return "" if template == fact else None
    varied = {name for fields in template.get("when", {}).values() for name in fields}
    return _below(template, fact, _pointer, skipped=varied | {"when"})


def _below(
    template: Mapping[str, Json],
    fact: str,
    find: Callable[[Json, str], str | None],
    *,
    skipped: Collection[str],
) -> str | None:
    for name, inner in template.items():
        at = find(inner, fact) if name not in skipped else None
        if at is not None:
            step = name.replace("~", "~0").replace("/", "~1")
            return f"/{step}{at}"
    return None


# Prices


def _price_facts(contract: Contract) -> dict[str, Json]:
    """Where a request has each number of a price, and between which bounds its schema keeps it."""
    found: dict[str, Json] = {}
    for name, rules in contract.behaviour.operations.items():
        if rules.price is None or rules.price.table is not None:
            continue
        schemas = contract.operations[name].bodies.values()
        fields = {key: it for schema in schemas for key, it in schema.fields.named.items()}
        facts: dict[str, Json] = {}
        for fact in sorted(rules.price.formula.roots & fields.keys()):
            bounds = fields[fact].bounds
            if bounds is not None:
                facts[fact] = {"from": f"$request.body#/{fact}", "only": bounds}
            default = (rules.price.defaults or {}).get(fact)
            if fact in facts and default is not None:
                facts[fact]["default"] = default
        if facts:
            found[name] = facts
    return found
