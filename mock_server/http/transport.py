"""The sending of a webhook request: over a socket, or by a call inside this process.

It follows no redirects, uses no proxies and accepts no compressed answers. Time and bytes are
bounded. An error is an outcome, not an exception.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from ..kernel.errors import MockError
from ..kernel.receiver_findings import TIMED_OUT
from ..kernel.webhooks import REPLY_EXCERPT_MAX, Outcome, WebhookRequest
from .wall_clock import monotonic_s
from .webhook_targets import Targets, port_of, split_url

CONNECT_S_MAX = 3.0
TOTAL_S_MAX = 15.0
#: Read from an answer, head and body together.
READ_BYTES_MAX = 64 * 1024
IN_PROCESS = "wsgi:"

_HEADERS = {"Content-Type": "application/json", "User-Agent": "screentest-webhooks"}


class Transport(Protocol):
    """Sends webhook requests."""

    def post(self, request: WebhookRequest) -> Outcome:
        """Send *request* once; returns the outcome."""
        ...


class Post:
    """Chooses the transport by the address of a request, and measures the latency."""

    def __init__(self, sockets: Transport, in_process: Transport) -> None:
        self._sockets = sockets
        self._in_process = in_process

    def post(self, request: WebhookRequest) -> Outcome:
        """Send *request* once; returns the outcome."""
        is_inside = request.url.startswith(IN_PROCESS)
        began_s = monotonic_s()
        outcome = (self._in_process if is_inside else self._sockets).post(request)
        latency_ms = round((monotonic_s() - began_s) * 1_000)
        return Outcome(outcome.status, outcome.error, latency_ms, outcome.reply)


class InProcess:
    """Calls an application of this process; its URL is `wsgi:NAME`."""

    def __init__(self, receivers: Mapping[str, WSGIApplication]) -> None:
        self._receivers = receivers

    def post(self, request: WebhookRequest) -> Outcome:
        """Call the application and read its answer."""
        # Loaded here, because most runs have no receiver inside the process.
        from werkzeug.datastructures import Headers
        from werkzeug.test import EnvironBuilder, run_wsgi_app

        name = request.url.removeprefix(IN_PROCESS)
        app = self._receivers.get(name)
        if app is None:
            return Outcome(None, f"no receiver {name!r} in this process")
        headers = Headers({**_HEADERS, **request.headers})
        builder = EnvironBuilder("/", method="POST", headers=headers, data=request.body)
        try:
            pieces, status, _ = run_wsgi_app(app, builder.get_environ(), buffered=True)
        except Exception as error:  # noqa: BLE001  a receiver that crashes gives no answer
            return Outcome(None, f"{type(error).__name__}: {error}"[:REPLY_EXCERPT_MAX])
        reply = b"".join(pieces)[:REPLY_EXCERPT_MAX].decode(errors="replace")
        return Outcome(int(status.split(" ", 1)[0]), reply=reply)


class Sockets:
    """Posts over HTTP to addresses that *targets* allows, each within *total_s*."""

    def __init__(self, targets: Targets, *, total_s: float = TOTAL_S_MAX) -> None:
        self._targets = targets
        self._total_s = total_s

    def post(self, request: WebhookRequest) -> Outcome:
        """Connect, send, and read as much of the answer as is kept."""
        ends_s = monotonic_s() + self._total_s
        try:
            parts = split_url(request.url)
            host, port = parts.hostname or "", port_of(parts)
            line = self._connect(host, port, is_secure=parts.scheme == "https")
        except MockError as error:
            return Outcome(None, str(error))
        except OSError as error:
            return Outcome(None, _error_text(error))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(host, port)
        connection.default_port = 443 if parts.scheme == "https" else 80
        connection.sock = _Bounded(line, ends_s)
        headers = {
            **_HEADERS,
            **request.headers,
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        try:
            connection.request("POST", target, request.body, headers)
            answer = connection.getresponse()
            return Outcome(answer.status, reply=_reply(answer))
        except (OSError, http.client.HTTPException) as error:
            return Outcome(None, _error_text(error))
        finally:
            connection.close()
            line.close()

    def _connect(self, host: str, port: int, *, is_secure: bool) -> socket.socket:
        """A connection to the first address of *host* that answers; all of them were checked."""
        ends_s = monotonic_s() + min(CONNECT_S_MAX, self._total_s)
        failed: OSError = TimeoutError(TIMED_OUT)
        for address in self._targets.addresses(host, port):
            left_s = ends_s - monotonic_s()
            if left_s <= 0:
                break
            try:
                line = socket.create_connection((address, port), left_s)
            except OSError as error:
                failed = error
                continue
            try:
                return self._checked(line, host, port, is_secure=is_secure)
            except BaseException:
                line.close()
                raise
        raise failed

    def _checked(
        self, line: socket.socket, host: str, port: int, *, is_secure: bool
    ) -> socket.socket:
        if line.getpeername()[0] == line.getsockname()[0] and port in self._targets.own_ports:
            raise MockError("webhooks are not sent to the mock itself", code="target")
        if not is_secure:
            return line
        return ssl.create_default_context().wrap_socket(line, server_hostname=host)


def _reply(answer: http.client.HTTPResponse) -> str:
    """The beginning of the body. A status without the rest of the body is still an answer."""
    try:
        return answer.read(REPLY_EXCERPT_MAX).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _error_text(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    named = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(named)[:200].lower()


class _Bounded:
    """A socket for `http.client` with a deadline, and a limit of bytes to read.

    A socket's own timeout restarts with each byte, so a slow receiver could hold it for ever.
    """

    def __init__(self, line: socket.socket, ends_s: float) -> None:
        self._line = line
        self._ends_s = ends_s

    def _arm(self) -> None:
        left_s = self._ends_s - monotonic_s()
        if left_s <= 0:
            raise TimeoutError(TIMED_OUT)
        self._line.settimeout(left_s)

    def sendall(self, content: bytes) -> None:
        self._arm()
        self._line.sendall(content)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._line, self._arm))

    def close(self) -> None:
        self._line.close()


class _BoundedReader(io.RawIOBase):
    """Reads until the deadline or READ_BYTES_MAX bytes; then the answer has ended."""

    def __init__(self, line: socket.socket, arm: Callable[[], None]) -> None:
        super().__init__()
        self._line = line
        self._arm = arm
        self._left = READ_BYTES_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._left <= 0:
            return 0
        self._arm()
        view = memoryview(buffer)[: self._left]
        got = self._line.recv_into(view)
        self._left -= got
        return got
