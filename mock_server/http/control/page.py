"""The way to the page in the browser: `/` and what is below `/_screentest/ui/` and `…/docs/`.

The page is a Flask application of its own, which is loaded when a browser first asks for it: most
mocks run inside test suites, and are never looked at.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache, partial
from urllib.parse import urlencode
from wsgiref.types import WSGIApplication

import orjson
from flask import Blueprint, Flask, Response, abort, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from screentest.specs.json_types import Json

from ...engine.worlds import Worlds
from ..guard import Guard, problem
from .handlers import call_control

_PREFIX = "/_screentest/ui/"
_PREFIXES = (_PREFIX, "/_screentest/docs/")


def page_blueprint(app: Flask, worlds: Worlds, guard: Guard) -> Blueprint:
    """The routes of the page, in front of *app*."""
    page = Blueprint("page", __name__)
    secret = guard.token or secrets.token_hex(32)

    @cache
    def site() -> WSGIApplication:
        from ..ui.site import make_site

        return make_site(worlds, partial(_call, app, worlds), partial(_send, app), guard, secret)

    def show(rest: str = "") -> BaseResponse:
        if request.path.startswith(_PREFIXES):
            return Response.from_app(site(), request.environ)
        if request.method in {"GET", "HEAD"} and _is_browser():
            return redirect(_PREFIX)
        denied = guard.check_control(request.environ)
        if denied is None:
            abort(404)
        headers, body = problem(denied)
        return Response(body, status=denied.status, headers=headers)

    for rule in ("/", *_PREFIXES, *(f"{it}<path:rest>" for it in _PREFIXES)):
        page.add_url_rule(
            rule,
            "show",
            show,
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            provide_automatic_options=False,
        )
    return page


def _is_browser() -> bool:
    accepted = request.accept_mimetypes
    return accepted.best_match(["application/json", "text/html"]) == "text/html"


def _call(
    app: Flask,
    worlds: Worlds,
    operation: str,
    path: Mapping[str, str],
    *,
    query: Mapping[str, object] | None = None,
    body: Json = None,
    origin: str = "",
) -> Json:
    """The answer of the control API to *operation*, read and judged as over HTTP."""
    sent = orjson.dumps(body) if body is not None else b""
    with app.app_context():
        return call_control(
            worlds, operation, path, query=urlencode(query or {}), body=sent, origin=origin
        )


def _send(
    app: Flask, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, str, bytes]:
    """Status, request id and body of the mock's own answer to a client."""
    answer = app.test_client().open(url, method=method, headers=dict(headers), data=body)
    return answer.status_code, answer.headers.get("X-Screentest-Request-Id", ""), answer.data
