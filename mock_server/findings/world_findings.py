"""All findings of a world in one list: about requests, deliveries, streams and payments.

`Verdict` adds those up that no request shows, over all worlds of a process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec import Struct

from screentest.specs.json_types import Json

from ..engine.outbox import deliveries
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import parse_rfc3339, rfc3339
from ..store.history_tables import JOURNAL_MAX
from .after_the_end import acted_twice
from .file_transfers import broken_downloads
from .payment_verdicts import payment_findings

#: All codes begin so.
_ANY_CODE = "SC"


class WorldFinding(Struct, frozen=True):
    """One *finding* with its place: *where* names the kind and the id of what it is about."""

    at_ms: int
    provider: str
    where: Mapping[str, Json]
    finding: Mapping[str, Json]

    def fits(self, filters: Mapping[str, Json]) -> bool:
        """Whether this has the values of *filters*: code, severity, kind, provider, since."""
        since = filters.get("since")
        has: Mapping[str, Json] = {
            "code": self.finding["code"],
            "severity": self.finding["severity"],
            "kind": self.where["kind"],
            "provider": self.provider,
        }
        return all(filters.get(name, it) == it for name, it in has.items()) and (
            since is None or self.at_ms >= parse_rfc3339(since)
        )

    def to_json(self) -> Json:
        return {
            "at": rfc3339(self.at_ms),
            "provider": self.provider,
            "where": self.where,
            **self.finding,
        }


def world_findings(worlds: Worlds, world: World, *, is_final: bool = False) -> list[WorldFinding]:
    """The findings of *world*, in the order of time; to be called inside a transaction.

    *is_final* judges paid jobs as if the client had ended.
    """
    found = chain(
        _of_requests(world),
        _of_deliveries(world),
        _of_downloads(worlds, world, is_final=is_final),
        _of_payments(worlds, world, is_final=is_final),
    )
    return sorted(found, key=lambda it: it.at_ms)


def _of_requests(world: World) -> Iterator[WorldFinding]:
    lines = world.rows.journal.page(after=0, limit=JOURNAL_MAX, filters={"code": _ANY_CODE})
    for _, line in lines:
        where = _place("request", line["id"], line["operation"])
        for finding in line.get("findings", ()):
            yield WorldFinding(parse_rfc3339(line["at"]), line["provider"], where, finding)


def _of_deliveries(world: World) -> Iterator[WorldFinding]:
    for it in deliveries(world.rows):
        for attempt in it.attempts:
            number = attempt["number"]
            where = _place("delivery", it.id, it.operation, job=it.job, attempt=number)
            for finding in attempt.get("findings", ()):
                yield WorldFinding(parse_rfc3339(attempt["at"]), it.provider, where, finding)


def _of_payments(worlds: Worlds, world: World, *, is_final: bool) -> Iterator[WorldFinding]:
    found = payment_findings(worlds, world, is_final=is_final)
    for it in chain(found, acted_twice(worlds, world)):
        payment = it.payment
        where = _place(
            "stream" if payment.is_stream else "payment",
            f"req_{payment.seq}",
            payment.operation,
            job=payment.job[1] if payment.job is not None else None,
            twin=f"req_{it.twin}" if it.twin is not None else None,
            credits=payment.cost,
        )
        yield WorldFinding(it.at_ms, payment.provider, where, it.finding.to_json())


def _of_downloads(worlds: Worlds, world: World, *, is_final: bool) -> Iterator[WorldFinding]:
    for it in broken_downloads(worlds, world, is_final=is_final):
        where = _place("request", f"req_{it.number}", it.operation or None)
        yield WorldFinding(it.at_ms, it.provider, where, it.finding.to_json())


def _place(kind: str, id_: str, operation: str | None, **facts: Json) -> dict[str, Json]:
    rest: dict[str, Json] = {"job": None, "attempt": None, "twin": None, "credits": None}
    return {"kind": kind, "id": id_, "operation": operation, **rest, **facts}


class Verdict:
    """Counts the findings of all worlds that no request shows, including worlds that have ended."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._of_ended: Counter[tuple[str, str]] = Counter()
        worlds.before_end(lambda world: self._of_ended.update(self._of(world)))

    def counts(self) -> Counter[tuple[str, str]]:
        """How often each code was found, by (code, severity), as if all clients had ended."""
        counts = Counter(self._of_ended)
        for world in self._worlds.all():
            with world.rows.transaction():
                counts.update(self._of(world))
        return counts

    def _of(self, world: World) -> Iterator[tuple[str, str]]:
        worlds = self._worlds
        found = chain(
            _of_deliveries(world),
            _of_downloads(worlds, world, is_final=True),
            _of_payments(worlds, world, is_final=True),
        )
        for it in found:
            yield it.finding["code"], it.finding["severity"]
