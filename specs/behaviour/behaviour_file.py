"""Read behaviour.yaml and readings.yaml: check their form and their names, fill the structs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from msgspec import ValidationError, convert

from ..errors import ContractError, no_such
from ..expressions.templates import Template, read_template
from ..files import BEHAVIOUR, CHECKS, READINGS, placed
from ..formats import check_form, named
from ..json_types import Json
from .behaviour import Behaviour
from .interpretations import Interpretation
from .lifecycles import Lifecycle
from .sections import BehaviourFile

#: Sections that have a file of their own.
_MOVED = {"interpretations": READINGS, "checks": CHECKS}
#: The field for the name of an entry, by section.
_NAMED = {
    "operations": "operation",
    "credentials": "scheme",
    "streams": "operation",
    "urls": "name",
}


#: A contract may have hundreds of operations: too many for one line.
_unknown = partial(no_such, listed_max=10)


def read_behaviour(raw: Json, readings: Json, path: Path) -> Behaviour:
    """The behaviour that *raw*, the checked content of *path*, and *readings* describe.

    Raises:
        ContractError: they use a name that they do not declare.
    """
    try:
        file = convert(_with_names(raw), BehaviourFile, dec_hook=read_template)
        switches = convert(named(readings, "name"), dict[str, Interpretation])
    except (ValidationError, ContractError) as error:
        raise ContractError(f"{path}: {error}") from None
    problems = dict(_problems(file, switches))
    if problems:
        raise ContractError(*placed(path, problems))
    provider, refusals = file.provider, file.refusals
    assert file.limits is not None, "filled where a file leaves it out"
    return Behaviour(
        provider=provider.id,
        name=provider.name,
        base_url=provider.base_url,
        also_at=provider.also_at,
        document_url=provider.document.url,
        document_read=provider.document.read,
        prefixes=provider.prefixes,
        environment=provider.environment,
        initial_credits=file.accounts.initial_credits,
        tiers=file.accounts.tiers,
        credentials=file.credentials,
        refusal_order=refusals.order,
        refusal_body=refusals.body or Template(None),
        refusals=refusals.replies,
        foreign=refusals.foreign,
        unknown_fields=refusals.unknown_fields,
        drops_empty_form_texts=refusals.empty_form_texts == "absent",
        trailing_slash=refusals.trailing_slash,
        lifecycles=file.lifecycles,
        resources=file.resources,
        operations=file.operations,
        cites=file.cites,
        limits=file.limits,
        rate_windows=file.rate_windows,
        concurrency=file.concurrency,
        idempotency=file.idempotency,
        cadence=file.cadence,
        retires=file.retires,
        streams=file.streams,
        urls=file.urls,
        webhooks=file.webhooks,
        media=file.media,
        interpretations=switches,
        facts=file.facts,
    )


def merge_patch(value: Json, patch: Json) -> Json:
    """*value* as *patch* changes it (RFC 7396): mappings name by name, None removes."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), change)
    return merged


def check_file(raw: Json, path: Path) -> None:
    """Raises unless *raw*, the content of *path*, has the format of a file of its name.

    Raises:
        ContractError: it has every problem, each with its line.
    """
    moved = _MOVED.keys() & raw if path.name == BEHAVIOUR and isinstance(raw, dict) else set[str]()
    if moved:
        detail = "this section is a file of its own, {}, beside this one"
        problems = {f"/{it}": detail.format(_MOVED[it]) for it in sorted(moved)}
        raise ContractError(*placed(path, problems))
    check_form(raw, path)


def _with_names(raw: Json) -> Json:
    """*raw* with the names of entries in the entries, and lifecycles in resources."""
    lifecycles = {
        name: convert({**it, "name": name, "states": named(it["states"], "name")}, Lifecycle)
        for name, it in raw.get("lifecycles", {}).items()
    }
    resources = named(raw.get("resources", {}), "name")
    for it in resources.values():
        if "lifecycle" in it:
            # A name that is unknown is reported with all others.
            it["lifecycle"] = lifecycles.get(it["lifecycle"]) or Lifecycle(it["lifecycle"], {}, {})
    full = {"behaviour": 1, **raw, "lifecycles": lifecycles, "resources": resources}
    for section, field in _NAMED.items():
        full[section] = named(raw.get(section, {}), field)
    webhooks = raw.get("webhooks")
    if webhooks:
        source = {name: webhooks[name] for name in ("source",) if name in webhooks}
        events = {type_: {**source, **it} for type_, it in webhooks["events"].items()}
        full["webhooks"] = {**webhooks, "events": named(events, "type")}
    return full


def _problems(
    file: BehaviourFile, switches: Mapping[str, Interpretation]
) -> Iterator[tuple[str, str]]:
    """(JSON pointer, what is wrong) of each name that the files do not declare."""
    for name, lifecycle in file.lifecycles.items():
        for start, ends in lifecycle.edges.items():
            for state in (start, *ends):
                if state not in lifecycle.states:
                    at = f"/lifecycles/{name}/edges/{start}"
                    yield at, _unknown("state", state, lifecycle.states)
    for name, it in file.resources.items():
        if it.lifecycle is not None and it.lifecycle.name not in file.lifecycles:
            detail = _unknown("lifecycle", it.lifecycle.name, file.lifecycles)
            yield f"/resources/{name}/lifecycle", detail
    for name, rules in file.operations.items():
        for kind in (*(target.kind for target in rules.targets), rules.starts, rules.of):
            if kind is not None and kind not in file.resources:
                yield f"/operations/{name}", _unknown("resource", kind, file.resources)
        try:
            _ = rules.price and rules.price.formula
        except ContractError as error:
            yield f"/operations/{name}/price/amount", str(error)
    for name, reply in file.refusals.replies.items():
        if reply.departure is not None and reply.departure not in switches:
            at = f"/refusals/replies/{name}/departure"
            yield at, _unknown("interpretation", reply.departure, switches)
    for number, window in enumerate(file.rate_windows):
        for switch, value in window.when.items():
            at = f"/rate_windows/{number}/when"
            if switch not in switches:
                yield at, _unknown("interpretation", switch, switches)
            elif value not in switches[switch].readings:
                yield at, _unknown(f"reading of {switch}", value, switches[switch].readings)
    for name in sorted(file.cadence.operations if file.cadence is not None else ()):
        if name not in file.operations:
            yield "/cadence/operations", _unknown("operation", name, file.operations)
    yield from _unknown_retirements(file)
    for type_, event in file.webhooks.events.items() if file.webhooks is not None else ():
        if event.lifecycle not in file.lifecycles:
            at = f"/webhooks/events/{type_}/lifecycle"
            yield at, _unknown("lifecycle", event.lifecycle, file.lifecycles)
            continue
        states = file.lifecycles[event.lifecycle].states
        for state in sorted(event.enters - states.keys()):
            yield f"/webhooks/events/{type_}/enters", _unknown("state", state, states)
        if (event.ends is None) == (not event.enters):
            yield f"/webhooks/events/{type_}", "expected one of `ends` and `enters`"


def _unknown_retirements(file: BehaviourFile) -> Iterator[tuple[str, str]]:
    models = {name for it in file.operations.values() if it.models for name in it.models.names}
    for number, it in enumerate(file.retires):
        try:
            _ = it.on_ms, it.announced_ms
        except ValueError as error:
            yield f"/retires/{number}/day", str(error)
        for what, names, known in (
            ("model", it.models, models),
            ("operation", it.operations, set(file.operations)),
        ):
            for name in sorted(names - known):
                yield f"/retires/{number}/{what}s", _unknown(what, name, known)
