"""A small receiver of deliveries: it prints them and can forward them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.json_types import Json

from ..kernel.receiver_findings import receiver_findings
from ..kernel.webhooks import Outcome
from .client import echo_json_line
from .output import paint, printable, say
from .request_line import finding_lines

#: Larger than any payload; a client cannot fill the memory.
_BODY_BYTES_MAX = 1024 * 1024
_FORWARD_S_MAX = 15.0
#: They belong to one connection, so a forwarded delivery has its own.
_HOP_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as received."""

    path: str
    headers: Mapping[str, str]
    body: bytes


#: Handles a delivery, and returns the status to answer with.
Take = Callable[[Delivery], int]


def open_receiver(port: int, take: Take) -> ThreadingHTTPServer:
    """A server on loopback that passes every POST to *take*. The caller runs `serve_forever`.

    Raises:
        OSError: the port is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers with the status that *take* returns."""

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
                self.send_error(413)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = take(Delivery(self.path, headers, self.rfile.read(int(length))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Deliveries are printed by *take*."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


def forward(delivery: Delivery, url: str) -> tuple[int, str]:
    """Send *delivery* unchanged to *url*; returns (status, error), with 502 for an error."""
    headers = {name: value for name, value in delivery.headers.items() if name not in _HOP_HEADERS}
    try:
        request = Request(url, delivery.body, headers, method="POST")
        opener = build_opener(ProxyHandler({}))
        with opener.open(request, timeout=_FORWARD_S_MAX) as response:
            return int(response.status), ""
    except HTTPError as error:
        return error.code, ""
    except (URLError, HTTPException, OSError, ValueError) as error:
        return 502, str(getattr(error, "reason", error))


class Printer:
    """Prints each delivery, and the answer to it if it is forwarded."""

    def __init__(
        self, forward_to: str, answer: int, behaviour: Behaviour | None, *, as_json: bool
    ) -> None:
        self._forward_to = forward_to
        self._answer = answer
        self._behaviour = behaviour
        self._as_json = as_json

    def take(self, delivery: Delivery) -> int:
        """Print *delivery*, and return the status to answer with."""
        status, problem = self._answer, ""
        if self._forward_to:
            status, problem = forward(delivery, self._forward_to)
        if self._as_json:
            echo_json_line(_document(delivery, status))
            return status
        now = datetime.now(UTC).strftime("%H:%M:%S")
        detail = delivery.body.decode(errors="replace")
        say(f"{now}  -->  {_event(delivery)}  {printable(detail)}")
        if self._forward_to:
            colour = "green" if status < 300 else "red"
            shown = paint(f"[{status}]", colour, sys.stdout)
            say(f"{now}  <--  {shown} POST {self._forward_to}  {problem}".rstrip())
            for line in self._finding_lines(status, problem):
                say(line)
        return status

    def _finding_lines(self, status: int, problem: str) -> Iterator[str]:
        """Findings about the receiver that the delivery was forwarded to."""
        if self._behaviour is None:
            return
        outcome = Outcome(None, problem) if problem else Outcome(status)
        found = receiver_findings(self._behaviour, outcome, is_forged=False)
        yield from finding_lines([it.to_json() for it in found], sys.stdout)


def _event(delivery: Delivery) -> str:
    body = _json(delivery)
    found = [body.get(name) for name in ("type", "event", "id")] if isinstance(body, dict) else []
    return printable(" ".join(str(it) for it in found if it)) or "event"


def _document(delivery: Delivery, status: int) -> Json:
    body = _json(delivery)
    if body is None:
        body = delivery.body.decode(errors="replace")
    return {"path": delivery.path, "headers": delivery.headers, "body": body, "answered": status}


def _json(delivery: Delivery) -> Json:
    try:
        return json.loads(delivery.body)
    except ValueError:
        return None
