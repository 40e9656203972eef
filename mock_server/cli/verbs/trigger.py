"""`screentest trigger`: end a job now, with its credits and webhooks."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ..client import Mock, world_verb
from ..output import fail, show
from .jobs import job_path

_ENDS = ("completed", "failed")


@click.command("trigger")
@click.argument("provider")
@click.argument("event")
@click.option("--job", default="", help="Which job. Default: the newest that still runs.")
@click.option("--reason", default="", help="The failure reason that the provider gives.")
@world_verb
def command(provider: str, event: str, job: str, reason: str, mock: Mock, *, as_json: bool) -> None:
    """End a job of PROVIDER now; its credits settle and its webhooks are sent as at any end.

    EVENT is `completed` or `failed`, or such a name with a prefix: job.completed.
    """
    end = event.rpartition(".")[2].lower()
    if end not in _ENDS:
        fail(f"no event {event!r} (there are: {', '.join(_ENDS)})")
    mock.provider(provider)
    found = mock.get(job_path(job)) if job else _running(mock, provider)
    if found["provider"] != provider:
        fail(f"job {found['id']!r} belongs to {found['provider']!r}, not to {provider!r}")
    if _has_ended(found):
        fail(f"job {found['id']!r} has already ended; its state is {found['state']!r}")
    body = {"outcome": end, **({"reason": reason} if reason and end == "failed" else {})}
    ended = mock.patch(job_path(found["id"]), {**body, "now": True})
    show(ended, _lines, as_json=as_json)


def _running(mock: Mock, provider: str) -> Json:
    """The newest job of *provider* that has not ended."""
    for job in mock.items("/jobs", {"provider": provider}):
        if not _has_ended(job):
            return job
    return fail(f"no job of {provider!r} is running", "start one, then trigger its end")


def _has_ended(job: Json) -> bool:
    return bool(job["state"] == job["script"][-1]["state"])


def _lines(job: Json) -> Iterable[str]:
    detail = f": {job['reason']}" if job["reason"] else ""
    yield f"{job['id']}  {job['state']}{detail}"
