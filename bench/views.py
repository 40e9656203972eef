"""The two yardsticks: a Flask view that does nothing, and a WSGI callable with one SQLite read.

The first is what any mock made with Flask costs before it does anything; the second is about what
a stateful answer costs without a framework.

    python -m bench.views flask|wsgi THREADS PORT
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, jsonify

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CREATED = "2026-01-01T00:00:00Z"
_JOBS = 1_000


def flask_view() -> WSGIApplication:
    """A bare Flask application with one view."""
    app = Flask("bench")

    def show_job(job_id: str) -> Response:
        return jsonify(jobId=job_id, status="processing", createdAt=_CREATED)

    app.add_url_rule("/jobs/<job_id>", view_func=show_job)
    return app


def wsgi_view() -> WSGIApplication:
    """A WSGI callable that reads its job from SQLite in memory."""
    database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    database.execute("CREATE TABLE jobs (id TEXT PRIMARY KEY, status TEXT, created_at TEXT)")
    rows = [(f"job_{number}", "processing", _CREATED) for number in range(_JOBS)]
    database.executemany("INSERT INTO jobs VALUES (?, ?, ?)", rows)
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        job_id = environ["PATH_INFO"].rpartition("/")[2]
        with lock:
            row = database.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        body = orjson.dumps({"jobId": row[0], "status": row[1], "createdAt": row[2]})
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return answer


def _serve(view: WSGIApplication, threads: int, port: int) -> None:
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.log import LogLevels
    from granian.server import Server

    server: Any = Server(
        "view",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        loop=Loops.asyncio,
        websockets=False,
        blocking_threads=threads,
        backlog=1024,
        backpressure=1024,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=lambda: view, wrap_loader=False)


def main(view: str, threads: int, port: int) -> None:
    """Serve *view* until the process is ended."""
    _serve({"flask": flask_view, "wsgi": wsgi_view}[view](), threads, port)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
