"""Where webhooks arrive: a WSGI application, in this process or behind a public address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from screentest.specs.wsgi_environ import headers_of

from ..traces.trace import SeenDelivery

#: How long a sender is left without an answer. Most give up earlier.
HOLD_MS = 60_000
_BODY_BYTES_MAX = 1024 * 1024
_MOVED = "/moved"


class Receiver(Protocol):
    """What has arrived, and what is answered."""

    def answer_deliveries(self, statuses: Sequence[int], *, about: str = "") -> None:
        """Set what the next attempts are answered whose body has *about*; 200 after these.

        A redirect leads to another path here; with 0 the sender gets nothing.
        """
        ...

    def deliveries(self) -> list[SeenDelivery]:
        """All deliveries, in order."""
        ...

    def followed(self) -> int:
        """How many redirects were followed."""
        ...


@dataclass(slots=True)
class Inbox:
    """Receives webhooks. *answers* are the statuses of the next answers about *about*.

    *on_delivery* is called while the sender still waits for the answer.
    """

    url: str = "/"
    now_ms: Callable[[], int] = lambda: 0
    answers: list[int] = field(default_factory=list[int])
    about: str = ""
    taken: list[SeenDelivery] = field(default_factory=list[SeenDelivery])
    on_delivery: Callable[[], None] = lambda: None
    on_taken: Callable[[SeenDelivery], None] = lambda delivery: None
    _followed: int = 0
    _probe: bytes = b""
    _probed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: Any, start: Any, /) -> Iterable[bytes]:
        body = _body(environ)
        if environ["PATH_INFO"].endswith(_MOVED):
            self._followed += 1
            status = 200
        elif self._probe and body == self._probe:
            self._probed.set()
            status = 200
        else:
            status = self._take(environ, body)
        headers = [("Content-Length", "0")]
        if 300 <= status < 400:
            headers.append(("Location", self.url.rstrip("/") + _MOVED))
        start(f"{status} X", headers)
        return [b""]

    def _take(self, environ: Any, body: bytes) -> int:
        is_meant = bool(self.answers) and self.about.encode() in body
        status = self.answers.pop(0) if is_meant else 200
        if status == 0:
            _hold(environ)
        self.taken.append(SeenDelivery(self.now_ms(), headers_of(environ), body, status))
        self.on_taken(self.taken[-1])
        self.on_delivery()
        if status == 0:
            raise ConnectionAbortedError("the sender gets no answer")
        return status

    def answer_deliveries(self, statuses: Sequence[int], *, about: str = "") -> None:
        self.answers, self.about = list(statuses), about

    def deliveries(self) -> list[SeenDelivery]:
        return list(self.taken)

    def followed(self) -> int:
        return self._followed

    def is_reached(self, send: Callable[[], object], text: bytes, seconds: float) -> bool:
        """Whether *text*, which *send* sends, arrives here within *seconds*."""
        self._probe = text
        send()
        return self._probed.wait(seconds)


def _body(environ: Any) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    if not length and not environ.get("wsgi.input_terminated"):
        return b""
    size = min(int(length), _BODY_BYTES_MAX) if length else _BODY_BYTES_MAX
    body: bytes = environ["wsgi.input"].read(size)
    return body


def _hold(environ: Any) -> None:
    """Wait until the sender gives up; not at all where it is in this process."""
    line: socket.socket | None = environ.get("werkzeug.socket")
    if line is None:
        return
    line.settimeout(HOLD_MS / 1_000)
    with suppress(OSError):
        line.recv(1)


def listen(inbox: Inbox, host: str, port: int) -> Callable[[], None]:
    """Let *inbox* receive on *host* and *port*. Returns what ends that.

    Raises:
        OSError: the port is in use, or *host* is not an address of this machine.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        """Prints nothing."""

        def log(self, type: str, message: str, *args: object) -> None:  # so named by its base
            pass

    line = socket.create_server((host, port), family=_family(host))
    with line:
        server = make_server(
            host, port, inbox, threaded=True, request_handler=Silent, fd=line.fileno()
        )
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def close() -> None:
        server.shutdown()
        server.server_close()

    return close


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@dataclass(frozen=True, slots=True)
class Callback:
    """The address *url* that a user entered at the provider, and its *secret* if it is known.

    A delivery may arrive *latency_ms* later than it is due; a sender without an answer waits up to
    *hold_ms*. Both are in the server's time.
    """

    url: str
    secret: str
    receiver: Receiver
    latency_ms: int = 0
    hold_ms: int = 0
    close: Callable[[], None] = lambda: None
