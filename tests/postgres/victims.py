"""Processes that use a mock until they are killed, and write down what it acknowledged."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from random import Random

from flask import Flask
from werkzeug.test import Client

from screentest.mock_server.kernel.lifecycle import Script
from screentest.mock_server.store.working_set import WorkingSet
from tests.postgres.sums import check_sums

_CONTROL = "/_screentest/worlds/default"
_GENERATE = "/ozor/api/v1/videos/generate"
_READY = "ready"


class Victim:
    """A process with a mock of its own, which creates jobs and moves the clock."""

    def __init__(self, open_app: Callable[[], Flask], seed: int) -> None:
        self._read, write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._read)
                _use(open_app(), write, Random(seed))
            finally:
                # Without what the test's own process would do at its end.
                os._exit(1)
        os.close(write)
        self._text = b""

    def wait_until_busy(self) -> None:
        """Return once the process has begun to make calls."""
        while _READY.encode() not in self._text:
            piece = os.read(self._read, 4_096)
            assert piece, "the process has ended"
            self._text += piece

    def kill(self) -> list[str]:
        """End the process with SIGKILL: the ids of the jobs that it had acknowledged."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        while piece := os.read(self._read, 65_536):
            self._text += piece
        os.close(self._read)
        # A line that was cut short was not written in time; all others were.
        return [it for it in self._text.decode().split("\n")[:-1] if it != _READY]


def _use(app: Flask, write: int, draw: Random) -> None:
    http = Client(app)
    headers = {"X-API-Key": http.get(_CONTROL).get_json()["env"]["OZOR_API_KEY"]}
    os.write(write, f"{_READY}\n".encode())
    while True:
        if draw.random() < 0.7:
            answer = http.post(_GENERATE, json={"prompt": "A lamp"}, headers=headers)
            if answer.status_code == 200:
                os.write(write, f"{answer.get_json()['jobId']}\n".encode())
        else:
            http.post(f"{_CONTROL}/clock/advance", json={"by_ms": draw.randint(1, 60_000)})


def warm_up(app: Flask) -> None:
    """Make what a process does at its first calls, for all that are forked from this one."""
    http = Client(app)
    headers = {"X-API-Key": http.get(_CONTROL).get_json()["env"]["OZOR_API_KEY"]}
    assert http.post(_GENERATE, json={"prompt": "A lamp"}, headers=headers).status_code == 200
    assert http.post(f"{_CONTROL}/clock/advance", json={"until": "idle"}).status_code == 200


def pause(draw: Random) -> None:
    """Wait for a moment of any length."""
    time.sleep(draw.uniform(0.02, 0.3))


def check_world(rows: WorkingSet, acknowledged: list[str]) -> None:
    """Raises unless *rows* have each job that was acknowledged, once, and its money adds up."""
    check_sums(rows)
    with rows.transaction():
        jobs = [it for it in rows.resources.all() if isinstance(it.script, Script)]
        ids = {it.id for it in jobs}
        assert len(set(acknowledged)) == len(acknowledged), "two calls got the same job"
        assert set(acknowledged) <= ids, "an acknowledged job is lost"
        ended = [it.subject for it in rows.events.page(since=0, limit=1_000_000)]
        for job in jobs:
            kinds = [it.kind for it in rows.entries.of_job(job.account, job.id)]
            assert kinds in ([], ["hold"], ["hold", "capture"], ["charge"]), (job.id, kinds)
            steps = job.script.steps if job.script is not None else ()
            assert ended.count(job.id) < len(steps)
