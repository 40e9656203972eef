"""`screentest jobs`: list jobs, show one, choose how one ends."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ...kernel.errors import unknown
from ..client import Mock, segment, world_verb
from ..groups import group
from ..output import show, table

_HEAD = ("JOB", "PROVIDER", "KIND", "STATE", "PROGRESS", "ENDS", "OUTCOME")


@group("jobs", first="list")
def command() -> None:
    """List jobs; fail, complete, hold or release one."""


@command.command("list")
@click.option("--provider", default="", help="Only jobs of this provider.")
@click.option("--state", default="", help="Only jobs in this state, by the provider's name of it.")
@world_verb
def list_jobs(provider: str, state: str, mock: Mock, *, as_json: bool) -> None:
    """List all jobs, the newest first."""
    if provider:
        mock.provider(provider)
    found = list(mock.items("/jobs", {"provider": provider, "state": state}))
    show(found, _rows, as_json=as_json)


@command.command("show")
@click.argument("job")
@world_verb
def show_job(job: str, mock: Mock, *, as_json: bool) -> None:
    """Show one job with its script."""
    show(mock.get(job_path(job)), _details, as_json=as_json)


@command.command("fail")
@click.argument("job")
@click.option("--reason", default="", help="The failure reason that the provider gives.")
@world_verb
def fail_job(job: str, reason: str, mock: Mock, *, as_json: bool) -> None:
    """Make JOB fail at its end; `screentest trigger` ends it at once."""
    body = {"outcome": "failed", **({"reason": reason} if reason else {})}
    show(mock.patch(job_path(job), body), _details, as_json=as_json)


@command.command("complete")
@click.argument("job")
@world_verb
def complete_job(job: str, mock: Mock, *, as_json: bool) -> None:
    """Make JOB succeed at its end; `screentest trigger` ends it at once."""
    body = {"outcome": "completed"}
    show(mock.patch(job_path(job), body), _details, as_json=as_json)


@command.command("hold")
@click.argument("job")
@world_verb
def hold_job(job: str, mock: Mock, *, as_json: bool) -> None:
    """Keep JOB in its present state."""
    show(mock.patch(job_path(job), {"held": True}), _details, as_json=as_json)


@command.command("release")
@click.argument("job")
@world_verb
def release_job(job: str, mock: Mock, *, as_json: bool) -> None:
    """Continue a held JOB."""
    show(mock.patch(job_path(job), {"held": False}), _details, as_json=as_json)


def job_path(job: str) -> str:
    """The path of a job by its id, which may contain slashes.

    Raises:
        MockError: no job can have this id.
    """
    parts = job.split("/")
    if {"", ".", ".."} & set(parts):
        raise unknown("job", job, ())
    return "/jobs/" + "/".join(segment("job", part) for part in parts)


def _rows(jobs: list[Json]) -> Iterable[str]:
    if not jobs:
        return table([], "no jobs yet")
    return table([_HEAD, *(_row(job) for job in jobs)])


def _row(job: Json) -> tuple[str, ...]:
    ends = "held" if job["held"] else job["script"][-1]["at"]
    progress = "" if job["progress"] is None else f"{job['progress']}%"
    kind, outcome = job["kind"], job["outcome"]
    return job["id"], job["provider"], kind, job["state"], progress, ends, outcome


def _details(job: Json) -> Iterable[str]:
    yield from table([_HEAD, _row(job)])
    yield from (f"  {step['at']}  {step['state']}" for step in job["script"])
    if job["reason"]:
        yield f"  reason: {job['reason']}"
