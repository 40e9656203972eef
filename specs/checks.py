"""How a provider's promises are observed: the `checks` section of its behaviour file.

Nothing here is about what a provider does, only about where an answer shows it: the smallest
request that an operation accepts, where a job's id and state stand, which fields never change. The
mock never reads this; the contract kit reads nothing else beside the contract itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs
from msgspec import Struct
from msgspec.structs import replace

from .clauses import Clause, ids_in, read_clauses
from .contract import Contract, load_contract
from .errors import ContractError
from .files import read_yaml
from .flows import Flow, read_flows
from .json_types import Json

SCHEMA_FILE = Path(__file__).with_name("checks.schema.json")


class RequestPlan(Struct, frozen=True):
    """A request without its address: one of *json*, *form* and *raw*, or no body at all.

    *answers* is the status of the smallest request where it cannot be a success.
    """

    json: Json = None
    form: Mapping[str, Json] | None = None
    query: Mapping[str, Json] = {}
    headers: Mapping[str, str] = {}
    raw: bytes | None = None
    type: str | None = None
    answers: int | None = None

    @property
    def fields(self) -> Mapping[str, Json]:
        """The fields of its body, of whichever form."""
        if self.form is not None:
            return self.form
        return self.json if isinstance(self.json, dict) else {}


class Fact(Struct, frozen=True):
    """A figure read from a trace: a field with a default, or how many items a list has.

    *shown* is where an answer shows the figure that the provider went by, which then counts.
    *counts_calls* asks how often the same account called the operation successfully before. With
    *only* a figure outside these bounds is not known, as where a provider clamps it.
    """

    source: str = ""
    default: Json = None
    count: str = ""
    with_text: str = ""
    counts_calls: bool = False
    only: tuple[float, float] | None = None
    shown: str = ""


class Content(Struct, frozen=True):
    """An operation that answers the finished file itself; *early* is its status before that."""

    operation: str
    type: str
    early: int | None = None
    source: tuple[str, ...] = ()


class Make(Struct, frozen=True):
    """How one resource of *kind* is got: by an operation, after *needs* has succeeded.

    *ids* are names for expressions over the creating exchange; the first is its own id.
    """

    kind: str
    by: str
    ids: Mapping[str, str]
    needs: str | None = None
    read: str | None = None
    job: str = ""
    content: Content | None = None

    @property
    def own_id(self) -> str:
        return next(iter(self.ids))


class MediaView(Struct, frozen=True):
    """What the finished file is: where its address stands, and the facts of its making."""

    at: str
    size_by: tuple[Fact, ...] = ()
    sizes: Json = None
    seconds: Fact | None = None
    fps: float | None = None
    source: tuple[str, ...] = ()


class View(Struct, frozen=True):
    """What one answer shows of resources of one kind. All parts but *id* may be empty."""

    operation: str
    resource: str
    id: str
    status: int | None = None
    each: str = ""
    asked: str = ""
    state: str | tuple[tuple[str, Mapping[str, Json]], ...] = ""
    aliases: Mapping[str, str] = {}
    progress: str = ""
    constant: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    ascending: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    shown: Mapping[str, tuple[str, ...]] = {}
    echoes: Mapping[str, str] = {}
    urls: Mapping[str, str] = {}
    media: MediaView | None = None
    charged: str = ""
    balance: str = ""
    refunded: str = ""
    source: tuple[str, ...] = ()


class ListRules(Struct, frozen=True):
    """What a listing operation promises of its order and its length.

    *oldest_first* are query parameters that turn the order round. *counted_by* is an operation that
    tells how many there are, and where.
    """

    operation: str
    items: str
    id: str
    of: str
    named: str
    newest_first: bool = True
    oldest_first: Mapping[str, str] = {}
    limit: str = ""
    after: str = ""
    more: str = ""
    counted_by: tuple[str, str] | None = None
    source: tuple[str, ...] = ()


class Example(Struct, frozen=True):
    """A request that must be refused (*because* is the reason), or accepted (*because* is empty).

    *added* replaces or joins fields of the smallest request, *without* leaves some out; *plan*
    takes its place altogether.
    """

    name: str
    operation: str
    summary: str
    because: str = ""
    status: int | None = None
    plan: RequestPlan | None = None
    added: Mapping[str, Json] = {}
    without: tuple[str, ...] = ()
    costs: int | None = None
    shows: Mapping[str, Json] = {}
    finally_shows: Mapping[str, Json] = {}
    source: tuple[str, ...] = ()


class Relation(Struct, frozen=True):
    """A sum, an equality, an order of times or a part of a text inside one answer."""

    name: str
    operation: str
    summary: str
    status: int | None = None
    total: str = ""
    parts: tuple[str, ...] = ()
    counts: str = ""
    ascending: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    fact: Fact | None = None
    price: str = ""
    source: tuple[str, ...] = ()


class MayRefuse(Struct, frozen=True):
    """Statuses with which an operation refuses requests that are valid in shape, and says so."""

    statuses: tuple[int, ...]
    source: tuple[str, ...]


class Cadence(Struct, frozen=True):
    """How often a provider wants to be polled: *first_ms* during *for_ms*, then *then_ms*."""

    first_ms: int = 2_000
    for_ms: int = 60_000
    then_ms: int = 10_000


class Checks(Struct, frozen=True):
    """Everything that the kit knows of a provider beside its contract.

    *clauses* are the sentences of the provider's document, by id. *also* are further clauses that
    a rule of the kit judges, by the id of the rule.
    """

    cadence: Cadence
    requests: Mapping[str, RequestPlan]
    price_facts: Mapping[str, Mapping[str, Fact]]
    makes: Mapping[str, Make]
    views: Mapping[str, tuple[View, ...]]
    lists: Mapping[str, ListRules]
    refused: tuple[Example, ...]
    accepted: tuple[Example, ...]
    relations: tuple[Relation, ...]
    flows: tuple[Flow, ...]
    unreachable: Mapping[str, str]
    may_refuse: Mapping[str, MayRefuse]
    same_as_asked: Mapping[str, tuple[str, tuple[str, ...]]]
    also: Mapping[str, tuple[str, ...]] = {}
    clauses: Mapping[str, Clause] = {}


@cache
def load_checks(provider: str) -> Checks:
    """The checks of *provider*, read on first use and kept.

    Raises:
        ContractError: there are none, or they break their schema or name what does not exist.
    """
    contract = load_contract(provider)
    return read_checks(Path(__file__).parent / provider / "behaviour.yaml", contract)


def read_checks(path: Path, contract: Contract) -> Checks:
    """The `checks` section of the behaviour file at *path*.

    Raises:
        ContractError: it is missing, or wrong.
    """
    document = read_yaml(path)
    raw = document.get("checks")
    if raw is None:
        raise ContractError(f"{path} has no `checks` section, so nothing can be verified")
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text()))
    for error in validator.iter_errors(raw):
        where = "/".join(str(step) for step in error.instance_path) or "the top level"
        raise ContractError(f"{path}: checks: at {where}: {error.message}")
    checks = replace(_checks(raw), clauses=read_clauses(contract))
    _check_names(path, checks, contract)
    return checks


def _checks(raw: Json) -> Checks:
    cadence = raw.get("cadence", {})
    return Checks(
        cadence=Cadence(**{name: it for name, it in cadence.items() if name != "source"}),
        requests={name: read_plan(it) for name, it in raw["requests"].items()},
        price_facts={
            operation: {name: _fact(it) for name, it in facts.items()}
            for operation, facts in raw.get("price_facts", {}).items()
        },
        makes={name: _make(name, it) for name, it in raw.get("makes", {}).items()},
        views={
            operation: tuple(_view(operation, it) for it in views)
            for operation, views in raw.get("views", {}).items()
        },
        lists={name: _list(name, it, raw) for name, it in raw.get("lists", {}).items()},
        refused=tuple(_example("refused", n, it) for n, it in enumerate(raw.get("refused", []))),
        accepted=tuple(_example("accepted", n, it) for n, it in enumerate(raw.get("accepted", []))),
        relations=tuple(_relation(n, it) for n, it in enumerate(raw.get("relations", []))),
        flows=read_flows(raw.get("flows", {})),
        unreachable=raw.get("unreachable", {}),
        may_refuse={
            name: MayRefuse(tuple(it["statuses"]), ids_in(it["source"]))
            for name, it in raw.get("may_refuse", {}).items()
        },
        same_as_asked={
            kind: (it["same"], ids_in(it.get("source")))
            for kind, it in raw.get("same_as_asked", {}).items()
        },
        also={rule_id: ids_in(it) for rule_id, it in raw.get("also", {}).items()},
    )


def read_plan(raw: Json) -> RequestPlan:
    """The request that a mapping of the file describes."""
    body = raw.get("raw")
    return RequestPlan(
        json=raw.get("json"),
        form=raw.get("form"),
        query=raw.get("query", {}),
        headers=raw.get("headers", {}),
        raw=body.encode() if body is not None else None,
        type=raw.get("type"),
        answers=raw.get("answers"),
    )


def _fact(raw: Json) -> Fact:
    return Fact(
        source=raw.get("from", ""),
        default=raw.get("default"),
        count=raw.get("count", ""),
        with_text=raw.get("with_text", ""),
        counts_calls=raw.get("calls", False),
        only=tuple(raw["only"]) if "only" in raw else None,
        shown=raw.get("shown", ""),
    )


def _make(kind: str, raw: Json) -> Make:
    content = raw.get("content")
    return Make(
        kind=kind,
        by=raw["by"],
        ids=raw["ids"],
        needs=raw.get("needs"),
        read=raw.get("read"),
        job=raw.get("job", ""),
        content=Content(**{**content, "source": ids_in(content.get("source"))})
        if content
        else None,
    )


def _view(operation: str, raw: Json) -> View:
    plain: dict[str, Json] = {
        name: raw[name]
        for name in (
            "resource",
            "id",
            "status",
            "each",
            "asked",
            "aliases",
            "progress",
            "echoes",
            "urls",
            "charged",
            "balance",
            "refunded",
        )
        if name in raw
    }
    for name in ("constant", "settles", "ascending", "moves"):
        if name in raw:
            plain[name] = tuple(raw[name])
    state = raw.get("state", "")
    if isinstance(state, list):
        state = tuple((case["is"], case["where"]) for case in state)
    media = raw.get("media")
    return View(
        operation=operation,
        state=state,
        shown={kind: tuple(fields) for kind, fields in raw.get("shown", {}).items()},
        media=_media(media) if media else None,
        source=ids_in(raw.get("source")),
        **plain,
    )


def _media(raw: Json) -> MediaView:
    return MediaView(
        at=raw["at"],
        size_by=tuple(_fact(it) for it in raw.get("size_by", [])),
        sizes=raw.get("sizes"),
        seconds=_fact(raw["seconds"]) if "seconds" in raw else None,
        fps=raw.get("fps"),
        source=ids_in(raw.get("source")),
    )


def _list(operation: str, raw: Json, checks: Json) -> ListRules:
    plain = {name: it for name, it in raw.items() if name not in {"as", "counted_by", "source"}}
    named = raw.get("as") or next(iter(checks["makes"][raw["of"]]["ids"]))
    counted = raw.get("counted_by")
    counted_by = (counted["operation"], counted["at"]) if counted else None
    source = ids_in(raw.get("source"))
    return ListRules(
        operation=operation, named=named, counted_by=counted_by, source=source, **plain
    )


def _example(kind: str, number: int, raw: Json) -> Example:
    return Example(
        name=f"{kind}.{number + 1}",
        operation=raw["operation"],
        summary=raw["summary"],
        because=raw.get("because", ""),
        status=raw.get("status"),
        plan=read_plan(raw["request"]) if "request" in raw else None,
        added=raw.get("with", {}),
        without=tuple(raw.get("without", ())),
        costs=raw.get("costs"),
        shows=raw.get("shows", {}),
        finally_shows=raw.get("finally", {}),
        source=ids_in(raw.get("source")),
    )


def _relation(number: int, raw: Json) -> Relation:
    plain = {
        name: raw[name]
        for name in ("operation", "summary", "status", "total", "counts", "price")
        if name in raw
    }
    return Relation(
        name=f"relation.{number + 1}",
        parts=tuple(raw.get("parts", ())),
        ascending=tuple(raw.get("ascending", ())),
        equal=tuple(raw.get("equal", ())),
        contains=tuple(raw.get("contains", ())),
        fact=_fact(raw["fact"]) if "fact" in raw else None,
        source=ids_in(raw.get("source")),
        **plain,
    )


def _check_names(path: Path, checks: Checks, contract: Contract) -> None:
    """Every name that the section uses exists in the contract."""
    behaviour = contract.behaviour
    operations = [
        *checks.requests,
        *checks.views,
        *checks.lists,
        *checks.price_facts,
        *checks.unreachable,
        *checks.may_refuse,
        *(it.operation for it in checks.refused),
        *(it.operation for it in checks.accepted),
        *(it.operation for it in checks.relations),
        *(name for it in checks.flows for name in it.operations),
        *(make.by for make in checks.makes.values()),
        *(make.read for make in checks.makes.values() if make.read is not None),
    ]
    for name in operations:
        if name not in contract.operations:
            raise ContractError(f"{path}: checks: there is no operation {name!r}")
    for views in checks.views.values():
        for view in views:
            if view.resource not in {*behaviour.resources, *checks.makes}:
                raise ContractError(f"{path}: checks: there is no resource {view.resource!r}")
            for url in view.urls:
                if url not in behaviour.urls:
                    raise ContractError(f"{path}: checks: there is no kind of URL {url!r}")
    for example in checks.refused:
        if example.because not in behaviour.refusals and example.status is None:
            raise ContractError(f"{path}: checks: there is no refusal {example.because!r}")
    for make in checks.makes.values():
        if make.needs is not None and make.needs not in checks.makes:
            raise ContractError(f"{path}: checks: {make.kind!r} needs unknown {make.needs!r}")
