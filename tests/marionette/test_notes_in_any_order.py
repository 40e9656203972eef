"""After any sequence of jobs, refusals and deletions, a webhook is attempted when it is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from screentest.mock_server.kernel.clock import parse_rfc3339
from screentest.specs.json_types import Json

from ..mock_client import Account
from .marionette import ENDS_MS, Note, open_world

#: 2026-01-01T00:00:00Z, the time at which every world in the tests begins.
_STARTED_MS = 1_767_225_600_000
#: The waits in the contract after the first and the second failed attempt.
_WAITS_MS = [1_000, 10_000]
_LINES = {204: "204 No Content", 302: "302 Found", 503: "503 Busy"}


@dataclass(slots=True)
class _Hook:
    """One endpoint: its present answer, and the webhooks whose signature had another secret."""

    secret: str
    status: int = 503
    heard: int = 0
    wrongly_sealed: list[Note] = field(default_factory=list[Note])

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        note = Note(environ["HTTP_STAGE_NOTE"], environ["HTTP_STAGE_SEAL"], content)
        self.heard += 1
        if not note.is_sealed_with(self.secret):
            self.wrongly_sealed.append(note)
        start(_LINES[self.status], [])
        return []


class Notes(RuleBasedStateMachine):
    """The mock against a model of a few numbers: when jobs end, and which endpoints exist."""

    def __init__(self) -> None:
        super().__init__()
        world = open_world()
        self.account: Account = world.account("marionette", credits=10_000, tier="troupe")
        app = cast(Flask, world.wsgi.application)
        self.receivers: dict[str, object] = app.extensions["screentest.receivers"]
        self.hooks: dict[str, _Hook] = {}
        self.gone: list[_Hook] = []
        self.moved_ms = 0
        self.ends_ms: list[int] = []
        self.summary = 0

    def control(self, method: str, path: str, body: Json = None) -> Json:
        world = self.account.world
        answer = world.control.request(method, f"{world.path}/webhooks/{path}", json=body)
        assert answer.status < 300, answer.text
        return answer.json() if answer.content else None

    @initialize()
    def begin(self) -> None:
        """Most defects need an endpoint and an event."""
        self.listen()
        self.show()

    @rule()
    def show(self) -> None:
        self.order()
        self.advance(ENDS_MS)

    @rule()
    def order(self) -> None:
        answer = self.account.client.post("/v1/plays", json={"title": "Faust"})
        if answer.status == 201:
            self.ends_ms.append(self.moved_ms + ENDS_MS)

    @rule(by_ms=st.sampled_from([1, 999, 1_000, 9_000, 10_000]))
    def advance(self, by_ms: int) -> None:
        self.account.world.advance(by_ms)
        before_ms, self.moved_ms = self.moved_ms, self.moved_ms + by_ms
        ended = [at_ms for at_ms in self.ends_ms if before_ms < at_ms <= self.moved_ms]
        self.summary += len(ended) * len(self.hooks)

    @precondition(lambda self: len(self.hooks) < 2)
    @rule()
    def listen(self) -> None:
        name = f"hook{len(self.hooks) + len(self.gone)}"
        hook = self.receivers[name] = _Hook("")
        body = {"provider": "marionette", "account": self.account.id, "url": f"wsgi:{name}"}
        made = self.control("POST", "endpoints", body)
        hook.secret = made["secret"]
        self.hooks[made["id"]] = hook

    @precondition(lambda self: self.hooks)
    @rule(which=st.integers(0, 1), status=st.sampled_from(sorted(_LINES)))
    def change_mood(self, which: int, status: int) -> None:
        hooks = list(self.hooks.values())
        hooks[which % len(hooks)].status = status

    @precondition(lambda self: self.hooks)
    @rule(which=st.integers(0, 1))
    def rotate(self, which: int) -> None:
        id_ = list(self.hooks)[which % len(self.hooks)]
        self.hooks[id_].secret = self.control("POST", f"endpoints/{id_}/rotate")["secret"]

    @precondition(lambda self: self.hooks)
    @rule(which=st.integers(0, 1))
    def leave(self, which: int) -> None:
        id_ = list(self.hooks)[which % len(self.hooks)]
        self.control("DELETE", f"endpoints/{id_}")
        self.gone.append(self.hooks.pop(id_))

    @invariant()
    def every_delivery_is_where_its_attempts_say(self) -> None:
        """Attempted when due and after each wait, until it is accepted or no wait is left."""
        now_ms = _STARTED_MS + self.moved_ms
        for delivery in self.control("GET", "deliveries?limit=200")["items"]:
            at_ms = [parse_rfc3339(attempt["at"]) for attempt in delivery["attempts"]]
            waits = [later - earlier for earlier, later in pairwise(at_ms)]
            statuses = [attempt["status"] for attempt in delivery["attempts"]]
            assert at_ms[0] == parse_rfc3339(delivery["created_at"])
            assert waits == _WAITS_MS[: len(waits)]
            assert 204 not in statuses[:-1]
            expected: tuple[str, int | None]
            if statuses[-1] == 204:
                expected = "delivered", None
            elif len(statuses) > len(_WAITS_MS):
                expected = "exhausted", None
            elif delivery["endpoint"] not in self.hooks:
                expected = "cancelled", None
            else:
                expected = "pending", at_ms[-1] + _WAITS_MS[len(statuses) - 1]
            due = delivery["next_due"]
            assert (delivery["state"], due and parse_rfc3339(due)) == expected
            assert due is None or parse_rfc3339(due) > now_ms

    @invariant()
    def every_end_is_delivered_to_every_endpoint(self) -> None:
        deliveries = self.control("GET", "deliveries?limit=200")["items"]
        heard = sum(hook.heard for hook in [*self.hooks.values(), *self.gone])
        assert len(deliveries) == self.summary
        assert sum(len(it["attempts"]) for it in deliveries) == heard

    @invariant()
    def every_seal_is_of_the_secret_in_force(self) -> None:
        hooks = [*self.hooks.values(), *self.gone]
        assert [hook.wrongly_sealed for hook in hooks if hook.wrongly_sealed] == []


TestNotes = Notes.TestCase
TestNotes.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
