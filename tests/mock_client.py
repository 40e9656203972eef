"""A mock inside the test's own process: a world with a manual clock, and clients for it.

Everything goes through the WSGI application, provider calls and control calls alike, so a test sees
what a user sees. No sockets, no threads, no waiting: streams move the manual clock by themselves.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

#: The first instant of every world in the tests.
START = "2026-01-01T00:00:00Z"
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class File:
    """One file part of a multipart form."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, and the body's exact bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Json:
        return jsonlib.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def events(self) -> list[Json]:
        """The decoded `data:` payloads of an event stream, in order."""
        return [
            jsonlib.loads(line[len("data:") :])
            for line in self.text.splitlines()
            if line.startswith("data:")
        ]


@dataclass(frozen=True, slots=True)
class Client:
    """Calls one provider, or the control API, in one world; as one account or without a key."""

    wsgi: WsgiClient
    base: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Json = None,
        form: Mapping[str, str | File] | None = None,
        raw: bytes | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request. *json*, *form* (multipart) and *raw* exclude each other."""
        sent = {**self.headers, **(headers or {})}
        body, content_type = raw, sent.pop("Content-Type", None)
        if json is not None:
            body, content_type = jsonlib.dumps(json).encode(), content_type or "application/json"
        if form is not None:
            body, content_type = multipart(form)
        response = self.wsgi.open(
            path=path if path.startswith("http") else self.base + path,
            method=method,
            data=body,
            content_type=content_type,
            query_string=urlencode(query) if query else None,
            headers=sent,
        )
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, response.get_data())

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def follow(self, url: str, **options: Any) -> Answer:
        """Fetch an absolute URL that the mock handed out (a download, a thumbnail)."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return Client(self.wsgi, "").get(parts.path + query, **options)


def multipart(form: Mapping[str, str | File]) -> tuple[bytes, str]:
    """The bytes and content type of a multipart form, with a fixed boundary."""
    boundary = "screentest-boundary"
    parts: list[bytes] = []
    for name, value in form.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.content_type}'
            parts.append(head.encode() + b"\r\n\r\n" + value.content + b"\r\n")
        else:
            parts.append(head.encode() + b"\r\n\r\n" + value.encode() + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one provider, with a client that carries its key."""

    world: MockWorld
    id: str
    provider: str
    api_key: str
    bearer: str | None
    client: Client

    def ledger(self) -> Json:
        path = f"{self.world.path}/accounts/{self.id}/ledger"
        return self.world.control.get(path, query={"limit": 200}).json()

    @property
    def money(self) -> tuple[int, int, int]:
        """(available, held, spent) in credits."""
        ledger = self.ledger()
        return ledger["available"], ledger["held"], ledger["spent"]

    def further_keys(self) -> Json:
        """One more key of each kind, beside those that the account has."""
        answer = self.world.control.post(f"{self.world.path}/accounts/{self.id}/keys", json={})
        assert answer.status == 201, answer.text
        return answer.json()

    def set_credits(self, credits: int) -> None:
        self.world.change(f"accounts/{self.id}", {"credits": credits})


@dataclass(frozen=True, slots=True)
class MockWorld:
    """One isolated world. Its time changes only by `advance`."""

    wsgi: WsgiClient
    id: str
    control: Client

    @property
    def path(self) -> str:
        return f"/worlds/{self.id}"

    def change(self, what: str, body: Json) -> Json:
        """PATCH something of this world through the control API; it must be accepted."""
        answer = self.control.patch(f"{self.path}/{what}", json=body)
        assert answer.status == 200, answer.text
        return answer.json()

    def anonymous(self, provider: str) -> Client:
        """A client without any credential."""
        return Client(self.wsgi, f"/w/{self.id}/{provider}")

    def account(
        self, provider: str, *, credits: int | None = None, tier: str | None = None
    ) -> Account:
        """A new account of *provider*; *credits* None means what a new account gets there."""
        body: dict[str, Json] = {"provider": provider}
        if credits is not None:
            body["credits"] = credits
        if tier is not None:
            body["tier"] = tier
        answer = self.control.post(f"{self.path}/accounts", json=body)
        assert answer.status == 201, answer.text
        made = answer.json()
        auth = {item["id"]: item["auth"] for item in self.control.get("/providers").json()}
        key = made["api_key"]
        scheme = auth[provider]
        headers = {scheme: key} if scheme.startswith("X-") else {"Authorization": f"{scheme} {key}"}
        client = Client(self.wsgi, f"/w/{self.id}/{provider}", headers)
        return Account(self, made["id"], provider, key, made.get("bearer"), client)

    def advance(self, by_ms: int) -> list[Json]:
        """Move the clock and return what fired, in order."""
        return self._advance({"by_ms": by_ms})

    def advance_until_idle(self) -> list[Json]:
        """Move the clock until nothing is pending."""
        return self._advance({"until": "idle"})

    def advance_to_next(self) -> list[Json]:
        """Move the clock to the next thing that is due."""
        return self._advance({"until": "next"})

    def _advance(self, body: Json) -> list[Json]:
        answer = self.control.post(f"{self.path}/clock/advance", json=body)
        assert answer.status == 200, answer.text
        fired: list[Json] = answer.json()["fired"]
        return fired

    def fail_job(self, job_id: str, reason: str) -> None:
        """Make a running job end in failure, at the instant it would have ended."""
        self.change(f"jobs/{job_id}", {"outcome": "failed", "reason": reason})

    def choose(self, **interpretations: str) -> None:
        """Switch readings of silent documents: `choose(ozor__credit_hold="check_only")`."""
        body = {name.replace("__", "."): value for name, value in interpretations.items()}
        self.change("interpretations", body)

    def requests(self, **query: object) -> list[Json]:
        """The journal, oldest first."""
        items: list[Json] = self.control.get(f"{self.path}/requests", query=query).json()["items"]
        return items

    def findings(self, **query: object) -> list[Json]:
        """All findings, oldest first, as if the client had ended."""
        asked = {"final": "true", **query}
        items: list[Json] = self.control.get(f"{self.path}/findings", query=asked).json()["items"]
        return items

    def order_fault(self, type_: str, **order: Json) -> None:
        """Order a fault through the control API; it must be accepted."""
        answer = self.control.post(f"{self.path}/faults", json={"type": type_, **order})
        assert answer.status == 201, answer.text


def make_world(wsgi: WsgiClient, **options: Json) -> MockWorld:
    """A new world with a manual clock at START and seed 7, unless *options* say otherwise."""
    control = Client(wsgi, "/_screentest")
    body = {"seed": 7, "clock": {"mode": "manual", "now": START}, **options}
    answer = control.post("/worlds", json=body)
    assert answer.status == 201, answer.text
    return MockWorld(wsgi, answer.json()["id"], control)


def make_wsgi() -> WsgiClient:
    """A fresh mock in this process, in memory."""
    return WsgiClient(create_app())
