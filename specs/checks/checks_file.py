"""Read the `checks` section of a behaviour file: check its form and its names, fill the structs."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import jsonschema_rs
from msgspec import convert
from msgspec.structs import replace

from ..clauses.clauses import ids_in, read_clauses
from ..contracts.contract import Contract
from ..errors import ContractError, UnknownNameError
from ..json_types import Json
from .checks import Checks, RequestPlan
from .flows import read_flows

SCHEMA_FILE = Path(__file__).with_name("checks.schema.json")
#: Lists whose items are named by their place, with the first word of these names.
_NUMBERED = {"refused": "refused", "accepted": "accepted", "relations": "relation"}


@lru_cache(64)
def load_checks(contract: Contract) -> Checks:
    """The checks of *contract* under its readings, read on first use and kept.

    Raises:
        ContractError: there are none, or they break their schema or name what does not exist.
    """
    path = contract.folder / "behaviour.yaml"
    raw = contract.checks_section
    if raw is None:
        raise ContractError(f"{path} has no `checks` section, so nothing can be verified")
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text()))
    for error in validator.iter_errors(raw):
        where = "/".join(str(step) for step in error.instance_path) or "the top level"
        raise ContractError(f"{path}: checks: at {where}: {error.message}")
    try:
        in_force = _in_force(_named(raw), contract)
    except UnknownNameError as error:
        raise ContractError(f"{path}: checks: when: {error}") from None
    if "unwraps" in in_force:
        rules = in_force.pop("unwraps")
        kept = {name: in_force["requests"][name] for name in rules["but"]}
        in_force = _unwrapped(in_force, rules["field"])
        in_force["requests"] |= kept
    if "answers_in" in in_force:
        field = in_force.pop("answers_in")
        in_force = {
            name: it if name == "refused" else _wrapped(it, field) for name, it in in_force.items()
        }
    checks = replace(_checks(in_force), clauses=read_clauses(contract))
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


def _in_force(value: Json, contract: Contract) -> Json:
    """*value* without the parts whose `when` names other readings than those of *contract*."""
    if isinstance(value, list):
        return [_in_force(it, contract) for it in value if _holds(it, contract)]
    if not isinstance(value, dict):
        return value
    return {
        name: _in_force(it, contract)
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


def read_plan(raw: Json) -> RequestPlan:
    """The request that a mapping of the file describes."""
    # A plain text would be taken for base64.
    known = {"raw": raw["raw"].encode()} if "raw" in raw else {}
    return convert({**raw, **known}, RequestPlan)


def _checks(raw: Json) -> Checks:
    cadence = {name: it for name, it in raw.get("cadence", {}).items() if name != "source"}
    known: dict[str, Json] = {
        "cadence": cadence,
        "requests": {name: read_plan(it) for name, it in raw["requests"].items()},
        "makes": {kind: _make(kind, it) for kind, it in raw.get("makes", {}).items()},
        "views": {
            operation: [_view(operation, it) for it in views]
            for operation, views in raw.get("views", {}).items()
        },
        "lists": {name: _list(name, it, raw) for name, it in raw.get("lists", {}).items()},
        "flows": read_flows(raw.get("flows", {})),
        "may_refuse": {name: _cited(it) for name, it in raw.get("may_refuse", {}).items()},
        "same_as_asked": {
            kind: (it["same"], ids_in(it.get("source")))
            for kind, it in raw.get("same_as_asked", {}).items()
        },
        "also": {rule_id: ids_in(it) for rule_id, it in raw.get("also", {}).items()},
    }
    known |= {group: [_example(it) for it in raw.get(group, ())] for group in _NUMBERED}
    return convert({"price_facts": {}, "unreachable": {}, **raw, **known}, Checks)


def _cited(raw: Json) -> dict[str, Json]:
    """*raw* with its source, if any, as a list of ids."""
    return {**raw, "source": ids_in(raw.get("source"))}


def _example(raw: Json) -> dict[str, Json]:
    plan = {"request": read_plan(raw["request"])} if "request" in raw else {}
    return {**_cited(raw), **plan}


def _make(kind: str, raw: Json) -> dict[str, Json]:
    content = {"content": _cited(raw["content"])} if "content" in raw else {}
    return {**raw, **content, "kind": kind}


def _view(operation: str, raw: Json) -> dict[str, Json]:
    known: dict[str, Json] = {"operation": operation}
    if isinstance(raw.get("state"), list):
        known["state"] = [(case["is"], case["where"]) for case in raw["state"]]
    if "media" in raw:
        known["media"] = _cited(raw["media"])
    return {**_cited(raw), **known}


def _list(operation: str, raw: Json, checks: Json) -> dict[str, Json]:
    known: dict[str, Json] = {"operation": operation}
    # The first of the ids of a resource is its own.
    known["as"] = raw.get("as") or next(iter(checks["makes"][raw["of"]]["ids"]))
    if "counted_by" in raw:
        known["counted_by"] = (raw["counted_by"]["operation"], raw["counted_by"]["at"])
    return {**_cited(raw), **known}


def _check_names(path: Path, checks: Checks, contract: Contract) -> None:
    """Every name that the section uses exists in the contract."""
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
        *(name for it in checks.flows for name in it.operations),
        *(make.by for make in checks.makes.values()),
        *(make.read for make in checks.makes.values() if make.read is not None),
    ]
    for name in operations:
        if name not in contract.operations:
            raise ContractError(f"{path}: checks: there is no operation {name!r}")
    for views in checks.views.values():
        for view in views:
            if view.resource not in {*behaviour.resources, *checks.makes}:
                raise ContractError(f"{path}: checks: there is no resource {view.resource!r}")
            for url in view.urls:
                if url not in behaviour.urls:
                    raise ContractError(f"{path}: checks: there is no kind of URL {url!r}")
    for example in checks.refused:
        if example.because not in behaviour.refusals and example.status is None:
            raise ContractError(f"{path}: checks: there is no refusal {example.because!r}")
    for make in checks.makes.values():
        if make.needs is not None and make.needs not in checks.makes:
            raise ContractError(f"{path}: checks: {make.kind!r} needs unknown {make.needs!r}")
