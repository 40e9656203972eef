"""Read behaviour.yaml and readings.yaml: check their form and their names, fill the structs.

The structs in `behaviour` say under which name the file has each field. A field with a plain value
needs no code here; this module fills the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import convert

from ..errors import ContractError
from ..expressions.expressions import read_expression
from ..expressions.templates import read_template
from ..files import BEHAVIOUR, CHECKS, OPENAPI, READINGS, placed
from ..json_types import Json
from .behaviour import (
    Behaviour,
    Credential,
    Interpretation,
    Lifecycle,
    OperationRules,
    RefusalRule,
    ResourceKind,
    WebhookRules,
)
from .call_limits import Cadence, Concurrency, Idempotency, Limits, RateWindow
from .citations import read_citations
from .forms import COOKIE, QUERY
from .outputs import StreamRules, UrlRules
from .prices import Price

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_SHOWN_MAX = 300
_SCHEMAS = Path(__file__).parent
#: Sections that have a file of their own.
_MOVED = {"interpretations": READINGS, "checks": CHECKS}
_URL_NAMES = {"signature": "signature", "date": "date", "expires": "expires", "nonce": "nonce"}


def read_behaviour(raw: Json, readings: Json, path: Path) -> Behaviour:
    """The behaviour that *raw*, the checked content of *path*, and *readings* describe.

    Raises:
        ContractError: they use a name that they do not declare.
    """
    lifecycles = {name: _lifecycle(name, it) for name, it in raw.get("lifecycles", {}).items()}
    resources = {
        name: _resource(name, it, lifecycles, path) for name, it in raw.get("resources", {}).items()
    }
    provider, refusals = raw["provider"], raw["refusals"]
    interpretations = {name: _interpretation(name, it) for name, it in readings.items()}
    return Behaviour(
        provider=provider["id"],
        name=provider["name"],
        base_url=provider["base_url"],
        also_at=tuple(provider.get("also_at", ())),
        document_url=provider["document"]["url"],
        document_read=str(provider["document"]["read"]),
        prefixes=tuple(provider.get("prefixes", [""])),
        environment=provider["environment"],
        initial_credits=raw["accounts"].get("initial_credits"),
        tiers=tuple(raw["accounts"].get("tiers", ["default"])),
        credentials={name: _credential(name, it) for name, it in raw["credentials"].items()},
        refusal_order=tuple(refusals["order"]),
        refusal_body=refusals["body"],
        refusals={
            name: _refusal(name, it, interpretations, path)
            for name, it in refusals["replies"].items()
        },
        foreign=refusals.get("foreign", "refuse"),
        unknown_fields=refusals.get("unknown_fields", "ignore"),
        drops_empty_form_texts=refusals.get("empty_form_texts") == "absent",
        trailing_slash=refusals.get("trailing_slash", "none"),
        lifecycles=lifecycles,
        resources=resources,
        operations={
            name: _operation(name, it, resources, path)
            for name, it in raw.get("operations", {}).items()
        },
        cites=read_citations(raw.get("cites", {})),
        limits=convert(raw["limits"], Limits),
        rate_windows=tuple(
            _window(it, interpretations, path) for it in raw.get("rate_windows", ())
        ),
        concurrency=convert(raw.get("concurrency"), Concurrency | None),
        idempotency=_idempotency(raw.get("idempotency")),
        cadence=_cadence(raw.get("cadence"), raw.get("operations", {}), path),
        streams={
            name: convert({**it, "operation": name}, StreamRules)
            for name, it in raw.get("streams", {}).items()
        },
        urls={name: _url(name, it) for name, it in raw.get("urls", {}).items()},
        webhooks=_webhooks(raw.get("webhooks"), lifecycles, path),
        media=raw.get("media", {}),
        interpretations=interpretations,
        facts=raw.get("facts", {}),
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


@cache
def _schema(name: str) -> Draft202012Validator:
    # Not at the top: it takes long to load, and an installed contract is not checked again.
    import jsonschema_rs

    file = _SCHEMAS / name.replace(".yaml", ".schema.json")
    validator = jsonschema_rs.validator_for(file.read_text(encoding="utf-8"))
    assert isinstance(validator, jsonschema_rs.Draft202012Validator)
    return validator


def check_form(raw: Json, path: Path) -> None:
    """Raises unless *raw*, the content of the file at *path*, has the form of a file of its name.

    Raises:
        ContractError: it breaks the JSON Schema; it has every problem.
    """
    problems: dict[str, str] = {}
    raw = dict(raw) if isinstance(raw, dict) else raw
    for name in _MOVED.keys() & raw if path.name == BEHAVIOUR and isinstance(raw, dict) else ():
        del raw[name]
        problems[f"/{name}"] = f"this section is a file of its own, {_MOVED[name]}, beside this one"
    for error in _schema(path.name).iter_errors(raw):
        steps = [str(it).replace("~", "~0").replace("/", "~1") for it in error.instance_path]
        problems.setdefault("".join(f"/{it}" for it in steps), error.message[:_SHOWN_MAX])
    if problems:
        raise ContractError(*placed(path, problems))


def _lifecycle(name: str, raw: Json) -> Lifecycle:
    states = {state: {**it, "name": state} for state, it in raw["states"].items()}
    for start, ends in raw["edges"].items():
        for state in (start, *ends):
            if state not in states:
                raise ContractError(f"lifecycle {name!r}: edge names unknown state {state!r}")
    scale = raw.get("scale")
    known: dict[str, Json] = {"name": name, "states": states}
    if scale is not None:
        known["scale"] = (scale["by"], scale["factors"])
    return convert({**raw, **known}, Lifecycle)


def _resource(
    name: str, raw: Json, lifecycles: Mapping[str, Lifecycle], path: Path
) -> ResourceKind:
    lifecycle: str | None = raw.get("lifecycle")
    if lifecycle is not None and lifecycle not in lifecycles:
        raise ContractError(f"{path}: resource {name!r} has unknown lifecycle {lifecycle!r}")
    known = {"name": name, "lifecycle": lifecycles[lifecycle] if lifecycle else None}
    return convert(
        {"called": name.replace("_", " "), **raw, **known}, ResourceKind, dec_hook=read_template
    )


def _operation(
    name: str, raw: Json, resources: Mapping[str, ResourceKind], path: Path
) -> OperationRules:
    known: dict[str, Json] = {"operation": name}
    if "price" in raw:
        known["price"] = _price(raw["price"])
    rules = convert({**raw, **known}, OperationRules, dec_hook=read_template)
    for kind in (*(target.kind for target in rules.targets), rules.starts, rules.of):
        if kind is not None and kind not in resources:
            raise ContractError(f"{path}: operation {name!r} names unknown resource {kind!r}")
    return rules


def _price(raw: Json) -> Price:
    known: dict[str, Json] = {"amount": read_expression(str(raw["amount"]))}
    if "table" in raw:
        known["table"] = (raw["table"]["by"], raw["table"]["rows"])
    return convert({**raw, **known}, Price, dec_hook=read_template)


def _place_of_key(raw: Json) -> tuple[str, str]:
    if "query" in raw:
        return QUERY + raw["query"], ""
    if "cookie" in raw:
        return COOKIE + raw["cookie"], ""
    return raw["header"].lower(), raw.get("scheme", "")


def _credential(scheme: str, raw: Json) -> Credential:
    forms = [_place_of_key(it) for it in raw["accepts"]]
    return convert({**raw, "accepts": forms, "scheme": scheme}, Credential)


def _refusal(
    name: str, raw: Json, interpretations: Mapping[str, Interpretation], path: Path
) -> RefusalRule:
    rule = convert(raw, RefusalRule)
    if rule.departure is not None and rule.departure not in interpretations:
        raise ContractError(
            f"{path}: reply {name!r} names unknown interpretation {rule.departure!r}"
        )
    return rule


def _interpretation(name: str, raw: Json) -> Interpretation:
    readings = {
        value: it if isinstance(it, dict) else {"says": it}
        for value, it in raw["alternatives"].items()
    }
    return Interpretation(
        name=name,
        id=raw["id"],
        default=raw["default"],
        alternatives={value: it["says"] for value, it in readings.items()},
        reason=raw["reason"],
        patches={
            file: {value: it[part] for value, it in readings.items() if part in it}
            for part, file in (("rules", BEHAVIOUR), ("openapi", OPENAPI), ("checks", CHECKS))
        },
    )


def _window(raw: Json, interpretations: Mapping[str, Interpretation], path: Path) -> RateWindow:
    window = convert({"scope": "key", **raw}, RateWindow)
    if window.reading is not None:
        name, value = window.reading
        if name not in interpretations or value not in interpretations[name].readings:
            raise ContractError(f"{path}: window {window.name!r} names unknown {name}: {value}")
    return window


def _url(name: str, raw: Json) -> UrlRules:
    # What expires carries its end in its query, under the provider's names or plain ones.
    names = {} if raw["lives_ms"] is None else _URL_NAMES | raw.get("names", {})
    return convert({**raw, "names": names, "name": name}, UrlRules, dec_hook=read_template)


def _idempotency(raw: Json) -> Idempotency | None:
    return raw and convert({**raw, "header": raw["header"].lower()}, Idempotency)


def _cadence(raw: Json, operations: Json, path: Path) -> Cadence | None:
    cadence = convert(raw, Cadence | None)
    for name in sorted(cadence.operations if cadence is not None else ()):
        if name not in operations:
            raise ContractError(f"{path}: cadence names unknown operation {name!r}")
    return cadence


def _webhooks(raw: Json, lifecycles: Mapping[str, Lifecycle], path: Path) -> WebhookRules | None:
    if raw is None:
        return None
    events = {
        type_: {"source": raw["source"], **it, "type": type_} for type_, it in raw["events"].items()
    }
    signed = raw.get("signed", "{timestamp.s}.{body}")
    rules = convert(
        {**raw, "events": events, "signed": signed}, WebhookRules, dec_hook=read_template
    )
    for event in rules.events.values():
        if event.lifecycle not in lifecycles:
            raise ContractError(
                f"{path}: webhook {event.type!r} has unknown lifecycle {event.lifecycle!r}"
            )
    return rules
