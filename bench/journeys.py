"""What the mock is asked to do under load: a status poll, a creation, and many open streams."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .load import BenchError, Request
from .servers import Running, call

CONTRACT = Path(__file__).resolve().parent.parent / "specs" / "ozor" / "openapi.yaml"

#: Enough for every creation of a run, so that none is refused for want of money.
_CREDITS = 100_000_000

_CREATE_PATH = "/api/v1/videos/generate"
_CREATE_BODY = json.dumps({"prompt": "A 15-second ad for a minimalist desk lamp"}).encode()
_JSON = {"Content-Type": "application/json"}
_BOUNDARY = "screentest-bench"


@dataclass(frozen=True, slots=True)
class Customer:
    """An account of the mock with more credits than it can spend."""

    base: str
    headers: dict[str, str]

    def creation(self) -> Request:
        """A valid, paid creation."""
        return Request(self.base + _CREATE_PATH, "POST", {**self.headers, **_JSON}, _CREATE_BODY)

    def create(self) -> str:
        """Create one video and return the address of its job."""
        sent = self.creation()
        made = call(sent.url, method="POST", body=sent.body, headers=sent.headers)
        return f"{self.base}/api/v1/videos/{made['videoId']}/jobs/{made['jobId']}"

    def poll(self, job_url: str) -> Request:
        """One look at a job."""
        return Request(job_url, headers=self.headers)

    def plan(self) -> str:
        """Analyse an address and return the plan's id."""
        fields = {"url": "https://example.com/article", "target_duration_sec": "30"}
        parts = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        made = call(
            self.base + "/api/v1/documents/analyze",
            method="POST",
            body=f"{parts}--{_BOUNDARY}--\r\n".encode(),
            headers={
                **self.headers,
                "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            },
        )
        return str(made["plan"]["planId"])

    @contextmanager
    def open_streams(self, count: int) -> Generator[list[socket.socket]]:
        """Hold *count* generations open, each after its first event."""
        plans = [self.plan() for _ in range(count)]
        with ExitStack() as open_sockets:
            yield [open_sockets.enter_context(self._stream(plan)) for plan in plans]

    def _stream(self, plan: str) -> socket.socket:
        parts = urlsplit(self.base)
        connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        sent = {**self.headers, "Host": parts.netloc, "Content-Length": "0"}
        lines = [f"POST {parts.path}/api/v1/documents/plans/{plan}/generate HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        received = b""
        while b"data:" not in received:
            piece = connection.recv(4096)
            if not piece:
                raise BenchError(f"the stream ended before its first event: {received!r}")
            received += piece
        return connection


def open_account(mock: Running) -> Customer:
    """A new account in the mock's default world, with credits for the whole run."""
    body = json.dumps({"provider": "ozor", "credits": _CREDITS}).encode()
    made = call(
        f"{mock.url}/_screentest/worlds/default/accounts",
        method="POST",
        body=body,
        headers=_JSON,
    )
    return Customer(mock.environment["OZOR_BASE_URL"], {"X-API-Key": made["api_key"]})


def peer_requests(url: str) -> tuple[Request, Request]:
    """The same poll and the same creation for a server that has only the contract."""
    # A placeholder of the documented form: a peer checks that it is there, not whose it is.
    headers = {"X-API-Key": "sk_" + "live_" + "0" * 32}
    poll = Request(f"{url}/api/v1/videos/abc123/jobs/job_s0m3R4nd0mId", headers=headers)
    return poll, Request(url + _CREATE_PATH, "POST", {**headers, **_JSON}, _CREATE_BODY)
