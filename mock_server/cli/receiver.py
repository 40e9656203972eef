"""A small receiver of deliveries: prints them, keeps none, and can hand them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

#: Payloads are small; what is larger is none.
_BODY_BYTES_MAX = 1024 * 1024
_FORWARD_S_MAX = 15.0
#: They belong to one connection, not to the delivery.
_HOP_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


#: Takes a delivery, gives the status to answer with.
Take = Callable[[Delivery], int]


def open_receiver(port: int, take: Take) -> ThreadingHTTPServer:
    """A server on loopback that gives every POST to *take*; it begins with serve_forever().

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers what *take* says."""

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
    """(status, what went wrong) of handing *delivery* on to *url*, unchanged; 502 for no answer."""
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
