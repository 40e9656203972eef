"""Notes of who was shown the end of a paid job, and of downloads of its file that broke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ..engine.instant import Instant
from ..kernel.rows import Payment, Resource
from ..store.recent_tables import Marks

#: Requests that showed the end of one job: a client that asks more often is found for that.
_ENDS_MAX = 20


class BrokenDownload(Struct, frozen=True):
    """The request *number* for a file, of which only *sent* has reached the client."""

    number: int
    at_ms: int
    operation: str
    sent: str


def note_end(ctx: Instant, job: Resource) -> None:
    """Note that the present request has shown the end of *job*, if that was paid for."""
    if ctx.rows.payment_reads.get(job.id) is None:
        return
    name = _name("end", ctx.provider, job.id)
    shown: Any = ctx.rows.marks.value(name) or ()
    if len(shown) < _ENDS_MAX:
        ctx.rows.marks.note(name, ctx.request, *shown, ctx.request)


def end_shown_by(marks: Marks, payment: Payment) -> Sequence[int]:
    """The numbers of the first requests that showed the end of the job of *payment*."""
    shown: Any = marks.value(_name("end", payment.provider, _job(payment)))
    return shown or ()


def note_download(ctx: Instant, job: Resource, operation: str, sent: str) -> None:
    """Note a download of the file of *job*: what a fault has *sent* of it, or "" for all."""
    name = _name("broken", ctx.provider, job.id)
    if sent:
        ctx.rows.marks.note(name, ctx.request, ctx.request, ctx.at_ms, operation, sent)
    elif ctx.rows.marks.value(name) is not None:
        ctx.rows.marks.remove(name)


def broken_download(marks: Marks, payment: Payment) -> BrokenDownload | None:
    """The latest download of the file of *payment*, if it was broken."""
    value: Any = marks.value(_name("broken", payment.provider, _job(payment)))
    return BrokenDownload(*value) if value is not None else None


def _job(payment: Payment) -> str:
    return payment.job[1] if payment.job is not None else ""


def _name(what: str, provider: str, job: str) -> str:
    return f"{what} {provider} {job}"
