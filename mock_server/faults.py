"""Failures on order: which request or job meets which fault, decided from data and the seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour import Behaviour, OperationRules

from .errors import MockError, unknown
from .ids import stream
from .journal import cut_shapes

Json = Any

PHASES = ("before", "after_commit", "during_body")


class FaultType(Struct, frozen=True):
    """One kind of fault: what it does, when unless ordered otherwise, and its attributes."""

    told: str
    phase: str
    attributes: Mapping[str, Json]
    meets: str = "request"


TYPES: Mapping[str, FaultType] = {
    "http_error": FaultType(
        "An error status instead of the answer.",
        "before",
        {"status": 503, "retry_after_s": None, "body": None},
    ),
    "latency": FaultType("The answer, late.", "before", {"delay_ms": 1_000, "jitter_ms": 0}),
    "timeout": FaultType(
        "No answer: the connection is closed after the delay.", "before", {"delay_ms": 30_000}
    ),
    "reset_peer": FaultType(
        "The connection is closed without an answer: an orderly close, no TCP reset.", "before", {}
    ),
    "limit_data": FaultType(
        "The connection is closed before the promised length.", "during_body", {"bytes": 64}
    ),
    "slicer": FaultType("The body in small pieces.", "during_body", {"size": 16, "delay_ms": 0}),
    "malformed_json": FaultType("Half of the body, as if it were all.", "during_body", {}),
    "wrong_content_type": FaultType(
        "The body under another content type.", "during_body", {"content_type": "text/html"}
    ),
    "empty": FaultType("The status with an empty body.", "during_body", {}),
    "stream_cut": FaultType(
        "A stream breaks off; its job goes on.", "during_body", {"after_events": 1}, "stream"
    ),
    "stream_stall": FaultType(
        "A stream falls silent for a while.",
        "during_body",
        {"after_events": 1, "stall_ms": 600_000},
        "stream",
    ),
    "stream_error": FaultType(
        "A stream ends in an error event, and its job fails.",
        "during_body",
        {"after_events": 1, "reason": None},
        "streamed job",
    ),
    "job_failure": FaultType(
        "The job fails at this part of its run.", "before", {"reason": None, "at": 1.0}, "job"
    ),
    "webhook_drop": FaultType("The delivery is never sent.", "before", {}, "delivery"),
    "webhook_duplicate": FaultType(
        "The delivery is sent several times.", "before", {"copies": 2}, "delivery"
    ),
    "webhook_reorder": FaultType(
        "The delivery is sent after those behind it.", "before", {"delay_ms": 5_000}, "delivery"
    ),
    "webhook_bad_signature": FaultType(
        "The delivery carries a wrong signature.", "before", {}, "delivery"
    ),
    "model_retired": FaultType(
        "Calls that cost something are refused: their model is gone.",
        "before",
        {"model": None, "status": 410},
        "model",
    ),
}


class Fault(Struct, frozen=True):
    """A fault that waits for its target. *nth* counts matches from 1; *times* None is for ever."""

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

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "type": self.type,
            "where": dict(self.where),
            "nth": self.nth,
            "times": self.times,
            "probability": self.probability,
            "phase": self.phase,
            "attributes": dict(self.attributes),
            "seen": self.seen,
            "fired": self.fired,
        }

    @staticmethod
    def from_json(raw: Json) -> Fault:
        return Fault(**raw)

    def fits(self, facts: Mapping[str, str | None]) -> bool:
        """Whether every condition of `where` holds for a target with these *facts*."""
        return all(facts.get(name) == value for name, value in self.where.items())

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.fired >= self.times


def read_fault(
    fault_id: str, body: Mapping[str, Json], places: Mapping[str, Iterable[str]]
) -> Fault:
    """A fault from what somebody ordered. *places* lists the known values of `where` conditions.

    Raises:
        MockError: unknown type, attribute or place, or a number out of range.
    """
    kind = str(body.get("type"))
    if kind not in TYPES:
        raise unknown("fault type", kind, TYPES, status=422)
    known = TYPES[kind]
    attributes = _without_keys(body.get("attributes", {}))
    for name in attributes:
        if name not in known.attributes:
            raise unknown(f"attribute of {kind}", name, known.attributes, status=422)
    where = {name: str(value) for name, value in body.get("where", {}).items()}
    for name, value in where.items():
        if name not in places:
            raise unknown("condition", name, list(places), status=422)
        values = list(places[name])
        if values and value not in values:
            raise unknown(name, value, values, status=422)
    phase = body.get("phase", known.phase)
    if phase not in PHASES:
        raise unknown("phase", str(phase), PHASES, status=422)
    return Fault(
        id=fault_id,
        type=kind,
        where=where,
        nth=body.get("nth", 1),
        times=body.get("times", 1),
        probability=body.get("probability", 1.0),
        phase=phase,
        attributes={**known.attributes, **attributes},
    )


def _without_keys(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """*attributes* as they may be kept: a body or a reason may hold what somebody has pasted."""
    kept: dict[str, Json] = orjson.loads(cut_shapes(orjson.dumps(attributes).decode()))
    return kept


def check_reach(fault: Fault, behaviours: Mapping[str, Behaviour]) -> None:
    """Nothing, if *fault* can strike some call of a provider in *behaviours*.

    Raises:
        MockError: what it names has no such target; the message says what has.
    """
    possible = [
        {"provider": name, "operation": rules.id}
        for name, behaviour in behaviours.items()
        for rules in behaviour.operations.values()
        if _can_meet(TYPES[fault.type].meets, behaviour, rules)
    ]
    named = {name: fault.where[name] for name in ("provider", "operation") if name in fault.where}
    if any(named.items() <= it.items() for it in possible):
        return
    near = [it for it in possible if it["provider"] == named.get("provider")] or possible
    listed = ", ".join(f"{it['provider']} {it['operation']}" for it in near) or "nothing here"
    asked = " ".join(f"{name}={value}" for name, value in named.items()) or "what is served"
    raise MockError(
        f"{fault.type} can never strike {asked} (it can strike: {listed})", code="out_of_reach"
    )


def _can_meet(meets: str, behaviour: Behaviour, rules: OperationRules) -> bool:
    """Whether a call by *rules* brings about what a fault *meets*."""
    match meets:
        case "stream" | "streamed job":
            return rules.id in behaviour.streams
        case "job":
            return rules.starts is not None or rules.effect == "billable"
        case "delivery":
            return rules.starts is not None and behaviour.webhooks is not None
        case "model":
            return rules.effect == "billable"
        case _:
            return True


def strikes(fault: Fault, seed: int) -> tuple[Fault, bool]:
    """The fault after one more match, and whether it strikes this time."""
    seen = fault.seen + 1
    lucky = stream(seed, "fault", fault.id, seen).random() < fault.probability
    hit = seen >= fault.nth and not fault.is_spent and lucky
    return replace(fault, seen=seen, fired=fault.fired + hit), hit


def too_many(limit: int) -> MockError:
    return MockError(f"more than {limit} faults; delete some first", code="too_many", status=409)
