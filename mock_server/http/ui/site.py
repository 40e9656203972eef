"""The page as a Flask application of its own: its routes, its sessions, its headers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from flask import (
    Flask,
    Response,
    abort,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from ...engine.worlds import DEFAULT_WORLD, Worlds
from ...kernel.errors import MockError
from ...media.ranges import part_of
from .access import PREFIX, Access, Rules, new_session
from .actions import ACTIONS, Done, send_example
from .compare_page import comparison
from .contract_page import clause_list, one_contract
from .documents import PAGES as DOCUMENTS
from .documents import document
from .filters import FILTERS
from .job_page import one_job, video
from .kit_page import REPORT_BYTES_MAX, read_report
from .live import Live, mark
from .pages import PAGES
from .request_page import one_request
from .view import Control, Send, View, ms

#: A form carries an example body at most.
_FORM_BYTES_MAX = 64 * 1024
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_REFERENCE_POLICY = _POLICY.replace(
    "style-src 'self'; img-src 'self'", "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: What a browser without a session may see: nothing of it tells about a world.
_OPEN = frozenset({"static", "login", "enter", "document"})
_DOCUMENTS = "/_screentest/docs"


class Site:
    """The views, over one set of worlds."""

    def __init__(self, worlds: Worlds, control: Control, send: Send, access: Access) -> None:
        self._worlds = worlds
        self._control = control
        self._send = send
        self._access = access
        self._live = Live(worlds)

    # Before and after every view

    def protect(self) -> BaseResponse | None:
        """Find the session of the browser; send it to the login if it needs one."""
        is_change = request.method not in {"GET", "HEAD"}
        if request.endpoint == "kit":
            request.max_content_length = REPORT_BYTES_MAX
        denied = self._access.rules.check_origin(request.environ) if is_change else None
        if denied is not None:
            raise MockError(denied.detail, code=denied.code, status=denied.status)
        session = self._access.session(request)
        g.is_new = session is None
        g.session = session
        if request.endpoint in _OPEN:
            return None
        if session is None:
            if self._access.needs_login:
                return redirect(f"{PREFIX}/login?to={quote(request.full_path.rstrip('?'))}")
            g.session = session = new_session()
        if is_change and not self._access.is_form_of(session, request.form.get("form_token", "")):
            raise MockError(
                "this form is older than your session; load the page again, then repeat it",
                code="stale_form",
                status=403,
            )
        return None

    def finish(self, response: Response) -> Response:
        """Add the headers that keep a browser within its bounds, and its session."""
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        if g.get("session") and g.get("is_new") and request.endpoint != "static":
            self._access.begin(request, response, g.session)
        return response

    # The session

    def login(self) -> str:
        return render_template("login.html", to=_own(request.args.get("to", "")), wrong="")

    def enter(self) -> BaseResponse | tuple[str, int]:
        environ = {
            **request.environ,
            "HTTP_AUTHORIZATION": f"Bearer {request.form.get('token', '').strip()}",
        }
        denied = self._access.rules.check_token(environ)
        to = _own(request.form.get("to", ""))
        if denied is not None:
            wrong = denied.detail if denied.status == 429 else "This is not the token."
            return render_template("login.html", to=to, wrong=wrong), denied.status
        g.session, g.is_new = new_session(), True
        return redirect(to, 303)

    def leave(self) -> BaseResponse:
        answer = redirect(f"{PREFIX}/login", 303)
        self._access.end(request, answer)  # type: ignore[arg-type]  # Flask's redirect makes its own
        return answer

    # Documentation

    def document(self, name: str = "index") -> str | Response:
        """A page, or a file that one shows or links."""
        found = document(name)
        if found is None:
            return send_from_directory(DOCUMENTS, name)
        return render_template("document.html", document=found)

    # Pages

    def home(self) -> BaseResponse:
        return redirect(f"{PREFIX}/w/{DEFAULT_WORLD}/")

    def choose(self) -> BaseResponse:
        """The same page of another world."""
        page = request.args.get("page", "overview")
        place = "" if page not in PAGES or page == "overview" else page
        return redirect(f"{PREFIX}/w/{quote(request.args.get('world', ''), safe='')}/{place}")

    def page(self, world_id: str, page: str = "overview") -> str:
        if page not in PAGES:
            abort(404)
        view = self._view(world_id)
        return self._render(page, view, PAGES[page](view), page=page)

    def request_page(self, world_id: str, number: str) -> str:
        view = self._view(world_id)
        return self._render("request", view, one_request(view, number), page="requests")

    def job_page(self, world_id: str, job: str) -> str:
        view = self._view(world_id)
        return self._render("job", view, one_job(view, job), page="jobs")

    def contract_page(self, world_id: str, provider: str) -> str:
        view = self._view(world_id)
        return self._render("contract", view, one_contract(view, provider), page="contracts")

    def clauses(self, world_id: str, provider: str) -> str:
        view = self._view(world_id)
        return self._render("clauses", view, clause_list(view, provider), page="contracts")

    def compare(self, world_id: str) -> str:
        view = self._view(world_id)
        return self._render("compare", view, comparison(view), page="worlds")

    def kit(self, world_id: str) -> str:
        """The page that opens reports; after a POST, with the report that was sent."""
        view = self._view(world_id)
        sent = request.files.get("report")
        report = read_report(sent.filename or "", sent.read()) if sent is not None else None
        return self._render("kit", view, {"report": report}, page="kit")

    def reference(self, world_id: str, provider: str) -> Response:
        """The operations of a contract by RapiDoc, which sets styles as it draws."""
        self._view(world_id).contract(provider)
        answer = make_response(render_template("reference.html", provider=provider))
        answer.headers["Content-Security-Policy"] = _REFERENCE_POLICY
        return answer

    def openapi(self, world_id: str, provider: str) -> Response:
        """The OpenAPI document with the shapes of this world's readings."""
        return jsonify(self._view(world_id).contract(provider).document)

    def video(self, world_id: str, job: str) -> Response:
        asset = video(self._view(world_id), job)
        if asset is None:
            abort(404)
        part = part_of(asset.content, {name.lower(): it for name, it in request.headers.items()})
        return Response(
            part.content, part.status, dict(part.headers), content_type=asset.content_type
        )

    def live(self, world_id: str) -> Response:
        pieces = self._live.stream(self._view(world_id).world.id, request.args.get("seen", ""))
        return Response(
            pieces,
            content_type="text/event-stream; charset=utf-8",
            headers={"X-Accel-Buffering": "no"},
        )

    def do(self, world_id: str, action: str) -> BaseResponse:
        """Carry out a form, and show the page that it came from, or the one that it leads to."""
        view, form = self._view(world_id), request.form.to_dict()
        try:
            if action == "send":
                done = send_example(view, self._send, form)
            elif action in ACTIONS:
                done = ACTIONS[action](view, form)
            else:
                abort(404)
        except MockError as error:
            done = Done(f"Not done: {error}")
        except KeyError as missing:
            done = Done(f"Not done: the form has no field {missing}")
        to = _own(form.get("back", "")) if done.go is None else f"{PREFIX}/w/{done.go}"
        self._access.notify(g.session, urlsplit(to).path, done.notice)
        return redirect(to, 303)

    def _view(self, world_id: str) -> View:
        return View(
            self._worlds,
            self._control,
            self._worlds.get(world_id),
            request.host_url.rstrip("/"),
            request.args.to_dict(),
        )

    def _render(self, template: str, view: View, shown: Mapping[str, object], *, page: str) -> str:
        # Taken first: what changes while the page is drawn is then news for it.
        seen = mark(self._worlds, view.world.id)
        clock = view.ask("getClock")
        due = clock["next"]
        return render_template(
            f"{template}.html",
            **shown,
            page=page,
            world=view.world.id,
            label=view.world.settings.label,
            root=f"{PREFIX}/w/{quote(view.world.id)}",
            args=view.args,
            clock=clock,
            next_in_ms=ms(due["at"]) - ms(clock["now"]) if due else 0,
            world_ids=[it.id for it in self._worlds.all()],
            seen=seen,
            here=request.full_path.rstrip("?"),
            form_token=self._access.form_token(g.session),
            notice=self._access.notice(g.session, request.path),
            needs_login=self._access.needs_login,
            is_partial=_is_partial(),
        )

    def mistake(self, error: MockError) -> tuple[str, int]:
        return _shown_mistake(error.status, str(error)), error.status

    def missing(self, error: HTTPException) -> tuple[str, int]:
        detail = f"There is no page at {request.path}." if error.code == 404 else error.description
        return _shown_mistake(error.code or 500, detail or ""), error.code or 500


def make_site(worlds: Worlds, control: Control, send: Send, rules: Rules, secret: str) -> Flask:
    """The page over *worlds*, changing them by *control* alone. *secret* signs its sessions."""
    app = Flask(__name__, static_folder="assets", static_url_path=f"{PREFIX}/assets")
    app.jinja_options = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    app.jinja_env.filters.update(FILTERS)
    app.config["MAX_CONTENT_LENGTH"] = _FORM_BYTES_MAX
    site = Site(worlds, control, send, Access(rules, secret))
    app.before_request(site.protect)
    app.after_request(site.finish)
    app.errorhandler(MockError)(site.mistake)
    app.errorhandler(HTTPException)(site.missing)
    one_world = f"{PREFIX}/w/<world_id>"
    for rule, view in (
        (f"{PREFIX}/", site.home),
        (f"{PREFIX}/choose", site.choose),
        (f"{PREFIX}/login", site.login),
        (f"{_DOCUMENTS}/", site.document),
        (f"{_DOCUMENTS}/<path:name>", site.document),
        (f"{one_world}/", site.page),
        (f"{one_world}/compare", site.compare),
        (f"{one_world}/kit", site.kit),
        (f"{one_world}/<page>", site.page),
        (f"{one_world}/requests/<number>", site.request_page),
        (f"{one_world}/jobs/<path:job>", site.job_page),
        (f"{one_world}/contracts/<provider>", site.contract_page),
        (f"{one_world}/contracts/<provider>/clauses", site.clauses),
        (f"{one_world}/contracts/<provider>/reference", site.reference),
        (f"{one_world}/contracts/<provider>/openapi.json", site.openapi),
        (f"{one_world}/video/<path:job>", site.video),
        (f"{one_world}/live", site.live),
    ):
        app.add_url_rule(rule, view.__name__, view, methods=["GET"])
    for rule, act in (
        (f"{PREFIX}/login", site.enter),
        (f"{PREFIX}/leave", site.leave),
        (f"{one_world}/do/<action>", site.do),
        (f"{one_world}/kit", site.kit),
    ):
        app.add_url_rule(rule, act.__name__, act, methods=["POST"])
    return app


def _shown_mistake(status: int, detail: str) -> str:
    """A page that says what is wrong; a notice where a page asks in the background."""
    template = "notice.html" if _is_partial() else "error.html"
    return render_template(template, status=status, detail=detail)


def _is_partial() -> bool:
    return request.headers.get("HX-Request") == "true"


def _own(address: str) -> str:
    """*address* if it is a page of ours, else the first page; an open redirect helps phishing."""
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and address.startswith(f"{PREFIX}/")
    return address if is_ours and "\\" not in address else f"{PREFIX}/"
