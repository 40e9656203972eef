"""Reading a behaviour file: checked against its JSON Schema, and against itself.

Every name that is used in it is declared in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .arithmetic import parse_formula
from .behaviour import (
    Behaviour,
    Cadence,
    Concurrency,
    Credential,
    Idempotency,
    Interpretation,
    Kind,
    Lifecycle,
    Limits,
    ModelRules,
    Moment,
    OperationRules,
    Price,
    RateWindow,
    RefusalRule,
    ResourceKind,
    State,
    StreamRules,
    Target,
    UrlRules,
    WebhookEvent,
    WebhookRules,
)
from .citations import read_citations
from .errors import ContractError
from .files import read_yaml
from .json_types import Json

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

SCHEMA_FILE = Path(__file__).with_name("behaviour.schema.json")


def load_behaviour(path: Path) -> Behaviour:
    """Read and check the behaviour file at *path*.

    Raises:
        ContractError: it breaks the JSON Schema, or uses a name that it does not declare.
    """
    return read_behaviour(read_yaml(path), path)


def read_behaviour(raw: Json, path: Path, *, is_checked: bool = False) -> Behaviour:
    """The same of a file's content, unless it *is_checked* already; *path* is for messages.

    Raises:
        ContractError: as for a file.
    """
    if not is_checked:
        _check_schema(raw, path)
    lifecycles = {name: _lifecycle(name, it) for name, it in raw.get("lifecycles", {}).items()}
    resources = {
        name: _resource(name, it, lifecycles, path) for name, it in raw.get("resources", {}).items()
    }
    provider, refusals = raw["provider"], raw["refusals"]
    return Behaviour(
        provider=provider["id"],
        name=provider["name"],
        base_url=provider["base_url"],
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
            name: _refusal(name, it, raw["interpretations"], path)
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
        limits=Limits(**raw["limits"]),
        rate_windows=tuple(
            _window(it, raw["interpretations"], path) for it in raw.get("rate_windows", [])
        ),
        concurrency=_concurrency(raw.get("concurrency")),
        idempotency=_idempotency(raw.get("idempotency")),
        cadence=_cadence(raw.get("cadence"), raw.get("operations", {}), path),
        streams={name: _stream(name, it) for name, it in raw.get("streams", {}).items()},
        urls={name: _url(name, it) for name, it in raw.get("urls", {}).items()},
        webhooks=_webhooks(raw.get("webhooks"), lifecycles, path),
        media=raw.get("media", {}),
        interpretations={
            name: _interpretation(name, it) for name, it in raw["interpretations"].items()
        },
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
def _schema() -> Draft202012Validator:
    # Not at the top: it takes long to load, and an installed contract is not checked again.
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert isinstance(validator, jsonschema_rs.Draft202012Validator)
    return validator


def _check_schema(raw: Json, path: Path) -> None:
    for error in _schema().iter_errors(raw):
        where = "/".join(str(step) for step in error.instance_path) or "the top level"
        raise ContractError(f"{path}: at {where}: {error.message}")


def _lifecycle(name: str, raw: Json) -> Lifecycle:
    states = {
        state: State(state, Kind(it["kind"]), tuple(it["lasts_ms"]) if "lasts_ms" in it else None)
        for state, it in raw["states"].items()
    }
    for start, ends in raw["edges"].items():
        for state in (start, *ends):
            if state not in states:
                raise ContractError(f"lifecycle {name!r}: edge names unknown state {state!r}")
    scale = raw.get("scale")
    return Lifecycle(
        name=name,
        states=states,
        edges={start: tuple(ends) for start, ends in raw["edges"].items()},
        source=raw["source"],
        failure=raw.get("failure", ""),
        scale=(scale["by"], scale["factors"]) if scale else None,
        simulated=any(state.lasts_ms for state in states.values()),
    )


def _resource(
    name: str, raw: Json, lifecycles: Mapping[str, Lifecycle], path: Path
) -> ResourceKind:
    lifecycle = raw.get("lifecycle")
    if lifecycle is not None and lifecycle not in lifecycles:
        raise ContractError(f"{path}: resource {name!r} has unknown lifecycle {lifecycle!r}")
    return ResourceKind(
        name=name,
        id_form=raw["id"],
        called=raw.get("called", name.replace("_", " ")),
        lifecycle=lifecycles[lifecycle] if lifecycle else None,
        parent=raw.get("parent"),
        counts_as_running=raw.get("counts_as_running", False),
        view=raw.get("view"),
        outside=raw.get("outside"),
    )


def _operation(
    name: str, raw: Json, resources: Mapping[str, ResourceKind], path: Path
) -> OperationRules:
    targets = tuple(
        Target(
            kind=it["resource"],
            id_from=it["id"],
            within=it.get("within"),
            states=frozenset(it.get("states", ())),
            hidden=it.get("hidden", False),
        )
        for it in raw.get("acts_on", [])
    )
    named = [target.kind for target in targets] + ([raw["starts"]] if "starts" in raw else [])
    for kind in named:
        if kind not in resources:
            raise ContractError(f"{path}: operation {name!r} names unknown resource {kind!r}")
    return OperationRules(
        id=name,
        source=tuple(raw.get("source", ())),
        effect=raw["effect"],
        targets=targets,
        price=_price(raw["price"]) if "price" in raw else None,
        starts=raw.get("starts"),
        does=raw.get("does"),
        answer=raw.get("answer"),
        status=raw.get("status"),
        is_anonymous=raw.get("anonymous", False),
        models=_models(raw.get("models")),
    )


def _models(raw: Json) -> ModelRules | None:
    return ModelRules(tuple(raw["at"]), tuple(raw["names"])) if raw is not None else None


def _price(raw: Json) -> Price:
    table = raw.get("table")
    return Price(
        formula=parse_formula(raw["amount"]),
        moment=Moment(raw["moment"]),
        source=raw["source"],
        table=(tuple(table["by"]), table["rows"]) if table else None,
        defaults=raw.get("defaults"),
        balance_min=raw.get("balance_min", 0),
    )


def _credential(scheme: str, raw: Json) -> Credential:
    return Credential(
        scheme=scheme,
        forms=tuple((form["header"].lower(), form.get("scheme", "")) for form in raw["accepts"]),
        key_kind=raw["key"],
        key_form=raw["form"],
        active_max=raw.get("active_max"),
        lives_ms=raw.get("lives_ms"),
        source=raw["source"],
    )


def _refusal(name: str, raw: Json, interpretations: Json, path: Path) -> RefusalRule:
    departure = raw.get("departure")
    if departure is not None and departure not in interpretations:
        raise ContractError(f"{path}: reply {name!r} names unknown interpretation {departure!r}")
    return RefusalRule(**raw)


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
        rules={value: it["rules"] for value, it in readings.items() if "rules" in it},
        shapes={value: it["openapi"] for value, it in readings.items() if "openapi" in it},
    )


def _window(raw: Json, interpretations: Json, path: Path) -> RateWindow:
    for name, value in raw.get("when", {}).items():
        known = interpretations.get(name, {"default": None, "alternatives": {}})
        if value not in {known["default"], *known["alternatives"]}:
            raise ContractError(f"{path}: window {raw['name']!r} names unknown {name}: {value}")
    return RateWindow(
        name=raw["name"],
        operations=frozenset(raw["operations"]),
        limit=raw["limit"],
        per_ms=raw["per_ms"],
        scope=raw.get("scope", "key"),
        source=raw["source"],
        counts_refused=raw.get("counts") == "refused_too",
        reading=next(iter(raw["when"].items())) if "when" in raw else None,
    )


def _concurrency(raw: Json) -> Concurrency | None:
    if raw is None:
        return None
    return Concurrency(
        limits=raw["limits"],
        scope=raw["scope"],
        retry_after_s=raw.get("retry_after_s"),
        source=raw["source"],
        counts_paid_calls=raw.get("counts") == "paid_calls_too",
        answers_take_ms=raw.get("answers_take_ms"),
    )


def _idempotency(raw: Json) -> Idempotency | None:
    if raw is None:
        return None
    return Idempotency(
        header=raw["header"].lower(),
        operations=frozenset(raw["operations"]),
        keeps_ms=raw["keeps_ms"],
        source=raw["source"],
        spans_operations=raw.get("scope") == "account",
        keeps_refusals=raw.get("keeps_refusals", False),
        marks_repetitions=raw.get("marks_repetitions", True),
    )


def _cadence(raw: Json, operations: Json, path: Path) -> Cadence | None:
    if raw is None:
        return None
    for name in raw["operations"]:
        if name not in operations:
            raise ContractError(f"{path}: cadence names unknown operation {name!r}")
    return Cadence(frozenset(raw["operations"]), raw["at_least_ms"], raw["source"])


def _stream(operation: str, raw: Json) -> StreamRules:
    return StreamRules(
        operation=operation,
        lifecycle=raw["lifecycle"],
        events=tuple(raw["events"]),
        on_error=raw["on_error"],
        order=tuple(raw["order"]),
        last=tuple(raw["last"]),
        name_field=raw["name_field"],
        rising_field=raw["rising_field"],
        source=raw["source"],
        fails_after=raw.get("fails_after", ""),
        is_spaced=raw.get("json") == "spaced",
        fails_when_abandoned=raw.get("when_abandoned") == "fails",
    )


def _url(name: str, raw: Json) -> UrlRules:
    return UrlRules(name, raw["path"], raw["lives_ms"], raw.get("names", {}), raw["source"])


def _webhooks(raw: Json, lifecycles: Mapping[str, Lifecycle], path: Path) -> WebhookRules | None:
    if raw is None:
        return None
    events = {
        type_: WebhookEvent(
            type_,
            it["lifecycle"],
            Kind(it["ends"]),
            it.get("data"),
            it.get("source", raw["source"]),
        )
        for type_, it in raw["events"].items()
    }
    for event in events.values():
        if event.lifecycle not in lifecycles:
            raise ContractError(
                f"{path}: webhook {event.type!r} has unknown lifecycle {event.lifecycle!r}"
            )
    return WebhookRules(
        events=events,
        id_form=raw["id"],
        body=raw["body"],
        headers=raw["headers"],
        signed=raw.get("signed", "{timestamp.s}.{body}"),
        retries_ms=tuple(raw["retries_ms"]),
        endpoints_max=raw["endpoints_max"],
        secret_form=raw["secret_form"],
        source=raw["source"],
    )
