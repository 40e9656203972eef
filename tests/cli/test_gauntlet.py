"""`screentest gauntlet URL`: a receiver on a socket, whose state a command or a URL shows."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Shell

_SECRET = "whsec_of_the_receiver"


def _handler(kept: Path, *, verifies: bool) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, kept.read_bytes() if kept.exists() else b"")

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            if length > 1_000_000:
                self._answer(413)
                return
            body = self.rfile.read(length)
            signed = self.headers.get("X-UGC-Timestamp", "").encode() + b"." + body
            right = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
            if verifies and self.headers.get("X-UGC-Signature") != right:
                self._answer(401)
                return
            try:
                event = json.loads(body)
            except ValueError:
                self._answer(400)
                return
            with lock:
                known = kept.read_text().splitlines() if kept.exists() else []
                kept.write_text("\n".join(dict.fromkeys([*known, event["id"]])))
            self._answer(204)

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing."""

    return Handler


@contextmanager
def _serving(server: HTTPServer) -> Generator[str]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("by", ["command", "url"])
def test_right_receiver_passes(shell: Shell, by: str) -> None:
    kept = shell.folder / "kept"
    count = f"import pathlib; p = pathlib.Path({str(kept)!r})\n"
    count += "print(len(p.read_text().split()) if p.exists() else 0)"
    (shell.folder / "count.py").write_text(count)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kept, verifies=True))
    with _serving(server) as url:
        check = f"{sys.executable} count.py" if by == "command" else url

        done = shell.run("gauntlet", url, f"--secret={_SECRET}", f"--check={check}")

    assert done.code == 0, done.out + done.err
    assert "~  stale" in done.out
    assert done.out.endswith("15 trials, 0 failed\n")


@pytest.mark.long
def test_receiver_that_believes_everything_and_is_alone_fails(shell: Shell) -> None:
    server = HTTPServer(("127.0.0.1", 0), _handler(shell.folder / "kept", verifies=False))
    with _serving(server) as url:
        done = shell.run("gauntlet", url, f"--secret={_SECRET}", "--within=0.5")

    failed = {line.split()[1] for line in done.out.splitlines() if line.startswith("x  ")}
    assert done.code == 1
    assert {"forged", "swapped", "unsigned", "slow"} <= failed


@pytest.mark.parametrize(
    ("words", "code", "detail"),
    [
        (("http://127.0.0.1:1/", "--secret=x"), 3, "no receiver at http://127.0.0.1:1/"),
        (("http://127.0.0.1:1/",), 2, "Missing option '--secret'"),
        (("ftp://127.0.0.1/", "--secret=x"), 2, "ftp"),
        (("http://127.0.0.1:1/", "--secret=x", "--provider=ozor"), 2, "documents no webhooks"),
        (("http://127.0.0.1:1/", "--secret=x", "--check=exit 3"), 2, "exit code 3"),
    ],
)
def test_mistake_is_reported_in_one_line(
    shell: Shell, words: tuple[str, ...], code: int, detail: str
) -> None:
    done = shell.run("gauntlet", *words)

    assert (done.code, "Traceback" in done.err) == (code, False), done.err
    assert detail in done.err
