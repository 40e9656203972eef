"""A receiver of webhooks on a loopback port, which answers what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Far longer than anything on loopback takes, so that a hang ends as a failed test.
WAIT_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived, its header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Answers the statuses of *script* in turn and 204 after them; *react* is called first."""

    port: int
    script: list[int] = field(default_factory=list[int])
    react: Callable[[Received], None] | None = None
    received: list[Received] = field(default_factory=list[Received])
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, request: Received) -> int:
        """Note *request* and say which status it gets."""
        if self.react is not None:
            self.react(request)
        with self.changed:
            self.received.append(request)
            self.changed.notify_all()
            return self.script.pop(0) if self.script else 204

    def wait_for(self, count: int) -> list[Received]:
        """What has arrived, once that is *count* requests."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.received) >= count, WAIT_S_MAX)
            assert arrived, f"{len(self.received)} of {count} requests within {WAIT_S_MAX:.0f} s"
            return list(self.received)


@contextmanager
def receiving() -> Generator[Receiver, None, None]:
    """A receiver that listens until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = Receiver(server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(receiver.take(Received(self.path, headers, body)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is pytest's."""
