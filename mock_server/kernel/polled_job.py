"""What findings note of polls of one job."""

from __future__ import annotations

from msgspec import Struct

from .rows import Resource


class PolledJob(Struct, frozen=True, gc=False):
    """What is the same for equal polls of a *job*: the *name* of their mark, and the job's state.

    One that *may_wait* can change by itself. *at_least_ms* is the documented pause between polls;
    negative for another read of the job.
    """

    name: str
    job: Resource
    has_ended: bool
    may_wait: bool
    at_least_ms: int
