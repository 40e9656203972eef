"""A profile: what a real server was seen to do where its contract leaves it open.

A run of the contract kit writes it, and the mock follows it. It has no keys and no bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct, ValidationError, convert

from ..errors import ContractError, no_such
from ..files import placed, read_yaml
from ..json_types import Json, TypeName

if TYPE_CHECKING:
    from .contract import Contract

_LISTED_MAX = 10
#: How msgspec names the place of a mistake, such as `$.durations[...].p50_ms`.
_PLACE = re.compile(r" - at `(?:key in )?\$([^`\[]*)")
_Ms = Annotated[int, Meta(ge=0)]
#: The value that the mock sends in an extra field, by the type of the field.
STAND_INS: Mapping[TypeName, Json] = {
    "array": [],
    "boolean": False,
    "integer": 0,
    "null": None,
    "number": 0.5,
    "object": {},
    "string": "",
}
#: By operation, by status, by pointer (`*` for each item of a list): the type of the value.
ExtraFields = Mapping[str, Mapping[str, Mapping[str, TypeName]]]


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """How long *jobs* stayed in a state. Polls show it to within *within_ms* only."""

    jobs: Annotated[int, Meta(ge=1)]
    least_ms: _Ms
    p50_ms: _Ms
    p90_ms: _Ms
    most_ms: _Ms
    within_ms: _Ms


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """What a server was seen to do.

    *readings* are those that the server follows, by `provider.name`; *open_readings* are those that
    its answers do not decide, each with the readings that fit. *refused_first* are pairs of gates:
    a request that both refuse was refused by the first. *durations* are by lifecycle and state, of
    jobs that succeeded, without the factor of their scale. *rate_headers* have the least and the
    greatest number seen, by operation and header.
    """

    profile: Literal[1]
    provider: str
    readings: Mapping[str, str]
    open_readings: Mapping[str, tuple[str, ...]]
    refused_first: tuple[tuple[str, str], ...]
    extra_fields: ExtraFields
    durations: Mapping[str, Mapping[str, Span]]
    rate_headers: Mapping[str, Mapping[str, tuple[int, int]]]

    @property
    def rules(self) -> Json:
        """The JSON merge patch of behaviour.yaml that gives the jobs of the mock these durations.

        Each stay lies between the shortest one that was seen and the 90th percentile.
        """
        return {
            "lifecycles": {
                name: {
                    "states": {
                        state: {"lasts_ms": [it.least_ms, it.p90_ms]} for state, it in spans.items()
                    }
                }
                for name, spans in self.durations.items()
            }
        }


def read_profile(path: Path) -> Profile:
    """The profile in the file at *path*.

    Raises:
        ContractError: it is not one; with the line of the mistake.
    """
    raw = read_yaml(path)
    try:
        return convert(raw, Profile, strict=True)
    except ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        at = place[1].replace(".", "/") if place is not None else ""
        detail = text.partition(" - at ")[0]
        raise ContractError(*placed(path, {at: f"this is not a profile: {detail}"})) from None


def problems_of(profile: Profile, contract: Contract) -> Iterator[tuple[str, str]]:
    """(pointer, what is wrong) of each name in *profile* that *contract* does not have."""
    behaviour = contract.behaviour
    switches = {f"{profile.provider}.{it.name}": it for it in behaviour.interpretations.values()}
    for name, value in profile.readings.items():
        at = f"/readings/{name}"
        if name not in switches:
            yield at, no_such("interpretation", name, switches, listed_max=_LISTED_MAX)
        elif value not in switches[name].readings:
            yield at, no_such(f"reading of {name}", value, switches[name].readings)
    for name in profile.extra_fields:
        if name not in contract.operations:
            detail = no_such("operation", name, contract.operations, listed_max=_LISTED_MAX)
            yield f"/extra_fields/{name}", detail
    for name, spans in profile.durations.items():
        lifecycle = behaviour.lifecycles.get(name)
        if lifecycle is None:
            yield f"/durations/{name}", no_such("lifecycle", name, behaviour.lifecycles)
            continue
        lasting = [it.name for it in lifecycle.states.values() if it.lasts_ms is not None]
        for state, span in spans.items():
            at = f"/durations/{name}/{state}"
            if state not in lasting:
                yield at, no_such("state that lasts", state, lasting)
            elif span.least_ms > span.p90_ms:
                yield at, f"least_ms is {span.least_ms} and p90_ms is {span.p90_ms}"
