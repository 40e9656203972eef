"""The control API, by which a test or a person controls the mock itself.

A call is routed and checked by its contract, `specs/control/openapi.yaml`, before its handler runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from screentest.specs.contracts.controls import load_controls
from screentest.specs.errors import ContractError, nearest
from screentest.specs.openapi.routes import Match, Routes

from ...engine.worlds import Worlds
from ...kernel.errors import MockError
from ..guard import Denial, Guard, problem
from ..metrics import Metrics
from . import operation
from .events import Watch
from .handlers import HANDLERS
from .request import Document, Handler, body_bytes_max, read_call

_PREFIX = "/_screentest"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_JOB_PATH = re.compile(r"(/worlds/[^/]+/jobs/)(.+)")
#: The endpoint of the page in the browser.
PAGE = "page.show"
# Errors are read in a terminal.
_PATH_MAX = 120


def control_blueprint(worlds: Worlds, guard: Guard, metrics: Metrics | None = None) -> Blueprint:
    """The routes under `/_screentest/`."""
    control = Blueprint("control", __name__, url_prefix=_PREFIX)
    handlers: Mapping[str, Handler] = {
        **operation.operations(metrics),
        **HANDLERS,
        **Watch(worlds).operations(),
    }
    controls = load_controls()
    unknown = handlers.keys() ^ controls.operations.keys()
    assert not unknown, unknown
    # One rule, since Flask compiles each of some forty for every application that it serves.
    control.add_url_rule(
        "/<path:rest>",
        "call",
        partial(_answer, worlds, controls.routes, handlers),
        methods=_METHODS,
        provide_automatic_options=False,
    )

    @control.before_app_request
    def _protect() -> Response | None:
        if request.endpoint == PAGE:
            return None  # which logs its browsers in by itself
        denied = guard.check_control(request.environ)
        return _problem(denied.status, denied.code, denied.detail) if denied else None

    control.app_errorhandler(MockError)(_mistake)
    control.app_errorhandler(ContractError)(_contract_mistake)
    control.app_errorhandler(HTTPException)(partial(_no_route, worlds))
    control.app_errorhandler(Exception)(_crash)
    control.after_app_request(_signed)
    return control


def _signed(response: Response) -> Response:
    """*response* with the header by which a client recognises a mock."""
    response.headers["X-Screentest-Control"] = load_controls().document["info"]["version"]
    return response


def _problem(status: int, code: str, detail: str) -> Response:
    headers, body = problem(Denial(status, code, detail))
    return Response(body, status=status, headers=headers)


def _found(routes: Routes, method: str, path: str) -> Match:
    """The call that *path*, relative to the control API, asks for.

    A job's id may have slashes: it is the whole rest. OpenAPI 3.1 has no parameter for several
    segments of a path.

    Raises:
        HTTPException: 404 or 405.
    """
    place, job = _without_slashes(path)
    found = routes.find(method, place)
    if found is None:
        raise MethodNotAllowed if routes.methods(place) else NotFound
    return found if not job else Match(found.operation, {**found.path, "job": job})


def _without_slashes(path: str) -> tuple[str, str]:
    """*path* with a job's id in one segment, and the id; empty for other paths."""
    match = _JOB_PATH.fullmatch(path)
    return (f"{match[1]}-", match[2]) if match is not None else (path, "")


def _methods(path: str) -> list[str]:
    """The methods of the call at *path*; empty if there is none."""
    methods = load_controls().routes.methods(_without_slashes(path)[0])
    return [*methods, "HEAD"] if "GET" in methods else methods


def _answer(worlds: Worlds, routes: Routes, handlers: Mapping[str, Handler], rest: str) -> Response:
    """The handler's answer, with the one success status that the contract documents."""
    found = _found(routes, request.method, f"/{rest}")
    operation, handler = found.operation, handlers[found.operation.id]
    call = read_call(
        worlds,
        operation,
        found.path,
        query=request.query_string.decode("latin-1"),
        # One byte more than allowed shows a body that is too large, whatever its length claims.
        body=request.stream.read(body_bytes_max(operation) + 1),
        origin=request.host_url.rstrip("/"),
        accept=request.headers.get("Accept", ""),
    )
    answered = handler(call)
    if isinstance(answered, Response):
        return answered
    if isinstance(answered, Document):
        return Response(answered.content, content_type=answered.content_type)
    status = min(int(code) for code in operation.replies if code.startswith("2"))
    if answered is None:
        nothing = Response(status=status)
        del nothing.headers["Content-Type"]
        return nothing
    response = jsonify(answered)
    response.status_code = status
    return response


def _mistake(error: MockError) -> Response:
    return _problem(error.status, error.code, str(error))


def _contract_mistake(error: ContractError) -> Response:
    return _problem(500, "contract_mistake", f"a contract is at fault: {error}")


def _no_route(worlds: Worlds, error: HTTPException) -> Response:
    code = error.name.lower().replace(" ", "_")
    detail = (
        _what_there_is(worlds, request.path) if code == "not_found" else error.description or ""
    )
    response = _problem(error.code or 500, code, detail)
    if isinstance(error, MethodNotAllowed):
        methods = _methods(request.path.removeprefix(_PREFIX)) or error.valid_methods or ()
        response.headers["Allow"] = ", ".join(methods)
    return response


def _what_there_is(worlds: Worlds, path: str) -> str:
    """Where to go from a path that is neither a provider's nor a control call's."""
    first = path.split("/")[1]
    places = ", ".join(f"/{name}/" for name in worlds.contracts)
    near = nearest(first, worlds.contracts)
    hint = f"; did you mean /{near[0]}/?" if near else ""
    return (
        f"nothing is at {path[:_PATH_MAX]!r}{hint} (providers are below {places}; "
        "/_screentest/openapi.json lists the control calls)"
    )


def _crash(error: Exception) -> Response:
    """The 500 for our own error. The log has the traceback; the caller gets no paths and no SQL."""
    current_app.logger.error("control call failed", exc_info=error)
    detail = "screentest is wrong here; its own log says where. Please report it."
    return _problem(500, "crash", detail)
