"""Who may see the page and change something through it."""

from __future__ import annotations

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.guard import WRONG_TOKENS_MAX, Guard
from tests.mock_client import MockWorld

from .visitor import UI, Page, Visitor

TOKEN = "a token for this test alone"
POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"}


@pytest.fixture
def stranger() -> Visitor:
    """A visitor of a server that has a token."""
    return Visitor(WsgiClient(create_app(guard=Guard(token=TOKEN))), "default")


def _log_in(visitor: Visitor, token: str = TOKEN, to: str = "") -> int:
    form = Page(visitor.open(f"{UI}/login?to={to}").get_data(as_text=True)).forms[0]
    answer = visitor.wsgi.post(form.action, data={**form.fields, "token": token})
    return answer.status_code


@pytest.mark.parametrize(
    "path",
    ["/", "/requests", "/jobs", "/live", "/worlds", "/contracts/ozor", "/video/x", "/do/advance"],
)
def test_a_server_with_a_token_shows_nothing_without_it(stranger: Visitor, path: str) -> None:
    answer = stranger.open(path)

    assert answer.status_code in {302, 405}
    assert answer.status_code == 405 or answer.location.startswith(f"{UI}/login?to=")
    assert b"sk_live" not in answer.data


def test_a_server_with_a_token_changes_nothing_without_it(stranger: Visitor) -> None:
    answer = stranger.wsgi.post(f"{stranger.root}/do/reset-world", data={})

    assert answer.status_code == 302
    assert answer.location.startswith(f"{UI}/login?to=")


def test_the_token_opens_the_page_that_was_asked_for(stranger: Visitor) -> None:
    asked = stranger.open("/jobs", follow_redirects=True)
    form = Page(asked.get_data(as_text=True)).forms[0]

    answer = stranger.wsgi.post(form.action, data={**form.fields, "token": TOKEN})

    assert (answer.status_code, answer.location) == (303, f"{UI}/w/default/jobs")
    assert stranger.open("/jobs").status_code == 200


def test_a_form_that_is_too_old_says_so_in_the_open_page(visitor: Visitor) -> None:
    form = visitor.page().form("/do/advance")
    data = {**form.fields, "form_token": "of another session"}

    answer = visitor.wsgi.post(form.action, data=data, headers={"HX-Request": "true"})

    assert answer.status_code == 403
    assert answer.text.startswith('<hx-partial hx-target="#notice"')
    assert "load the page again" in answer.text


def test_the_session_ends_when_its_holder_says_so(stranger: Visitor) -> None:
    _log_in(stranger)
    form = stranger.page().form("/leave")

    stranger.wsgi.post(form.action, data=form.fields)

    assert stranger.open("/").status_code == 302


def test_wrong_tokens_are_counted_and_the_right_one_still_opens(stranger: Visitor) -> None:
    answers = [_log_in(stranger, "wrong") for _ in range(WRONG_TOKENS_MAX + 1)]

    assert answers == [401] * WRONG_TOKENS_MAX + [429]
    assert _log_in(stranger) == 303


def test_a_forged_session_is_none(stranger: Visitor) -> None:
    stranger.wsgi.set_cookie("screentest", "1-abc.0123", path=UI)

    assert stranger.open("/").status_code == 302


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_login_leads_nowhere_else(stranger: Visitor, to: str) -> None:
    answer = stranger.wsgi.post(f"{UI}/login", data={"token": TOKEN, "to": to})

    assert answer.location == f"{UI}/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    cookie = visitor.open("/").headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=Strict", f"Path={UI}"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_another_origin_cannot_submit_a_form(
    visitor: Visitor, world: MockWorld, headers: dict[str, str]
) -> None:
    form = visitor.page().form("/do/advance")

    answer = visitor.wsgi.post(form.action, data={**form.fields, "by_ms": "30000"}, headers=headers)

    assert answer.status_code == 403
    assert world.control.get(f"{world.path}/clock").json()["now"] == "2026-01-01T00:00:00Z"


def test_a_foreign_host_is_refused(visitor: Visitor) -> None:
    answer = visitor.open("/", headers={"Host": "mock.evil.example"})

    assert answer.status_code == 421


def test_the_control_api_takes_no_session_for_a_token(stranger: Visitor) -> None:
    _log_in(stranger)

    assert stranger.wsgi.get("/_screentest/worlds").status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/requests", "/login", "/nothing", "/assets/page.css", "/assets/page.js"]
)
def test_every_answer_carries_the_policy(visitor: Visitor, path: str) -> None:
    inside = path in {"/", "/requests", "/nothing"}
    headers = visitor.open(path if inside else UI + path).headers

    assert set(headers["Content-Security-Policy"].split("; ")) >= POLICY
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store" or path.startswith("/assets")


def test_no_page_has_a_script_or_a_style_of_its_own(visitor: Visitor) -> None:
    for name in ("", "requests", "jobs", "credits", "webhooks", "faults", "contracts/ozor"):
        for tag, known in visitor.page(f"/{name}").tags:
            assert tag != "style"
            assert tag != "script" or known.get("src", "").startswith(f"{UI}/assets/")  # type: ignore[union-attr]  # a script has a src
            assert not [it for it in known if it.startswith(("on", "hx-on", "style"))]


def test_the_reference_alone_may_set_styles_and_no_page_may_run_inline_scripts(
    visitor: Visitor,
) -> None:
    reference = visitor.open("/contracts/ozor/reference")
    other = visitor.open("/contracts/ozor")

    assert "style-src 'self' 'unsafe-inline';" in reference.headers["Content-Security-Policy"]
    assert "style-src 'self';" in other.headers["Content-Security-Policy"]
    assert "script-src 'self';" in reference.headers["Content-Security-Policy"]
    assert b"<script>" not in reference.data + other.data


def test_a_reference_follows_the_readings_of_its_world(visitor: Visitor) -> None:
    document = visitor.open("/contracts/ozor/openapi.json").get_json()

    assert document["info"]["title"] == "Ozor"
    assert visitor.open("/contracts/nothing/openapi.json").status_code == 422
    assert visitor.open("/contracts/nothing/reference").status_code == 422
