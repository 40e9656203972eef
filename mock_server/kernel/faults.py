"""Injected faults: which fault applies to which request or job."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import exp, log
from random import Random

import orjson
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.operations import OperationRules
from screentest.specs.contracts.redaction import BY_SHAPE
from screentest.specs.expressions.templates import fill_text
from screentest.specs.json_types import Json

from .clock import parse_rfc3339
from .errors import MockError, unknown
from .fault_types import NOTHING, OF_FILES, PHASES, TYPES
from .ids import stream

#: What a fault counts: the targets on which it can act, or the calls that its conditions name,
#: also those that ended before it could act.
MATCHES, CALLS = "matches", "calls"


class Fault(Struct, frozen=True):
    """A fault. It applies from the *nth* match on (from 1), *times* times; None means always.

    If it *counts* calls, it applies to the calls from the *nth* on alone, and *seen* are the calls.
    """

    id: str
    type: str
    where: Mapping[str, str]
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    phase: str = "before"
    attributes: Mapping[str, Json] = {}
    seen: int = 0
    fired: int = 0
    from_ms: int | None = None
    until_ms: int | None = None
    counts: str = MATCHES

    def to_json(self) -> Json:
        return to_builtins(self)

    @staticmethod
    def from_json(raw: Json) -> Fault:
        return Fault(**raw)

    @property
    def sent(self) -> str:
        """What is sent instead of the answer; empty if the answer is sent."""
        return fill_text(TYPES[self.type].sent, self.attributes)

    @property
    def swallows(self) -> bool:
        """Whether no byte of the answer is sent."""
        return TYPES[self.type].sent == NOTHING

    def fits(self, facts: Mapping[str, str | None]) -> bool:
        """Whether every condition of `where` holds for a target with these *facts*."""
        return all(facts.get(name) == value for name, value in self.where.items())

    def is_in_force(self, now_ms: int) -> bool:
        """Whether *now_ms* lies in the window of the fault."""
        # The end is outside, so two windows can meet without a gap or an overlap.
        return (self.from_ms is None or self.from_ms <= now_ms) and (
            self.until_ms is None or now_ms < self.until_ms
        )

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.fired >= self.times


#: 99 of 100 values of a normal distribution are below so many deviations.
_Z_99 = 2.326347874
#: For each condition of `where`: its possible values, with the providers that have them.
Places = Mapping[str, Mapping[str, Collection[str]]]
#: Conditions that only a delivery has; every call has the others.
_OF_DELIVERIES = frozenset({"event", "endpoint"})
#: Calls that an error lists, so that it stays one line of a terminal.
_LISTED_MAX = 8


def read_fault(fault_id: str, body: Mapping[str, Json], places: Places, now_ms: int) -> Fault:
    """The fault that a control call asks for at *now_ms*.

    Raises:
        MockError: the type, an attribute or a condition is unknown, or the type does not act in
            this phase.
    """
    kind = str(body.get("type"))
    if kind not in TYPES:
        raise unknown("fault type", kind, TYPES, status=422)
    known = TYPES[kind]
    attributes = _without_keys(body.get("attributes", {}))
    for name in attributes:
        if name not in known.attributes:
            raise unknown("attribute", name, known.attributes, of=kind, status=422)
    where = {name: str(value) for name, value in body.get("where", {}).items()}
    for name, value in where.items():
        if name not in places:
            raise unknown("condition", name, list(places), status=422)
        values = places[name]
        if value not in values:
            provider = where.get("provider")
            # Where the conditions name a provider, only its values can be meant.
            near = [it for it, known_by in values.items() if provider in (None, *known_by)]
            raise unknown(name, value, near or values, status=422)
    # Stored with their defaults, so that a snapshot keeps its meaning in later versions.
    attributes = {**known.attributes, **attributes}
    if (attributes.get("p50_ms") is None) != (attributes.get("p99_ms") is None):
        raise MockError("p50_ms and p99_ms go together", code="invalid_field", status=422)
    from_ms, until_ms = _window(body, now_ms)
    return Fault(
        id=fault_id,
        type=kind,
        where=where,
        nth=body.get("nth", 1),
        times=body.get("times", 1),
        probability=body.get("probability", 1.0),
        phase=_phase(kind, body.get("phase", known.phase)),
        attributes=attributes,
        from_ms=from_ms,
        until_ms=until_ms,
        counts=body.get("counts", MATCHES),
    )


def _window(body: Mapping[str, Json], now_ms: int) -> tuple[int | None, int | None]:
    """The first instant of a fault, and the one after its last, by `from`, `until`, `for_ms`."""
    from_ms = parse_rfc3339(body["from"]) if "from" in body else None
    until_ms = parse_rfc3339(body["until"]) if "until" in body else None
    if "for_ms" in body:
        if until_ms is not None:
            raise MockError("until and for_ms exclude each other", code="invalid_field", status=422)
        until_ms = (now_ms if from_ms is None else from_ms) + int(body["for_ms"])
    if until_ms is not None and until_ms <= max(now_ms, from_ms or 0):
        raise MockError("this fault would have ended before it begins", code="out_of_reach")
    return from_ms, until_ms


def lognormal_ms(fault: Fault, rng: Random) -> int:
    """A delay drawn so that half are below the fault's *p50_ms* and 99 of 100 below *p99_ms*."""
    # The median of a lognormal distribution is exp(mu), and log(p99 / median) is sigma * z.
    median_ms, high_ms = int(fault.attributes["p50_ms"]), int(fault.attributes["p99_ms"])
    spread = log(max(median_ms, high_ms) / median_ms) / _Z_99
    return round(median_ms * exp(spread * rng.gauss(0.0, 1.0)))


def _without_keys(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """*attributes* without credentials, which a body or a reason may contain by mistake."""
    # By shape alone: a fault may apply to providers whose header names say nothing here.
    kept: dict[str, Json] = orjson.loads(BY_SHAPE.cut_shapes(orjson.dumps(attributes).decode()))
    return kept


def _phase(kind: str, phase: str) -> str:
    possible = TYPES[kind].phases
    if phase not in PHASES:
        raise unknown("phase", phase, PHASES, status=422)
    if phase not in possible:
        raise MockError(
            f"{kind} does not act in phase {phase} (it acts in: {', '.join(possible)})",
            code="out_of_reach",
        )
    return phase


def possible_calls(
    type_: str, behaviours: Mapping[str, Behaviour]
) -> list[tuple[str, OperationRules]]:
    """The calls that a fault of *type_* can apply to, each as provider and operation."""
    return [
        (name, rules)
        for name, behaviour in behaviours.items()
        for rules in behaviour.operations.values()
        if _can_meet(TYPES[type_].meets, behaviour, rules)
    ]


def check_reach(fault: Fault, behaviours: Mapping[str, Behaviour], places: Places) -> None:
    """Raises unless *fault* can apply to at least one call of a provider in *behaviours*.

    Raises:
        MockError: the fault names no possible target; the message lists those that exist.
    """
    meets = TYPES[fault.type].meets
    if fault.counts == CALLS and (meets == "delivery" or "file" in fault.where):
        raise MockError(
            f"{fault.type} acts on no call here, so it counts matches", code="out_of_reach"
        )
    foreign = [it for it in fault.where if it in _OF_DELIVERIES and meets != "delivery"]
    if foreign:
        raise MockError(
            f"{fault.type} does not apply to deliveries, so {foreign[0]} cannot be a condition",
            code="out_of_reach",
        )
    if "file" in fault.where and fault.type not in OF_FILES:
        raise MockError(
            f"{fault.type} cannot apply to a stored file (it takes: {', '.join(OF_FILES)})",
            code="out_of_reach",
        )
    beside = fault.where.keys() & {"operation", "account"}
    if "file" in fault.where and beside:
        raise MockError(
            f"the download of a stored file has no {min(beside)}, so it cannot be a condition",
            code="out_of_reach",
        )
    possible = possible_calls(fault.type, behaviours)
    # A fault that can never apply looks, in a test, like a client that copes with it.
    near = [it for it in possible if _is_named(fault, it[0], it[1].id, places)]
    if near:
        _check_model(fault, [rules for _, rules in near])
        return
    named = {name: fault.where[name] for name in places if name in fault.where}
    asked = " ".join(f"{name}={value}" for name, value in named.items()) or "what is served"
    meant = [set(places[name][value]) for name, value in named.items() if name != "operation"]
    # The message first lists calls of the provider that the conditions name.
    same = [it for it in possible if all(it[0] in providers for providers in meant)] or possible
    listed = ", ".join(f"{name} {rules.id}" for name, rules in same[:_LISTED_MAX])
    more = f", and {len(same) - _LISTED_MAX} more" if len(same) > _LISTED_MAX else ""
    raise MockError(
        f"{fault.type} cannot apply to {asked} "
        f"(it can apply to: {listed or 'nothing that is served'}{more})",
        code="out_of_reach",
    )


def _is_named(fault: Fault, provider: str, operation: str, places: Places) -> bool:
    """Whether every condition of *fault* holds for some call of *operation*."""
    return fault.where.get("operation", operation) == operation and all(
        provider in places[name][value] for name, value in fault.where.items()
    )


def _check_model(fault: Fault, possible: Sequence[OperationRules]) -> None:
    """Raises unless a call can ask for the model that *fault* names."""
    model = fault.attributes.get("model")
    if model is None:
        return
    known = {name for rules in possible if rules.models is not None for name in rules.models.names}
    if not known:
        raise MockError(
            f"these calls do not name a model, so {model!r} would never match; "
            "omit model to retire the one that they use",
            code="out_of_reach",
        )
    if model not in known:
        raise unknown("model", model, known, status=422)


def _can_meet(meets: str, behaviour: Behaviour, rules: OperationRules) -> bool:
    """Whether a call to the operation *rules* has a target of the kind *meets*."""
    match meets:
        case "stream" | "streamed job":
            return rules.id in behaviour.streams
        case "body":
            return rules.id not in behaviour.streams
        case "signed URL":
            return any(it.names for it in behaviour.urls.values())
        case "started job":
            return rules.starts is not None
        case "job":
            return rules.starts is not None or rules.effect == "billable"
        case "delivery":
            return rules.starts is not None and behaviour.webhooks is not None
        case "model":
            return rules.effect == "billable"
        case "price":
            return rules.price is not None
        case "credential":
            return bool(behaviour.credentials)
        case _:
            return True


def count_match(fault: Fault, seed: int) -> tuple[Fault, bool]:
    """The fault after one more match, and whether it applies this time."""
    seen = fault.seen + (fault.counts == MATCHES)
    # Drawn from the seed and the number of the match, so that a run can be repeated.
    lucky = stream(seed, "fault", fault.id, seen).random() < fault.probability
    is_over = fault.is_spent
    if fault.counts == CALLS and fault.times is not None:
        is_over = seen >= fault.nth + fault.times
    hit = seen >= fault.nth and not is_over and lucky
    return replace(fault, seen=seen, fired=fault.fired + hit), hit


def too_many(limit: int) -> MockError:
    return MockError(f"more than {limit} faults; delete some first", code="too_many", status=409)
