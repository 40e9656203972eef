"""What a client did with the end of a paid job: acted on it twice, or kept a broken download."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..engine.outbox import deliveries
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import parse_rfc3339
from ..kernel.finding import Finding
from ..kernel.rows import Payment
from ..kernel.webhooks import Outcome
from .citations import source_of_operation
from .end_marks import BrokenDownload, broken_download, end_shown_by
from .payment_verdicts import PaymentFinding
from .payments import price, source_of_payment, thing

#: A client that has not come back for a broken file by then does not come back.
_SILENT_MS = 60_000
#: The part of an id that its URLs have as well; a shorter one may be in a body by chance.
_NAME = re.compile(r"[A-Za-z0-9]{8,}")


def findings_after_ends(
    worlds: Worlds, world: World, *, is_final: bool = False
) -> Iterator[PaymentFinding]:
    """The findings about what followed the ends of the paid jobs of *world*.

    *is_final* judges as if the client had ended. To be called inside a transaction.
    """
    now_ms, delivered = worlds.clocks.now_ms(world), _delivered_ms(world)
    texts: Mapping[str, Sequence[tuple[Payment, str]]] = {}
    for payment in world.rows.payments.all():
        if payment.job is None:
            continue
        contract, id_ = worlds.contracts[payment.provider], payment.job[1]
        broken = broken_download(world.rows.marks, payment)
        if broken is not None and (is_final or now_ms - broken.at_ms > _SILENT_MS):
            yield PaymentFinding(_kept_broken(contract, payment, broken), broken.at_ms, payment)
        shown_by = end_shown_by(world.rows.marks, payment)
        if id_ in delivered and shown_by:
            texts = texts or _texts_by_name(world)
            for first, second in _same_followers(payment, texts):
                if _each_had_its_reason(first, second, delivered[id_], shown_by):
                    found = _acted_twice(contract, id_, first, second)
                    yield PaymentFinding(found, second.at_ms, second, first.seq)


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


def _kept_broken(contract: Contract, payment: Payment, broken: BrokenDownload) -> Finding:
    return Finding(
        "SC219",
        "",
        f"the whole file of the {thing(contract, payment)} for which req_{payment.seq} paid "
        f"{price(payment)}".rstrip(),
        f"{broken.sent} in req_{broken.number}, and no download after it",
        "compare the size with Content-Length, write to a temporary name, and download again "
        "until the file is whole",
        source_of_operation(contract, broken.operation),
        severity="warning",
    )
