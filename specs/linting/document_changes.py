"""What a vendor's new OpenAPI document changes in what a behaviour file relies on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from msgspec import Struct

from ..behaviour.behaviour import Behaviour
from ..behaviour.operations import OperationRules
from ..contracts.contract import Contract
from ..expressions.templates import View
from ..json_types import Json
from ..openapi.documents import Documents
from ..openapi.fields import Fields
from ..openapi.media_types import is_json
from ..openapi.operations import Operation, compile_operations

_DEPTH_MAX = 12
_LISTED_MAX = 20


class Change(Struct, frozen=True):
    """One change. *place* is a JSON pointer into the behaviour file, which it *breaks* or not."""

    place: str
    detail: str
    breaks: bool = True


def changes_of(contract: Contract, document: Json) -> Iterator[Change]:
    """The changes between the document of *contract* and *document*, which may take its place."""
    new = compile_operations(Documents(contract.provider, document))
    yield from _schemes(contract, document)
    for id_, rules in contract.behaviour.operations.items():
        if not rules.is_unbehaved:
            place = f"/operations/{id_}"
            before, now = contract.operations[id_], new.get(id_)
            if now is None:
                yield Change(place, _where_now(before, new))
            else:
                yield from _Compared(contract.behaviour, rules, before, now, place).changes()
    known = contract.operations
    added = [f"{id_} ({it.method} {it.path})" for id_, it in new.items() if id_ not in known]
    if added:
        more = f" and {len(added) - _LISTED_MAX} more" if len(added) > _LISTED_MAX else ""
        listed = ", ".join(added[:_LISTED_MAX])
        yield Change("/operations", f"new operations: {listed}{more}", breaks=False)


def _schemes(contract: Contract, document: Json) -> Iterator[Change]:
    before = contract.document.get("components", {}).get("securitySchemes", {})
    now = document.get("components", {}).get("securitySchemes", {})
    for name in contract.behaviour.credentials:
        if name not in now:
            yield Change(f"/credentials/{name}", f"the security scheme {name!r} is gone")
        elif _place_of(before.get(name)) != _place_of(now[name]):
            detail = f"the key is now {_place_of(now[name])}, and was {_place_of(before.get(name))}"
            yield Change(f"/credentials/{name}", detail)


def _place_of(scheme: Json) -> str:
    words = ("type", "in", "name", "scheme")
    return " ".join(str(scheme[it]) for it in words if it in (scheme or {}))


def _where_now(before: Operation, new: Mapping[str, Operation]) -> str:
    same = [it.id for it in new.values() if (it.method, it.path) == (before.method, before.path)]
    called = f"; it is now called {same[0]!r}" if same else ""
    return f"{before.method} {before.path} is gone{called}"


class _Compared(Struct, frozen=True):
    """One operation in both documents."""

    behaviour: Behaviour
    rules: OperationRules
    before: Operation
    now: Operation
    place: str

    def changes(self) -> Iterator[Change]:
        before, now, place = self.before, self.now, self.place
        if (before.method, before.path) != (now.method, now.path):
            detail = f"moved from {before.method} {before.path} to {now.method} {now.path}"
            yield Change(place, detail, breaks=False)
        for number, target in enumerate(self.rules.targets):
            root, _, name = target.id_from.partition(".")
            if root == "path" and f"{{{name}}}" not in now.path:
                detail = f"the path has no parameter {name!r} any more: {now.path}"
                yield Change(f"{place}/acts_on/{number}/id", detail)
        if sorted(before.security_sets) != sorted(now.security_sets):
            detail = f"takes {_sets(now)}, and took {_sets(before)}"
            yield Change(place, detail)
        yield from self._statuses()
        yield from self._request()
        yield from self._answer()

    def _statuses(self) -> Iterator[Change]:
        used = {it.status for it in self.behaviour.refusals.values()}
        used |= {self.before.success_status}
        gone = [
            str(it)
            for it in sorted(used)
            if self.before.reply(it) is not None and self.now.reply(it) is None
        ]
        if gone:
            yield Change(self.place, f"does not document {', '.join(gone)} any more")
        added = sorted(self.now.replies.keys() - self.before.replies.keys())
        if added:
            yield Change(self.place, f"documents {', '.join(added)} as well", breaks=False)

    def _request(self) -> Iterator[Change]:
        before, now = _sent(self.before), _sent(self.now)
        named = {name for name in self._facts() if name in before}
        for name in sorted(named - now.keys()):
            yield Change(self.place, f"the request has no field {name!r} any more")
        for name in sorted(named & now.keys()):
            if not _is_alike(before[name], now[name]):
                detail = f"{name!r} in the request is {_types(now[name])} now, and was"
                yield Change(self.place, f"{detail} {_types(before[name])}")

    def _facts(self) -> Iterator[str]:
        """The fields of the request that the rules name."""
        rules = self.rules
        names = {it.partition(".")[2].partition(".")[0] for it in self._names()}
        if rules.price is not None:
            deciding = rules.price.table.by if rules.price.table is not None else ()
            names |= {it.partition(".")[0] for it in (*rules.price.formula.names, *deciding)}
        yield from names

    def _names(self) -> Iterator[str]:
        rules = self.rules
        templates = [rules.keeps, rules.parent, rules.headers, *rules.let.values()]
        templates += [it.when for it in rules.refuses]
        resource = self.behaviour.resources.get(rules.starts or "")
        for view in (rules.answer, rules.item, resource.view if resource is not None else None):
            if view is not None:
                templates += [view.always, *view.changes.values()]
        for it in templates:
            names = it.names if it is not None else ()
            yield from (name for name in names if name.startswith(("input.", "body.")))

    def _answer(self) -> Iterator[Change]:
        before, now = _answered(self.before), _answered(self.now)
        shown = self._shown()
        if before is not None and now is not None and shown is not None:
            yield from self._fields(before, now, shown, "")

    def _shown(self) -> Json:
        """What the answer shows, as templates; None where no template says it."""
        rules = self.rules
        kind = rules.targets[-1].kind if rules.targets else rules.starts
        resource = self.behaviour.resources.get(rules.starts or rules.of or kind or "")
        view = _whole(resource.view) if resource is not None else None
        if rules.does == "list":
            items = [_whole(rules.item) if rules.item is not None else view]
            return _put(_whole(rules.answer), "$items", items) if rules.answer else items
        return _put(_whole(rules.answer), "$view", view) if rules.answer is not None else view

    def _fields(self, before: Fields, now: Fields, shown: Json, at: str) -> Iterator[Change]:
        if at.count(".") > _DEPTH_MAX:
            return
        if isinstance(shown, list):
            for it in shown[:1]:
                yield from self._fields(before.elements, now.elements, it, f"{at}[]")
            return
        if shown == "$state":
            yield from self._states(before, now)
        if not isinstance(shown, dict):
            return
        for name, it in shown.items():
            old, new = before.properties.get(name), now.properties.get(name)
            where = f"{at}.{name}" if at else name
            if old is None:
                continue
            if new is None:
                yield Change(self.place, f"the answer has no field {where!r} any more")
            elif not _is_alike(old, new):
                detail = f"{where!r} in the answer is {_types(new)} now, and was {_types(old)}"
                yield Change(self.place, detail)
            else:
                yield from self._fields(old, new, it, where)
        for name in now.required:
            if name not in shown and name not in before.required:
                where = f"{at}.{name}" if at else name
                yield Change(self.place, f"the answer must have {where!r}, which nothing shows")

    def _states(self, before: Fields, now: Fields) -> Iterator[Change]:
        kind = self.rules.starts or self.rules.of
        kind = self.rules.targets[-1].kind if kind is None and self.rules.targets else kind
        lifecycle = self.behaviour.lifecycle_of(kind or "")
        if lifecycle is None or not now.choices:
            return
        place = f"/lifecycles/{lifecycle.name}/states"
        for state in lifecycle.states:
            if state not in now.choices and (not before.choices or state in before.choices):
                yield Change(f"{place}/{state}", f"{self.now.id} has no state {state!r} any more")
        new = [it for it in now.choices if it is not None and it not in before.choices]
        for state in new if before.choices else ():
            if state not in lifecycle.states:
                yield Change(place, f"{self.now.id} has a new state {state!r}", breaks=False)


def _sets(operation: Operation) -> str:
    return " or ".join(" + ".join(it) or "no key" for it in operation.security_sets) or "no key"


def _sent(operation: Operation) -> Mapping[str, Fields]:
    found: dict[str, Fields] = {}
    for schema in operation.bodies.values():
        found |= schema.fields.properties
    return found


def _answered(operation: Operation) -> Fields | None:
    shape = operation.reply(operation.success_status)
    schemas = [it for name, it in shape.content.items() if is_json(name)] if shape else []
    return schemas[0].fields if schemas and schemas[0] is not None else None


def _whole(view: View | None) -> Json:
    """The fields of *view* in all states."""
    if view is None:
        return None
    whole: Json = view.always.source
    for template in view.changes.values():
        whole = {**template.source, **whole} if isinstance(whole, dict) else whole
    return whole


def _put(template: Json, name: str, value: Json) -> Json:
    """*template* with *value* where it names the fact *name*."""
    if template == name:
        return value
    if isinstance(template, dict):
        return {key: _put(it, name, value) for key, it in template.items()}
    if isinstance(template, list):
        return [_put(it, name, value) for it in template]
    return template


def _is_alike(before: Fields, now: Fields) -> bool:
    """Whether a value of *before* may be one of *now*."""
    return not before.types or not now.types or before.types <= now.types | _wider(now.types)


def _wider(types: Set[str]) -> frozenset[str]:
    return frozenset({"integer"}) if "number" in types else frozenset()


def _types(fields: Fields) -> str:
    return " or ".join(sorted(fields.types)) or "anything"
