"""The finding about a client that acts on the end of a paid job twice: by webhook and by poll."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..engine.instant import Instant
from ..engine.outbox import deliveries
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import parse_rfc3339
from ..kernel.finding import Finding
from ..kernel.rows import Payment, Resource
from ..kernel.webhooks import Outcome
from .payment_verdicts import PaymentFinding
from .payments import price, source_of_payment, thing

#: Requests that showed the end of one job: a client that asks more often is found for that.
_ENDS_MAX = 20
#: The part of an id that its URLs have as well; a shorter one may be in a body by chance.
_NAME = re.compile(r"[A-Za-z0-9]{8,}")


def note_end(ctx: Instant, job: Resource) -> None:
    """Note that the present request has shown the end of *job*, if that was paid for."""
    if ctx.rows.payment_reads.get(job.id) is None:
        return
    name = _mark_of(ctx.provider, job.id)
    shown = ctx.rows.marks.value(name) or ()
    if len(shown) < _ENDS_MAX:
        ctx.rows.marks.note(name, ctx.request, *shown, ctx.request)


def acted_twice(worlds: Worlds, world: World) -> Iterator[PaymentFinding]:
    """The findings about what followed the ends of the paid jobs of *world*.

    To be called inside a transaction.
    """
    delivered = _delivered_ms(world)
    texts: Mapping[str, Sequence[tuple[Payment, str]]] = {}
    for payment in world.rows.payments.all() if delivered else ():
        id_ = payment.job[1] if payment.job is not None else ""
        shown_by: Any = world.rows.marks.value(_mark_of(payment.provider, id_))
        if id_ not in delivered or not shown_by:
            continue
        texts = texts or _texts_by_name(world)
        for first, second in _same_followers(payment, texts):
            if _each_had_its_reason(first, second, delivered[id_], shown_by):
                found = _acted_twice(worlds.contracts[payment.provider], id_, first, second)
                yield PaymentFinding(found, second.at_ms, second, first.seq)


def _mark_of(provider: str, job: str) -> str:
    return f"end {provider} {job}"


def _delivered_ms(world: World) -> Mapping[str, int]:
    """When the receiver took the first webhook about a job, by job."""
    taken: dict[str, int] = {}
    for it in deliveries(world.rows):
        for attempt in it.attempts:
            if Outcome(attempt["status"]).is_success:
                taken.setdefault(it.job, parse_rfc3339(attempt["at"]))
    return taken


def _texts_by_name(world: World) -> Mapping[str, Sequence[tuple[Payment, str]]]:
    """The paid calls with their texts, by each word in them that may be the id of a job."""
    found: dict[str, list[tuple[Payment, str]]] = {}
    for it in world.rows.payments.all():
        text = _text(world.rows.journal.line(it.seq))
        for name in set(_NAME.findall(text)):
            found.setdefault(name, []).append((it, text))
    return found


def _same_followers(
    of: Payment, texts: Mapping[str, Sequence[tuple[Payment, str]]]
) -> Iterator[tuple[Payment, Payment]]:
    """The paid calls about the job of *of* that are the same, each with the one after it."""
    assert of.job is not None
    by_content: dict[tuple[str, str], list[Payment]] = {}
    name = (_NAME.findall(of.job[1]) or [""])[-1]
    # Two answers give a file two URLs, so whatever names the job counts as the same.
    naming = rf'[^"\n]*{re.escape(name)}[^"\n]*'
    for it, text in texts.get(name, ()):
        is_after = it.seq > of.seq and not it.is_lost
        if is_after and (it.provider, it.account) == (of.provider, of.account):
            by_content.setdefault((it.operation, re.sub(naming, "", text)), []).append(it)
    for same in by_content.values():
        yield from pairwise(same)


def _text(line: Json | None) -> str:
    """The path and the body of a request."""
    if line is None:
        return ""
    request = line["request"]
    parts = [str(it.get("text", it.get("sha256"))) for it in request.get("form", ())]
    return "\n".join([request["path"], request.get("body", {}).get("text", ""), *parts])


def _each_had_its_reason(
    first: Payment, second: Payment, delivered_ms: int, shown_by: Sequence[int]
) -> bool:
    """Whether the webhook led to one of the calls, and a poll of *shown_by* to the other."""
    if delivered_ms <= first.at_ms:
        return any(first.seq < it < second.seq for it in shown_by)
    return shown_by[0] < first.seq and delivered_ms <= second.at_ms


def _acted_twice(contract: Contract, job: str, first: Payment, second: Payment) -> Finding:
    return Finding(
        "SC218",
        "",
        f"one paid call for each {thing(contract, first)} that is wanted from {job}",
        f"req_{first.seq} and req_{second.seq} are the same, one after the webhook of {job} "
        f"and one after a poll that showed its end: {price(second)}paid twice",
        "store that the end of a job was handled, under its id, before acting on it; "
        "the webhook and the poll both look there first",
        source_of_payment(contract, second),
        severity="warning",
    )
