"""What a run did: its requests, jobs and costs, read through the control API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from screentest.specs.json_types import Json

from ..kernel.clock import parse_rfc3339
from .breaks import KILLS, Break
from .places import Place

#: A run has fewer requests than the journal keeps.
_PAGES_MAX = 60
_PAGE = 200
#: Bounds of a run: a client that is still busy then has no deadline.
CALLS_MAX = 1_000
WORLD_MS_MAX = 60 * 60 * 1_000


#: Faults that leave the answer as it is. The files behind expired URLs are judged by themselves.
_HARMLESS = frozenset(
    {"latency", "stream_duplicate", "slicer", "job_at_once", "url_expired", "credits_end"}
)


#: The kinds of ledger entries that belong to calls.
_PAYMENTS = frozenset({"hold", "capture", "release", "charge", "refund"})


class Control(Protocol):
    """The control API of the mock: the answer to one operation."""

    def __call__(
        self, operation: str, body: Json = None, *, query: str = "", **path: str
    ) -> Json: ...


class Ending(Struct, frozen=True):
    """How the program ended: `ok`, `failed` with a *detail*, or `stopped` at a bound."""

    kind: str
    detail: str = ""


class Cell(Struct, frozen=True):
    """A run to try: each *break* at its *place*. A cell of the table has one, a pair two."""

    parts: tuple[tuple[Place, Break], ...]

    @property
    def name(self) -> str:
        return "+".join(f"{place.name}:{it.name}" for place, it in self.parts)

    @property
    def place(self) -> Place:
        """The first place that breaks."""
        return self.parts[0][0]

    @property
    def breaks(self) -> tuple[str, ...]:
        return tuple(it.name for _, it in self.parts)

    @property
    def kill(self) -> Place | None:
        """The place at which the program is killed, or None."""
        return next((place for place, it in self.parts if it.name == "killed"), None)

    @property
    def summary(self) -> str:
        return "; then ".join(f"{place.name}: {it.summary}" for place, it in self.parts)


class Subject(Protocol):
    """The program, which can be run again and again in equal worlds."""

    #: How many runs may go on at once.
    jobs: int
    #: The command that tries one cell again, without the cell.
    command: str

    def run(self, cell: Cell | None) -> Observed:
        """What the program does with the breaks of *cell*; without any if it is None."""
        ...


class Start(Struct, frozen=True):
    """What a world had before a run, which is not the run's."""

    requests: int = 0
    jobs: frozenset[str] = frozenset()
    entries: Mapping[str, int] = {}
    deliveries: int = 0
    now_ms: int = 0


class Observed(Struct, frozen=True):
    """One run. *seen* are the paid results that the program has got; *bought* those it paid for.

    *spent* are credits by provider. *has_fired*: each fault was applied. *is_warped*: the time of
    the world follows the sleeps of the program.
    """

    ending: Ending
    lines: Sequence[Mapping[str, Json]]
    deliveries: Sequence[Mapping[str, Json]]
    findings: Sequence[Mapping[str, Json]]
    bought: int
    seen: int
    spent: Mapping[str, int]
    elapsed_ms: int
    has_fired: bool
    is_warped: bool

    @property
    def credits(self) -> int:
        return sum(self.spent.values())

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(it["code"] for it in self.findings)

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for two runs in which the program did the same."""
        return (
            self.ending.kind,
            *((it["operation"], it["response"]["status"]) for it in self.lines),
        )


def start_of(control: Control, world: str) -> Start:
    """What *world* has now."""
    return Start(
        _count(control, world),
        frozenset(it["id"] for it in _items(control, "listJobs", world)),
        {it: len(_entries(control, world, it)) for it in _accounts(control, world)},
        len(list(_items(control, "listDeliveries", world))),
        _now_ms(control, world),
    )


def arrange(control: Control, world: str, cell: Cell, *, is_warped: bool) -> None:
    """Add the faults of *cell* to *world*."""
    for place, it in cell.parts:
        control("createFault", it.order(place, is_warped=is_warped), world=world)


def is_lost(control: Control, world: str) -> bool:
    """Whether a call to *world* has been made after which the program is to be killed."""
    faults = control("listFaults", world=world)["items"]
    return any(it["fired"] and (it["type"], it["phase"]) == KILLS for it in faults)


def observe(
    control: Control,
    world: str,
    start: Start,
    ending: Ending,
    cell: Cell | None,
) -> Observed:
    """What a run has done in *world* since *start*."""
    lines = list(_items(control, "listRequests", world))[start.requests :]
    if ending.kind == "stopped":
        # The program is ended a little later than at its bound, at another call each time.
        ends_ms = start.now_ms + WORLD_MS_MAX
        lines = [it for it in lines[:CALLS_MAX] if parse_rfc3339(it["at"]) <= ends_ms]
    deliveries = list(_items(control, "listDeliveries", world))[start.deliveries :]
    jobs = [it for it in _items(control, "listJobs", world) if it["id"] not in start.jobs]
    entries: list[Json] = []
    spent: dict[str, int] = {}
    called = {it["provider"] for it in lines}
    for account, provider in _accounts(control, world).items():
        if provider not in called:
            continue
        mine = _entries(control, world, account)[start.entries.get(account, 0) :]
        entries += mine
        spent[provider] = spent.get(provider, 0) + sum(map(_cost, mine))
    bought = [it for it in jobs if it["outcome"] != "failed" and not it["held"]]
    if entries:
        paid = {it["job"] for it in entries if it["kind"] in {"hold", "charge"}}
        bought = [it for it in bought if it["id"] in paid]
    answers = sum(it["kind"] == "charge" and it["job"] is None for it in entries)
    fields = {name for _, it in cell.parts for name in [it.name]} if cell is not None else set()
    clear = [it for it in lines if has_arrived(it, may_rewrite="state" not in fields)]
    clock, faults = control("getClock", world=world), _items(control, "listFaults", world)
    return Observed(
        ending=ending,
        lines=lines,
        deliveries=deliveries,
        findings=list(_items(control, "listFindings", world, "final=true&")),
        bought=len(bought) + answers,
        seen=sum(_is_seen(it, clear, deliveries) for it in bought) + answers,
        spent={name: amount for name, amount in spent.items() if amount},
        elapsed_ms=parse_rfc3339(clock["now"]) - start.now_ms,
        has_fired=all(it["fired"] for it in faults),
        is_warped=clock["mode"] == "warp",
    )


def bound_of(calls: int, elapsed_ms: int) -> str:
    """The bound that a run has reached, or an empty text."""
    if calls > CALLS_MAX:
        return f"more than {CALLS_MAX:,} calls"
    if elapsed_ms > WORLD_MS_MAX:
        return f"more than {WORLD_MS_MAX // 60_000} minutes of the world's time"
    return ""


def bound_in(control: Control, world: str, start: Start) -> str:
    """The bound that a run in *world* has reached, or an empty text."""
    return bound_of(_count(control, world), _now_ms(control, world) - start.now_ms)


def _count(control: Control, world: str) -> int:
    return len(list(_items(control, "listRequests", world)))


def _now_ms(control: Control, world: str) -> int:
    return parse_rfc3339(control("getClock", world=world)["now"])


def _items(control: Control, operation: str, world: str, query: str = "") -> Iterator[Json]:
    """All items of a list, oldest first."""
    found: list[Json] = []
    cursor = ""
    for _ in range(_PAGES_MAX):
        page = control(operation, query=f"{query}limit={_PAGE}{cursor}", world=world)
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    return iter(found if operation != "listJobs" else reversed(found))


def _accounts(control: Control, world: str) -> dict[str, str]:
    """The provider of each first account."""
    providers = control("getWorld", world=world)["providers"]
    return {it["account"]["id"]: name for name, it in providers.items()}


def _entries(control: Control, world: str, account: str) -> list[Json]:
    """What has been paid and paid back, without the credits of the beginning."""
    page = control("getLedger", query=f"limit={_PAGE}", world=world, account=account)
    return [it for it in page["entries"] if it["kind"] in _PAYMENTS]


def _cost(entry: Mapping[str, Json]) -> int:
    """What an entry of a ledger adds to the costs of a run; a captured hold is counted once."""
    amount = abs(int(entry["amount"]))
    if entry["kind"] in {"hold", "charge"}:
        return amount
    return -amount if entry["kind"] in {"release", "refund"} else 0


def has_arrived(line: Mapping[str, Json], *, may_rewrite: bool) -> bool:
    """Whether the client has got the answer of *line* as the provider made it."""
    harmless = {"changed_field", *_HARMLESS} if may_rewrite else _HARMLESS
    return line["response"]["status"] < 300 and all(
        it["type"] in harmless for it in line.get("faults", ())
    )


def _is_seen(
    job: Mapping[str, Json], lines: Sequence[Mapping[str, Json]], deliveries: Sequence[Json]
) -> bool:
    """Whether an answer, a stream or a webhook has shown the program the end of *job*."""
    if any(it["job"] == job["id"] and it["state"] == "delivered" for it in deliveries):
        return True
    names = [it for it in (job["id"], job["parent"]) if it]
    ends_at = job["script"][-1]["at"]
    for line in lines:
        if line["response"].get("stream") == job["id"]:
            return True
        text = f"{line['request']['path']} {line['response'].get('body')}"
        asked = line["request"].get("body", {}).get("text", "")
        if line["at"] >= ends_at and any(it in text or it in asked for it in names):
            return True
    return False
