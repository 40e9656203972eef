"""The list of jobs, and one job on the clock of its world."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.job_control import job_called
from ...engine.streams import job_events
from ...engine.views import default_video, served_file
from ...media.asset import Asset
from . import lists
from .timeline import Mark, timeline
from .view import View, ms

#: The part of an event that fits beside its mark.
_EVENT_MAX = 120
_TONES = {True: "good", False: "bad"}


def job_list(view: View) -> Mapping[str, object]:
    query = {
        name: view.args[name] for name in ("provider", "state", "cursor") if view.args.get(name)
    }
    found = view.ask("listJobs", query={**query, "limit": lists.ROWS})
    return {
        "jobs": [shown(view, it) for it in found["items"]],
        "next": found["next_cursor"],
        "providers": list(view.worlds.contracts),
    }


def shown(view: View, job: Json) -> Json:
    """*job* with the kind of its state, and what it waits for."""
    behaviour = view.contract(job["provider"]).behaviour
    kind = behaviour.meaning_of(job["kind"], job["state"])
    now_ms = view.worlds.clocks.now_ms(view.world)
    coming = next((it for it in job["script"] if ms(it["at"]) > now_ms), None)
    return {
        **job,
        "state_kind": kind.value if kind is not None else "running",
        "is_over": kind is not None and kind.is_final,
        "next": None if job["held"] else coming,
    }


def one_job(view: View, job: str) -> Mapping[str, object]:
    line = view.ask("getJob", job=job)
    behaviour = view.contract(line["provider"]).behaviour
    steps = [
        (
            ms(it["at"]),
            it["state"],
            behaviour.meaning_of(line["kind"], it["state"]) or Kind.RUNNING,
        )
        for it in line["script"]
    ]
    marks = sorted(_marks(view, line), key=lambda it: it.at_ms)
    now_ms = view.worlds.clocks.now_ms(view.world)
    return {
        "job": shown(view, line),
        "drawing": timeline(steps, marks, now_ms),
        "marks": marks,
        "has_video": video(view, job) is not None,
    }


def _marks(view: View, job: Json) -> Iterator[Mark]:
    base = f"/_screentest/ui/w/{view.world.id}"
    for _, line in lists.requests(view, limit=lists.OF_A_JOB, job=job["id"]):
        status, sent = line["response"]["status"], line["request"]
        yield Mark(
            ms(line["at"]),
            "requests",
            f"{sent['method']} {sent['path']} {status}",
            _TONES[status < 400],
            f"{base}/requests/{line['id']}",
        )
    yield from _stream_marks(view, job["id"])
    with view.world.rows.transaction() as rows:
        credits = rows.entries.of_job(job["account"], job["id"])[: lists.OF_A_JOB]
    for entry in credits:
        yield Mark(entry.at_ms, "credits", f"{entry.kind} {entry.amount}", "money")
    for it in lists.deliveries(view, limit=lists.OF_A_JOB, fits=lambda it: it.job == job["id"]):
        for attempt in it.attempts:
            status = attempt.get("status")
            yield Mark(
                ms(attempt["at"]),
                "webhooks",
                f"{it.type} {status or attempt.get('error') or ''}",
                _TONES[status is not None and 200 <= status < 300],
                f"{base}/webhooks#{it.id}",
            )


def _stream_marks(view: View, job: str) -> Iterator[Mark]:
    """The events that the stream of *job* has sent, and those that are still to come."""
    with view.world.rows.transaction() as rows:
        row = job_called(rows, view.worlds.contracts, job)
        if row.doc.get("operation") not in view.contract(row.provider).behaviour.streams:
            return
        ctx = view.worlds.clocks.instant(view.world, row.provider)
        events = job_events(view.worlds.providers[row.provider], ctx, row)
    for offset_ms, payload in events[: lists.OF_A_JOB]:
        text = json.dumps(payload, ensure_ascii=False)
        yield Mark(row.created_ms + offset_ms, "stream", text[:_EVENT_MAX])


def video(view: View, job: str) -> Asset | None:
    """The video that *job* made; None while there is none, or for a job that makes none.

    Raises:
        MockError: there is no such job.
    """
    worlds, world = view.worlds, view.world
    with world.rows.transaction():
        worlds.clocks.settle(world)
        row = job_called(world.rows, worlds.contracts, job)
        ctx = worlds.clocks.instant(world, row.provider)
        if ctx.kind(row) is not Kind.SUCCEEDED:
            return None
        tail = row.id.rpartition("/")[2]
        serves = worlds.providers[row.provider].assets
        for rules in ctx.behaviour.urls.values():
            names = re.findall(r"{(\w+)}", rules.path)
            if not rules.path.endswith(".mp4") or len(names) != 1:
                continue
            serve, parts = serves.get(rules.name), {names[0]: tail}
            found = serve(ctx, parts) if serve is not None else served_file(ctx, rules, parts)
            if found is not None:
                return found
        return default_video(ctx, {"id": row.id}) if not ctx.behaviour.urls else None
