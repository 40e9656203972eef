"""What a contract says of its provider, point by point, each with its place and its basis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ..behaviour.behaviour import Behaviour
from ..behaviour.prices import Price
from ..clauses.clauses import read_clauses
from ..contracts.contract import Contract
from ..files import BEHAVIOUR, READINGS, lines_of
from ..json_types import Json
from ..openapi.document_file import openapi_file
from .drawing import lifecycle_lines

#: What a draft writes on or above a line that it is not sure of.
_GUESS = "# guessed"


class Point(Struct, frozen=True):
    """One point of a contract. *at* is a JSON pointer into *file*; *cites* are ids."""

    section: str
    name: str
    says: str
    at: str
    cites: Sequence[str] = ()
    file: str = BEHAVIOUR


class Explained(Struct, frozen=True):
    """A point with its *place*, and what it rests on.

    *basis* is `documented` (by the clauses *cites*), `interpretation`, `guessed` by a draft, or
    `assumed` where the contract names nothing. *line* is 0 for what the file leaves out.
    """

    section: str
    name: str
    says: str
    file: str
    line: int
    basis: str
    cites: Sequence[str]


def explain(contract: Contract) -> list[Explained]:
    """Every point of *contract*, in the order of a job's life."""
    points = list(_points(contract))
    clauses = read_clauses(contract)
    interpretations = {it.id for it in contract.behaviour.interpretations.values()}
    found: list[Explained] = []
    lines = {
        file: lines_of(
            contract.folder / file,
            [
                it.at
                for it in points
                if it.file == file and _is_written(contract.content(file), it.at)
            ],
        )
        for file in (BEHAVIOUR, READINGS)
    }
    guessed = {file: _guessed_lines(contract, file) for file in lines}
    for it in points:
        line = lines[it.file].get(it.at, 0)
        cites = [id_ for id_ in it.cites if id_]
        is_read = it.file == READINGS or bool(cites and interpretations.issuperset(cites))
        is_known = any(id_ in clauses or not clauses for id_ in cites)
        if line in guessed[it.file]:
            basis = "guessed"
        elif is_read:
            basis = "interpretation"
        else:
            basis = "documented" if is_known else "assumed"
        file = str(contract.folder / it.file) if line else str(openapi_file(contract.place))
        found.append(Explained(it.section, it.name, it.says, file, line, basis, cites))
    return found


def _is_written(content: Json, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        try:
            content = content[int(step) if isinstance(content, list) else step]
        except LookupError:
            return False
    return True


def _guessed_lines(contract: Contract, file: str) -> set[int]:
    path = contract.folder / file
    texts = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found: set[int] = set()
    is_guess = False
    for number, text in enumerate(texts, 1):
        is_guess |= _GUESS in text
        if is_guess and not text.lstrip().startswith("#"):
            # A comment above a line is about that line; it may have several lines itself.
            found.add(number)
            is_guess = False
    return found


def _points(contract: Contract) -> Iterator[Point]:
    rules = contract.behaviour
    for name, lifecycle in rules.lifecycles.items():
        drawn = "\n".join(lifecycle_lines(lifecycle))
        yield Point("states", name, drawn, f"/lifecycles/{name}", [lifecycle.source])
    yield from _operations(rules)
    if rules.initial_credits is not None:
        yield Point(
            "prices",
            "a new account",
            f"{rules.initial_credits} credits",
            "/accounts/initial_credits",
        )
    for id_, operation in rules.operations.items():
        if operation.price is not None:
            at = f"/operations/{id_}/price"
            yield Point("prices", id_, _price(operation.price), at, [operation.price.source])
    yield from _refusals(rules)
    yield from _limits(rules)
    yield from _webhooks(rules)
    for name, it in rules.interpretations.items():
        others = ", ".join(it.alternatives) or "no other reading"
        says = f"{it.default} (or: {others}). {it.reason}"
        yield Point("interpretations", name, says, f"/{name}", [it.id], READINGS)


def _operations(rules: Behaviour) -> Iterator[Point]:
    for id_, it in rules.operations.items():
        if it.is_unbehaved:
            says = "answers an example, or a value made for its schema"
        else:
            done = [it.effect, it.does or "", f"starts a {it.starts}" if it.starts else ""]
            says = ", ".join(part for part in done if part)
        yield Point("operations", id_, says, f"/operations/{id_}", it.source)


def _price(price: Price) -> str:
    unit = "" if price.formula.names else " credits"
    parts = [f"{price.formula.text}{unit}, charged at {price.moment.value}"]
    if price.table is not None:
        parts.append(f"by {', '.join(price.table.by)}: {dict(price.table.rows)}")
    if price.balance_min:
        parts.append(f"refused below {price.balance_min} credits")
    return "; ".join(parts)


def _refusals(rules: Behaviour) -> Iterator[Point]:
    order = " → ".join(rules.refusal_order)
    yield Point("refusals", "order", order, "/refusals/order")
    for reason, reply in rules.refusals.items():
        cites = rules.cites.of_reason("", reason) or ()
        at = f"/refusals/replies/{reason}"
        yield Point("refusals", reason, f"{reply.status} {reply.message}", at, cites)


def _limits(rules: Behaviour) -> Iterator[Point]:
    sizes = rules.limits
    says = f"JSON up to {sizes.json_bytes_max} bytes, uploads up to {sizes.upload_bytes_max} bytes"
    yield Point("limits", "sizes", says, "/limits", [sizes.source])
    for number, it in enumerate(rules.rate_windows):
        says = f"{it.limit} calls per {it.per_ms / 1_000:g} s and {it.scope}"
        says += _when(it.when)
        yield Point("limits", it.name, says, f"/rate_windows/{number}", [it.source])
    if rules.concurrency is not None:
        caps = ", ".join(f"{count} ({tier})" for tier, count in rules.concurrency.limits.items())
        says = f"running jobs per {rules.concurrency.scope}: {caps}"
        yield Point("limits", "concurrency", says, "/concurrency", [rules.concurrency.source])
    if rules.idempotency is not None:
        key = rules.idempotency
        says = f"{key.header} replays an answer for {key.keeps_ms / 1_000:g} s"
        yield Point("limits", "idempotency", says, "/idempotency", [key.source])
    if rules.cadence is not None:
        says = f"{rules.cadence.at_least_ms / 1_000:g} s between polls"
        yield Point("limits", "cadence", says, "/cadence", [rules.cadence.source])
    for number, end in enumerate(rules.retires):
        yield Point("limits", f"end of {end}", end.day, f"/retires/{number}", [end.source])
    for name, url in rules.urls.items():
        life = "never expires" if url.lives_ms is None else f"lives {url.lives_ms / 1_000:g} s"
        yield Point("limits", f"URL {name}", f"{url.path} {life}", f"/urls/{name}", [url.source])


def _when(readings: Mapping[str, str]) -> str:
    return "".join(f", with {name}={value}" for name, value in readings.items())


def _webhooks(rules: Behaviour) -> Iterator[Point]:
    webhooks = rules.webhooks
    if webhooks is None:
        return
    for type_, it in webhooks.events.items():
        states = [it.ends.value] if it.ends is not None else sorted(it.enters)
        says = f"when a job of {it.lifecycle!r} is {' or '.join(states)}"
        yield Point("webhooks", type_, says, f"/webhooks/events/{type_}", [it.source])
    waits = ", ".join(f"{it / 1_000:g} s" for it in webhooks.retries_ms) or "none"
    cites = [webhooks.source]
    yield Point("webhooks", "retries", f"after {waits}", "/webhooks/retries_ms", cites)
    signed = f"HMAC-SHA256 of {webhooks.signed}, in {', '.join(webhooks.headers) or 'no header'}"
    yield Point("webhooks", "signature", signed, "/webhooks/signed", cites)
