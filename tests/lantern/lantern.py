"""Lantern, the invented provider of this folder: a mock that serves it, and its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json as jsonlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.webhook_targets import Targets
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, MockWorld, make_world

#: Longer than the longest film takes.
FILM_MS = 30_000
STATUS_LINES = {
    200: "200 OK",
    204: "204 No Content",
    302: "302 Found",
    401: "401 No",
    500: "500 Oh",
}


@cache
def contract() -> Contract:
    return read_contract(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as the receiver saw it."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Json:
        return jsonlib.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Whether the signature verifies, by the contract's words and nothing of the mock."""
        stamp = self.headers["lantern-time"]
        signed = f"{stamp}.".encode() + self.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return self.headers["lantern-signature"] == f"v1={expected}"


@dataclass(slots=True)
class Receiver:
    """A WSGI application that remembers and answers *statuses* in turn, then 200."""

    statuses: list[int] = field(default_factory=list[int])
    received: list[Received] = field(default_factory=list[Received])
    react: Callable[[Received], object] = id

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.received.append(Received(headers, body))
        self.react(self.received[-1])
        status = self.statuses.pop(0) if self.statuses else 200
        start(STATUS_LINES[status], [("Content-Type", "text/plain"), ("Location", "/elsewhere")])
        return [b"thanks"]


@dataclass(frozen=True, slots=True)
class Lantern:
    """One account at Lantern in a mock of its own, and receivers inside this process."""

    world: MockWorld
    account: Account
    receivers: dict[str, WSGIApplication]

    @property
    def client(self) -> Client:
        return self.account.client

    def receive(self, *statuses: int, name: str = "hook") -> Receiver:
        receiver = self.receivers[name] = Receiver(list(statuses))
        return receiver

    def register(self, url: str = "wsgi:hook", *events: str) -> Json:
        """A new endpoint; it must be accepted."""
        answer = self.try_to_register(url, *events)
        assert answer.status == 201, answer.text
        return answer.json()

    def try_to_register(self, url: str, *events: str) -> Answer:
        body = {"provider": "lantern", "url": url, "account": self.account.id, "events": events}
        return self.world.control.post(f"{self.world.path}/webhooks/endpoints", json=body)

    def start(self, line: str = "a fox crosses the snow", **more: Json) -> str:
        answer = self.client.post("/films", json={"line": line, **more})
        assert answer.status == 201, answer.text
        film: str = answer.json()["id"]
        return film

    def show(self) -> str:
        """A film that has ended well."""
        film = self.start()
        self.world.advance(FILM_MS)
        return film

    def deliveries(self) -> list[Json]:
        found = self.world.control.get(f"{self.world.path}/webhooks/deliveries")
        items: list[Json] = found.json()["items"]
        return items

    def control(self, method: str, path: str, json: Json = None) -> Answer:
        return self.world.control.request(method, f"{self.world.path}/{path}", json=json)

    def fault(self, type_: str, **fields: Json) -> None:
        answer = self.control("POST", "faults", {"type": type_, **fields})
        assert answer.status == 201, answer.text


def make_lantern(
    *,
    credits: int = 1_000,
    targets: Targets | None = None,
    is_server: bool = False,
    clock: Mapping[str, Any] | None = None,
) -> Lantern:
    """A mock that serves Lantern alone, and one account there."""
    app = create_app(contracts=[contract()], targets=targets, is_server=is_server)
    options = {} if clock is None else {"clock": clock}
    world = make_world(WsgiClient(app), **options)
    account = world.account("lantern", credits=credits)
    return Lantern(world, account, app.extensions["screentest.receivers"])
