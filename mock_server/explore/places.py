"""The places at which a run can break: its requests and its webhooks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from screentest.specs.behaviour.operations import OperationRules
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..kernel.environ_keys import FILES

#: The place of a delivery has this in place of an operation.
WEBHOOK = "webhook"


_FILE = re.compile(re.escape(FILES) + r"([^?\"…]+)")


class Place(Struct, frozen=True):
    """One request of a run, or one webhook: the *nth* of its operation, counted from 1.

    *line* is its line of the journal, or the delivery. *index* is its position in the journal
    of the run; webhooks follow.
    """

    name: str
    provider: str
    operation: str
    nth: int
    index: int
    line: Mapping[str, Json]
    contract: Contract

    @property
    def rules(self) -> OperationRules:
        return self.contract.behaviour.operations[self.operation]

    @property
    def is_webhook(self) -> bool:
        return self.operation == WEBHOOK

    @property
    def is_json(self) -> bool:
        """Whether the answer has a JSON body that can be spoilt."""
        return isinstance(self.line["response"].get("body"), str) and self.body is not None

    @property
    def body(self) -> Json:
        """The decoded answer, or None."""
        return decoded(self.line)

    @property
    def state_pointer(self) -> str | None:
        """The JSON pointer of the state of a job in the answer, or None."""
        return next(state_pointers(self.body, state_words(self.contract)), None)

    @property
    def has_signed_url(self) -> bool:
        """Whether the answer has a URL of a file that expires."""
        return has_signed_url(self.line, self.contract)

    @property
    def events(self) -> int:
        """How many events the stream of this request has; 0 for another answer."""
        return int(self.line["response"].get("events", 0))

    def position_in(self, lines: Sequence[Mapping[str, Json]]) -> int:
        """The index of this request in another run's journal; the journal's length if it is absent.

        Requests that a program makes at the same time can arrive in another order there.
        """
        if self.is_webhook:
            return len(lines) + self.nth - 1
        names = [(it["provider"], it["operation"]) for it in lines]
        same = [at for at, it in enumerate(names) if it == (self.provider, self.operation)]
        return same[self.nth - 1] if len(same) >= self.nth else len(lines)

    @property
    def where(self) -> dict[str, str]:
        """The conditions of a fault that applies here."""
        place = {"provider": self.provider}
        return place if self.is_webhook else {**place, "operation": self.operation}


def decoded(line: Mapping[str, Json]) -> Json:
    """The JSON body of the answer in a *line* of the journal, or None."""
    body = line["response"].get("body")
    if not isinstance(body, str) or line["response"].get("sent"):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def has_signed_url(line: Mapping[str, Json], contract: Contract) -> bool:
    """Whether the answer in a *line* of the journal has a URL of a file that expires."""
    kinds = [it for it in contract.behaviour.urls.values() if it.names]
    # The journal cuts signatures out, so a URL may have lost its query.
    paths = _FILE.findall(str(line["response"].get("body")))
    return any(it.parts_of(path) is not None for path in paths for it in kinds)


def state_words(contract: Contract) -> Mapping[str, bool]:
    """The names of the states of all lifecycles, with whether the state is final."""
    return {
        state.name: state.kind.is_final
        for resource in contract.behaviour.resources.values()
        if resource.lifecycle is not None
        for state in resource.lifecycle.states.values()
    }


def state_pointers(body: Json, words: Mapping[str, bool], at: str = "") -> Iterator[str]:
    """The JSON pointers to values in *body* that are one of *words*."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from state_pointers(value, words, f"{at}/{name}")
    elif isinstance(body, str) and body in words:
        yield at


def places_of(
    lines: Sequence[Mapping[str, Json]],
    deliveries: Sequence[Mapping[str, Json]],
    contracts: Mapping[str, Contract],
) -> list[Place]:
    """Every place of a run, in the order of time; webhooks come last."""
    counts: Counter[tuple[str, str]] = Counter()
    found: list[Place] = []
    found_at = [(at, it, str(it["operation"])) for at, it in enumerate(lines) if it["operation"]]
    found_at += [(at, it, WEBHOOK) for at, it in enumerate(deliveries, len(lines))]
    has_one_provider = len({line["provider"] for _, line, _ in found_at}) == 1
    for index, line, operation in found_at:
        provider = line["provider"]
        counts[provider, operation] += 1
        nth = counts[provider, operation]
        name = f"{operation}.{nth}" if has_one_provider else f"{provider}.{operation}.{nth}"
        found.append(Place(name, provider, operation, nth, index, line, contracts[provider]))
    return found


def distinct(places: Sequence[Place]) -> list[Place]:
    """The first and the last of the places that a client cannot tell apart.

    Equal requests in the middle of a loop are not tried again: their neighbours and their answers
    have the same operations and states.
    """
    first: dict[object, Place] = {}
    last: dict[tuple[str, str], Place] = {}
    for place, before, after in zip(places, [None, *places], [*places[1:], None], strict=False):
        around = tuple(it.operation if it is not None else "" for it in (before, after))
        state = None if place.is_webhook else _state_shown(place)
        kind = (place.provider, place.operation, around, state)
        first.setdefault(kind, place)
        last[place.provider, place.operation] = place
    kept = {it.index for it in (*first.values(), *last.values())}
    return [it for it in places if it.index in kept]


def _state_shown(place: Place) -> tuple[int, tuple[str, ...]]:
    """The status and the states in the answer at *place*."""
    words = state_words(place.contract)
    pointers = state_pointers(place.body, words)
    return place.line["response"]["status"], tuple(pointers) and _values(place.body, words)


def _values(body: Json, words: Mapping[str, bool]) -> tuple[str, ...]:
    if isinstance(body, dict):
        return tuple(it for value in body.values() for it in _values(value, words))
    return (body,) if isinstance(body, str) and body in words else ()
