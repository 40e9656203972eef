"""The contract kit against a foreign server on this machine, as `screentest verify` runs it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from screentest.contract_tests.report.text import text_report
from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.verify import Result

MEDIA = Path(__file__).parent.parent.parent / "fixtures" / "media"
SPEED = 600.0
_BUDGET = 20_000


@contextmanager
def serving(server: HTTPServer) -> Generator[str]:
    """The address of *server*, which answers while the block runs."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def served(app: Any) -> AbstractContextManager[str]:
    """The address of *app*, a WSGI application."""
    return serving(make_server("127.0.0.1", 0, app, threaded=True))


def judged(provider: str, url: str, *, speed: float = SPEED, **more: Any) -> Result:
    """What the kit finds with two accounts, an empty one and a budget."""
    options = VerifyOptions(
        provider,
        url=url,
        api_key="key-one",
        second_api_key="key-two",
        empty_api_key="key-empty",
        budget=_BUDGET,
        time_scale=speed,
        **more,
    )
    return run_verify(options, lambda scenario, ran: None)


def text_of(result: Result) -> str:
    """The report, for the message of a failed assertion."""
    return "\n".join(text_report(result))
