"""The result of a verification as a profile, which the mock can follow."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from screentest.specs.behaviour.lifecycles import Kind, Lifecycle
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.profile import Profile, Span
from screentest.specs.json_types import TypeName
from screentest.specs.openapi.validation import type_name

from ..monitors.lifecycles import observations, state_of
from ..monitors.shapes import request_violations
from ..rules.known import refused_keys
from ..scenarios.verify import Result
from ..traces.expressions import at_pointer, evaluate, has_value
from ..traces.trace import Exchange

_RATE = re.compile(r"(x-)?rate-?limit|retry-after$")
_WRONG_KEYS = frozenset({"anonymous", "unknown", "former"})


def profile_report(result: Result) -> str:
    """The profile as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(profile_of(result)), indent=2).decode() + "\n"


def profile_of(result: Result) -> Profile:
    """What the server of *result* was seen to do."""
    # What a followed reading documents is not a further field.
    contract = result.contract.under({it.name: it.value for it in result.readings})
    exchanges = [it for ran in result.ran for it in ran.trace.exchanges if it.operation]
    return Profile(
        profile=1,
        provider=contract.provider,
        readings={name: fits[0] for name, fits in result.fits.items() if len(fits) == 1},
        open_readings={name: fits for name, fits in result.fits.items() if len(fits) > 1},
        refused_first=tuple(sorted(set(_refused_first(contract, exchanges)))),
        extra_fields=_extra_fields(contract, exchanges),
        durations=_durations(result, exchanges),
        rate_headers=_rate_headers(exchanges),
    )


def _refused_first(contract: Contract, exchanges: Iterable[Exchange]) -> Iterator[tuple[str, str]]:
    """(first, second) for each request that both gates refuse and the first one did."""
    for it in exchanges:
        operation = contract.operations[it.operation]
        statuses: dict[str, set[int]] = {}
        if it.actor in _WRONG_KEYS and operation.security:
            statuses["authentication"] = refused_keys(contract, operation.id)
        if it.request_body and it.sent is None and operation.bodies:
            statuses["body"] = set(contract.refusal_statuses("malformed_body", operation.id))
        elif request_violations(operation, it):
            statuses["validation"] = set(contract.refusal_statuses("invalid", operation.id))
        price = contract.behaviour.operations[operation.id].price
        if it.actor == "empty" and price is not None:
            statuses["credits"] = set(contract.refusal_statuses("insufficient_credits"))
        first = [gate for gate, known in statuses.items() if it.status in known]
        if len(first) == 1:
            yield from ((first[0], gate) for gate in statuses if gate != first[0])


def _extra_fields(
    contract: Contract, exchanges: Iterable[Exchange]
) -> dict[str, dict[str, dict[str, TypeName]]]:
    """The fields of answers that their schemas do not name."""
    found: dict[str, dict[str, dict[str, TypeName]]] = {}
    for it in exchanges:
        shape = contract.operations[it.operation].reply(it.status)
        schema = shape.content.get(it.content_type) if shape is not None else None
        if schema is None or it.reply is None:
            continue
        for pointer, _ in schema.fields.unnamed_in(it.reply):
            place = re.sub(r"/[0-9]+(?=/|$)", "/*", pointer)
            statuses = found.setdefault(it.operation, {}).setdefault(str(it.status), {})
            # A value that is null at times has the type of the others.
            if statuses.get(place, "null") == "null":
                statuses[place] = type_name(at_pointer(it.reply, pointer))
    return found


def _rate_headers(exchanges: Iterable[Exchange]) -> dict[str, dict[str, tuple[int, int]]]:
    """The least and the greatest number in each header about rates, by operation."""
    found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for it in exchanges:
        for name, text in it.headers.items():
            if _RATE.match(name) and text.isdecimal():
                least, most = found[it.operation].get(name, (int(text), int(text)))
                found[it.operation][name] = min(least, int(text)), max(most, int(text))
    return dict(found)


#: Stays count whose ends are known at most so many times less exactly than those of the best one.
_UNSURE_MAX = 2
#: The state that an answer showed, or None for the answer that made the job; and when.
_Sight = tuple[str | None, int]
#: A stay in a state, and half the time between the polls around its ends.
_Stay = tuple[int, int]


def _durations(result: Result, exchanges: Sequence[Exchange]) -> dict[str, dict[str, Span]]:
    """How long jobs stayed in each state, by lifecycle."""
    behaviour, stays = result.contract.behaviour, defaultdict[str, dict[str, list[_Stay]]](dict)
    for kind, (factor, sights) in _jobs(result, exchanges):
        lifecycle = behaviour.lifecycle_of(kind)
        assert lifecycle is not None
        for state, (stay_ms, within_ms) in _stays(lifecycle, sights):
            known = stays[lifecycle.name].setdefault(state, [])
            known.append((round(stay_ms / factor), round(within_ms / factor)))
    return {
        name: {state: _span(found) for state, found in by_state.items()}
        for name, by_state in stays.items()
    }


def _jobs(
    result: Result, exchanges: Iterable[Exchange]
) -> Iterator[tuple[str, tuple[float, list[_Sight]]]]:
    """The kind, the factor of the scale and the sights of each job that was seen to begin."""
    behaviour = result.contract.behaviour
    found: dict[tuple[str, str], tuple[float, list[_Sight]]] = {}
    for it in exchanges:
        for view, scope in observations(result.checks, it):
            lifecycle, id_ = behaviour.lifecycle_of(view.resource), evaluate(view.id, it, scope)
            if lifecycle is None or not lifecycle.simulated or not has_value(id_):
                continue
            key = (view.resource, str(id_))
            if key not in found:
                # Made by another call: when it began is unknown.
                if behaviour.operations[it.operation].starts != view.resource or view.each:
                    continue
                found[key] = _factor(result.contract, lifecycle, it), [(None, it.ended_ms)]
            found[key][1].append((state_of(view, it, scope), it.at_ms))
    yield from ((kind, job) for (kind, _), job in found.items())


def _factor(contract: Contract, lifecycle: Lifecycle, made: Exchange) -> float:
    """By how much the request *made* stretches the durations of its job."""
    scale = lifecycle.scale
    if scale is None:
        return 1.0
    sent = made.sent if isinstance(made.sent, dict) else {}
    bodies = contract.operations[made.operation].bodies.values()
    defaults = [it.schema.get("properties", {}).get(scale.by, {}).get("default") for it in bodies]
    value = sent.get(scale.by, next((it for it in defaults if it is not None), None))
    return scale.factors.get(str(value), 1.0)


def _stays(lifecycle: Lifecycle, sights: Sequence[_Sight]) -> Iterator[tuple[str, _Stay]]:
    """Each state of the path in which a job was seen that succeeded, with its stay."""
    order = [it.name for it in lifecycle.path]
    ranks = {name: rank for rank, name in enumerate(order)}
    ranks[lifecycle.end(Kind.SUCCEEDED).name] = len(order)
    (_, began_ms), *shown = sights
    seen = [(ranks[name], at_ms) for name, at_ms in shown if name in ranks]
    if not seen or max(seen)[0] < len(order):
        return
    for rank, state in enumerate(order):
        here = [at_ms for it, at_ms in seen if it == rank]
        if not here:
            continue
        before = [at_ms for it, at_ms in seen if it < rank]
        after = min(at_ms for it, at_ms in seen if it > rank)
        last_before = max(before, default=began_ms)
        # The first state begins with the job.
        entered_ms = (last_before + min(here)) // 2 if rank else began_ms
        left_ms = (max(here) + after) // 2
        unsure_ms = (after - max(here)) + (min(here) - last_before if rank else 0)
        yield state, (max(0, left_ms - entered_ms), max(0, unsure_ms) // 2)


def _span(stays: Sequence[_Stay]) -> Span:
    # A job that was left alone for a while shows little.
    unsure_ms = _UNSURE_MAX * max(1, min(within for _, within in stays))
    sure = [it for it in stays if it[1] <= unsure_ms]
    known = sorted(stay for stay, _ in sure)

    def percentile(part: int) -> int:
        return known[max(0, -(-len(known) * part // 100) - 1)]

    return Span(
        jobs=len(known),
        least_ms=known[0],
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        most_ms=known[-1],
        within_ms=max(within for _, within in sure),
    )
