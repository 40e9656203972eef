"""`screentest trigger`: end a job now, with everything that follows from its end."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ..client import Mock, RefusedError, world_options
from ..output import fail, json_option, show
from .jobs import job_path

_ENDS = ("completed", "failed")


@click.command("trigger")
@click.argument("provider")
@click.argument("event")
@click.option("--job", default="", help="Which job; the newest that still runs when left out.")
@click.option("--reason", default="", help="What the provider says of a failure.")
@world_options
@json_option
def command(
    provider: str, event: str, job: str, reason: str, url: str, world: str, *, as_json: bool
) -> None:
    """End a job of PROVIDER now: money settles and webhooks go out as for any other end.

    EVENT is `completed` or `failed`; a prefix such as in job.completed does no harm.
    """
    mock = Mock(url, world)
    end = event.rpartition(".")[2].lower()
    if end not in _ENDS:
        fail(f"no event {event!r} (there are: {', '.join(_ENDS)})")
    mock.provider(provider)
    found = mock.get(job_path(job)) if job else _running(mock, provider)
    if found["provider"] != provider:
        fail(f"job {found['id']!r} belongs to {found['provider']!r}, not to {provider!r}")
    if _has_ended(found):
        fail(f"job {found['id']!r} has ended already; it is {found['state']!r}")
    body = {"outcome": end, **({"reason": reason} if reason and end == "failed" else {})}
    show(_end(mock, found, body), _lines, as_json=as_json)


def _running(mock: Mock, provider: str) -> Json:
    """The newest job of *provider* that has not ended."""
    for job in mock.items("/jobs", {"provider": provider}):
        if not _has_ended(job):
            return job
    return fail(f"no job of {provider!r} is running", "start one, then trigger its end")


def _has_ended(job: Json) -> bool:
    return bool(job["state"] == job["script"][-1]["state"])


def _end(mock: Mock, job: Json, body: Json) -> Json:
    """The job after its end; a clock that only moves by hand is moved there if need be."""
    path = job_path(job["id"])
    try:
        return mock.ask("PATCH", path, {**body, "now": True})
    except RefusedError as refused:
        if refused.code not in {"unknown_field", "invalid_field"}:
            fail(refused.detail)
    changed = mock.patch(path, body)
    if mock.get("/clock")["mode"] != "manual":
        fail(
            f"this mock cannot end a job at once; {job['id']} will end at "
            f"{changed['script'][-1]['at']}",
            "`screentest clock mode manual` makes it possible",
        )
    mock.post("/clock/advance", {"to": changed["script"][-1]["at"]})
    return mock.get(path)


def _lines(job: Json) -> Iterable[str]:
    detail = f": {job['reason']}" if job["reason"] else ""
    yield f"{job['id']}  {job['state']}{detail}"
