"""Read checks.yaml: check its form and its names, fill the structs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from msgspec import ValidationError, convert
from msgspec.structs import replace

from ..clauses.clauses import ids_in, read_clauses
from ..contracts.contract import Contract
from ..errors import ContractError, UnknownNameError
from ..files import CHECKS
from ..formats import check_form, named
from ..json_types import Json
from .checks import Checks
from .derived import with_derived

#: Lists whose items are named by their place, with the first word of these names.
_NUMBERED = {"refused": "refused", "accepted": "accepted", "relations": "relation"}
#: Parts of requests, in which any name may be a field.
_SENT = frozenset({"json", "form", "query"})


@lru_cache(64)
def load_checks(contract: Contract) -> Checks:
    """The checks of *contract* under its readings, read on first use and kept.

    What they do not say is derived from the rest of the contract.

    Raises:
        ContractError: they break their schema, or name what does not exist.
    """
    path = contract.folder / CHECKS
    raw = contract.content(CHECKS) or {"requests": {}}
    check_form(raw, path)
    try:
        parts = in_force(_named(raw), contract)
    except UnknownNameError as error:
        raise ContractError(f"{path}: when: {error}") from None
    if "unwraps" in parts:
        rules = parts.pop("unwraps")
        kept = {name: parts["requests"][name] for name in rules["but"]}
        parts = _unwrapped(parts, rules["field"])
        parts["requests"] |= kept
    if "answers_in" in parts:
        field = parts.pop("answers_in")
        parts = {
            name: it if name == "refused" else _wrapped(it, field) for name, it in parts.items()
        }
    try:
        checks = replace(_checks(with_derived(parts, contract)), clauses=read_clauses(contract))
    except ValidationError as error:
        raise ContractError(f"{path}: {error}") from None
    _check_names(path, checks, contract)
    return checks


def _named(raw: Json) -> Json:
    """*raw* with the names of examples and relations, which are their places in the file."""
    named = {
        group: [{**it, "name": f"{prefix}.{number}"} for number, it in enumerate(raw[group], 1)]
        for group, prefix in _NUMBERED.items()
        if group in raw
    }
    return {**raw, **named}


def in_force(value: Json, contract: Contract) -> Json:
    """*value* without the parts whose `when` names other readings than those of *contract*.

    A `source` becomes a list.
    """
    if isinstance(value, list):
        return [in_force(it, contract) for it in value if _holds(it, contract)]
    if not isinstance(value, dict):
        return value
    return {
        name: ids_in(it) if name == "source" else it if name in _SENT else in_force(it, contract)
        for name, it in value.items()
        if name != "when" and _holds(it, contract)
    }


def _holds(value: Json, contract: Contract) -> bool:
    condition = value.get("when", {}) if isinstance(value, dict) else {}
    return all(
        contract.reading_of(name) in (wanted if isinstance(wanted, list) else [wanted])
        for name, wanted in condition.items()
    )


def _unwrapped(value: Json, envelope: str) -> Json:
    """*value* with request bodies taken out of their field *envelope*."""
    if isinstance(value, str):
        bare = value.replace(f"$request.body#/{envelope}/", "$request.body#/")
        return bare.removeprefix(f"{envelope}.")
    if isinstance(value, list):
        return [_unwrapped(it, envelope) for it in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {envelope}:
        return _unwrapped(value[envelope], envelope)
    return {_unwrapped(name, envelope): _unwrapped(it, envelope) for name, it in value.items()}


def _wrapped(value: Json, envelope: str) -> Json:
    """*value* with expressions that look for the content of answers in their field *envelope*."""
    if isinstance(value, str):
        return value.replace("$response.body#/", f"$response.body#/{envelope}/")
    if isinstance(value, list):
        return [_wrapped(it, envelope) for it in value]
    if not isinstance(value, dict):
        return value
    return {_wrapped(name, envelope): _wrapped(it, envelope) for name, it in value.items()}


def _checks(raw: Json) -> Checks:
    filled: dict[str, Json] = {
        "makes": named(raw.get("makes", {}), "kind"),
        "lists": named(raw.get("lists", {}), "operation"),
        "flows": named(raw.get("flows", {}), "name"),
        "views": {
            operation: [{**it, "operation": operation} for it in views]
            for operation, views in raw.get("views", {}).items()
        },
        "also": {rule_id: ids_in(it) for rule_id, it in raw.get("also", {}).items()},
    }
    for it in filled["lists"].values():
        # The first of the ids of a resource is its own.
        it.setdefault("as", next(iter(raw["makes"][it["of"]]["ids"])))
    return convert({**raw, **filled}, Checks)


def _check_names(path: Path, checks: Checks, contract: Contract) -> None:
    """Every name that the file uses exists in the contract."""
    behaviour = contract.behaviour
    operations = [
        *checks.requests,
        *checks.views,
        *checks.lists,
        *checks.price_facts,
        *checks.unreachable,
        *checks.may_refuse,
        *(it.operation for it in checks.refused),
        *(it.operation for it in checks.accepted),
        *(it.operation for it in checks.relations),
        *(name for it in checks.flows.values() for name in it.operations),
        *(make.by for make in checks.makes.values()),
        *(make.read for make in checks.makes.values() if make.read is not None),
    ]
    for name in operations:
        if name not in contract.operations:
            raise ContractError(f"{path}: there is no operation {name!r}")
    for views in checks.views.values():
        for view in views:
            if view.resource not in {*behaviour.resources, *checks.makes}:
                raise ContractError(f"{path}: there is no resource {view.resource!r}")
            for url in view.urls:
                if url not in behaviour.urls:
                    raise ContractError(f"{path}: there is no kind of URL {url!r}")
    for example in checks.refused:
        if example.because not in behaviour.refusals and example.status is None:
            raise ContractError(f"{path}: there is no refusal {example.because!r}")
    for make in checks.makes.values():
        if make.needs is not None and make.needs not in checks.makes:
            raise ContractError(f"{path}: {make.kind!r} needs unknown {make.needs!r}")
