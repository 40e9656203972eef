"""The webhooks of a draft: documented events, and addresses that a request names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from ..behaviour.lifecycles import Kind
from ..json_types import Json
from ..openapi.documents import Documents
from ..openapi.generating import UngeneratedError, generate
from ..openapi.grammar import METHODS
from ..openapi.operations import Operation, compile_operations
from .draft import Draft
from .filling import Known, show
from .found import Answer, Found
from .reads import id_places
from .values import at, put
from .views import States, View
from .words import kind_of_state, singular, snake, words_of

#: Fields of a request in which a client says where its events go.
_ADDRESS = re.compile(r"^(callback|webhook|notify|notification|hook)(_?ur[il])?$")
_RETRIES_MS = [60_000, 300_000]


class Drawn(Struct, frozen=True):
    """A resource whose answers could be drafted."""

    found: Found
    view: View
    known: Known
    states: States
    lifecycle: str


class Event(Struct, frozen=True):
    """A documented event: the request that sends it, and the kind of state that it announces."""

    name: str
    request: Operation
    kind: Kind


def events_of(document: Json) -> list[Event]:
    """The events of a document: its `webhooks` and `callbacks`, or its paths if they are events."""
    items: dict[str, Json] = dict(document.get("webhooks", {}))
    for item in document["paths"].values():
        for operation in (item[it] for it in METHODS if it in item):
            for name, by_address in operation.get("callbacks", {}).items():
                items |= dict.fromkeys([name], next(iter(by_address.values()), {}))
    if not items and all(_kind_of(path) for path in document["paths"]):
        items = {path.strip("/"): it for path, it in document["paths"].items()}
    named = {
        f"/{name}": {"post": {"responses": {}, **it["post"], "operationId": name}}
        for name, it in items.items()
        if "post" in it
    }
    requests = compile_operations(Documents("events", {**document, "paths": named}))
    kinds = {name: _kind_of(name) for name in requests}
    return [Event(name, it, kind) for name, it in requests.items() if (kind := kinds[name])]


def add_deliveries(draft: Draft, events: Sequence[Event], drawn: Sequence[Drawn]) -> None:
    """Add the webhooks of the jobs *drawn*: *events*, or those of requests with an address."""
    fields = sorted(
        {name for it in drawn for name in it.known.echoes if _ADDRESS.match(snake(name))}
    )
    sent = {event.name: (event, it) for event in events if (it := _owner(event, drawn))}
    draft.unknown += [f"which job {it.name} is about" for it in events if it.name not in sent]
    if not sent and not fields:
        return
    if sent:
        rules, because = _documented(sent), "the OpenAPI file has these events"
    else:
        rules, because = _plain(drawn), f"a request has {fields[0]!r}"
    rules |= {"retries_ms": _RETRIES_MS, "endpoints_max": 5, "secret_form": "whsec_{base62:32}"}
    if fields:
        rules["address"] = f"$job.input.?{fields[0]}.orValue(null)"
    draft.put(("webhooks",), {"id": "evt_{hex:24}", **rules}, "these webhooks", because)
    place = ("webhooks", "retries_ms")
    draft.put(place, _RETRIES_MS, "two more attempts", "nothing says how often it tries")


def _kind_of(name: str) -> Kind | None:
    kind = kind_of_state(words_of(name)[-1]) if words_of(name) else None
    return kind if kind in {Kind.RUNNING, Kind.SUCCEEDED, Kind.FAILED, Kind.CLOSED} else None


def _owner(event: Event, drawn: Sequence[Drawn]) -> Drawn | None:
    """The resource that *event* is about: it shares a word with its name, or is the only one."""
    words = {singular(it) for it in words_of(event.name)}
    sharing = [it for it in drawn if words & {singular(word) for word in words_of(it.found.name)}]
    found = sharing or (list(drawn) if len(drawn) == 1 else [])
    fitting = (it for it in found if any(kind is event.kind for _, kind in it.states))
    return next(fitting, None)


def _plain(drawn: Sequence[Drawn]) -> dict[str, Json]:
    events = {
        f"{name}.{kind.value}": {"lifecycle": name, "ends": kind.value}
        for name in dict.fromkeys(it.lifecycle for it in drawn)
        for kind in (Kind.SUCCEEDED, Kind.FAILED)
    }
    return {"events": events, "body": "$job.view", "headers": {}}


def _documented(sent: Mapping[str, tuple[Event, Drawn]]) -> dict[str, Json]:
    events: dict[str, Json] = {}
    bodies: dict[str, Json] = {}
    headers: dict[str, Json] = {}
    for name, (event, drawn) in sent.items():
        first = next(state for state, kind in drawn.states if kind is event.kind)
        events[name] = {"lifecycle": drawn.lifecycle}
        is_end = event.kind in {Kind.SUCCEEDED, Kind.FAILED}
        events[name] |= {"ends": event.kind.value} if is_end else {"enters": [first]}
        bodies[name] = _body(event, drawn, first)
        headers |= dict(_headers(event.request))
    shared = list(bodies.values())
    if all(it == shared[0] for it in shared):
        return {"events": events, "body": shared[0], "headers": headers}
    for name, body in bodies.items():
        events[name]["data"] = body
    return {"events": events, "body": "$data", "headers": headers}


def _body(event: Event, drawn: Drawn, state: str) -> Json:
    """The template of the body of *event*, whose job has entered *state*."""
    schema = event.request.body_schema("application/json")
    try:
        value = generate(schema, Random(1)) if schema is not None else None
        full = generate(schema, Random(1), is_full=True) if schema is not None else None
    except UngeneratedError:
        return "$job.view"
    found = drawn.found
    id_at = next(iter(id_places(value, found.id_from.partition(".")[2], found.name)), None)
    if schema is None or id_at is None:
        return "$job.view"
    status_at = (*id_at[:-1], found.status_at[-1]) if found.status_at is not None else None
    known = replace(drawn.known, id_at=id_at, status_at=status_at, facts="job.")
    shown = show(Answer(schema, value, full, 200), known, state, event.kind)
    if shown is None:
        return "$job.view"
    template = shown.template
    # Vendors write webhooks down with less care: the same fields are the same object.
    container = id_at[:-1]
    if at(shown.sample, container).keys() == drawn.view.samples[0].keys():
        if not container:
            return "$job.view"
        put(template, container, "$job.view")
    for name, inner in template.items() if isinstance(template, dict) else ():
        if inner == event.name:
            template[name] = "$type"
    return template


def _headers(request: Operation) -> Iterator[tuple[str, str]]:
    for it in request.parameters:
        words = words_of(it.name)
        if it.place != "header":
            continue
        for word, text in (
            ("signature", "{signature.hex}"),
            ("timestamp", "{timestamp.s}"),
            ("id", "{id}"),
            ("type", "{type}"),
        ):
            if word in words:
                yield it.name, text
                break
