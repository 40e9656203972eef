"""Request plans, changed and filled in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.json_types import Json

_ID = "$ids."


def account_in(value: Json, account: str) -> Json:
    """*value* with every `$account` in its texts replaced."""
    if isinstance(value, str):
        return value.replace("$account", account)
    if isinstance(value, dict):
        return {name: account_in(it, account) for name, it in value.items()}
    return value


def is_directive(value: Json) -> bool:
    """Whether *value* contains text that orders the mock to do something."""
    if isinstance(value, RequestPlan):
        return is_directive([value.json, value.form, value.query, value.raw])
    if isinstance(value, dict | list):
        return any(map(is_directive, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and "[[screentest:" in value


def flat(fields: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The fields of a body, those inside an envelope too."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from flat(value)
        else:
            yield name, value


def changed(
    plan: RequestPlan, added: Mapping[str, Json], without: tuple[str, ...] = ()
) -> RequestPlan:
    """*plan* with fields replaced, joined or left out; a dotted name reaches inside."""
    fields = json.loads(json.dumps(dict(plan.fields)))
    for name, value in added.items():
        _put(fields, name.split("."), value)
    for name in without:
        _drop(fields, name.split("."))
    if plan.form is not None:
        return replace(plan, form=fields)
    return replace(plan, json=fields)


def other_texts(plan: RequestPlan, change: Callable[[str], str]) -> Iterator[RequestPlan]:
    """*plan* with one of its sentences changed, for each of them."""
    for path, value in _sentences(plan.fields):
        yield changed(plan, {path: change(value)})


def _sentences(fields: Mapping[str, Json], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, str) and " " in value:
            yield above + name, value
        elif isinstance(value, dict) and "is" not in value:
            yield from _sentences(value, f"{above}{name}.")


def _put(fields: Json, steps: list[str], value: Json) -> None:
    for step in steps[:-1]:
        fields = fields.setdefault(step, {})
    fields[steps[-1]] = value


def _drop(fields: Json, steps: list[str]) -> None:
    for step in steps[:-1]:
        fields = fields.get(step, {})
    fields.pop(steps[-1], None)


def fill_ids(value: Json, ids: Mapping[str, Json]) -> Json:
    """*value* with each `$ids.name` replaced whose name is in *ids*."""
    if isinstance(value, str) and value.startswith(_ID):
        return ids.get(value.removeprefix(_ID), value)
    if isinstance(value, dict):
        return {name: fill_ids(it, ids) for name, it in value.items()}
    if isinstance(value, list):
        return [fill_ids(it, ids) for it in value]
    return value


def unfilled(value: Json) -> Iterator[str]:
    """The names of the ids that *value* still contains."""
    if isinstance(value, str) and value.startswith(_ID):
        yield value.removeprefix(_ID)
    elif isinstance(value, dict | list):
        for it in value.values() if isinstance(value, dict) else value:
            yield from unfilled(it)
