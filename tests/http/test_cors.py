"""Web pages of other origins: refused with a finding, unless `--cors` names their origin."""

from __future__ import annotations

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.cors import read_origins
from screentest.mock_server.http.guard import Guard
from screentest.mock_server.kernel.errors import MockError
from tests.mock_client import Account, make_world, make_wsgi

_PAGE = "http://localhost:5173"
_PREFLIGHT = {
    "Origin": _PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-api-key",
}
_PATH = "/api/v1/videos/generate"


def _served(*origins: str) -> Account:
    guard = Guard(origins=read_origins(origins))
    return make_world(WsgiClient(create_app(guard=guard))).account("ozor")


def test_preflight_is_refused_with_a_finding_that_names_the_page() -> None:
    account = make_world(make_wsgi()).account("ozor")

    answer = account.client.request("OPTIONS", _PATH, headers=_PREFLIGHT)
    finding = account.world.requests()[0]["findings"][0]

    assert answer.status == 405
    assert "access-control-allow-origin" not in answer.headers
    assert (finding["code"], finding["actual"]) == ("SC115", f"a preflight from a page of {_PAGE}")
    assert "screentest serve --cors ORIGIN" in finding["fix"]


def test_other_options_request_is_a_wrong_method() -> None:
    account = make_world(make_wsgi()).account("ozor")

    account.client.request("OPTIONS", _PATH)

    assert account.world.requests()[0]["findings"][0]["code"] == "SC111"


def test_allowed_page_may_send_what_it_asked_for_and_read_the_answer() -> None:
    account = _served(_PAGE, "https://studio.example")

    preflight = account.client.request("OPTIONS", _PATH, headers=_PREFLIGHT)
    answer = account.client.post(_PATH, json={"prompt": "A lamp"}, headers={"Origin": _PAGE})

    assert preflight.status == 204
    assert preflight.headers == {
        "access-control-allow-origin": _PAGE,
        "vary": "Origin",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type,x-api-key",
        "access-control-max-age": "600",
    }
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == _PAGE
    assert [it["operation"] for it in account.world.requests()] == ["generateVideo"]


def test_page_of_another_origin_stays_refused() -> None:
    account = _served(_PAGE)

    preflight = account.client.request(
        "OPTIONS", _PATH, headers={**_PREFLIGHT, "Origin": "http://evil"}
    )

    assert preflight.status == 405
    assert "access-control-allow-origin" not in preflight.headers


def test_control_api_stays_closed_to_an_allowed_page() -> None:
    control = _served(_PAGE).world.control

    preflight = control.request("OPTIONS", "/worlds", headers=_PREFLIGHT)
    refused = control.post("/worlds", json={}, headers={"Origin": _PAGE})

    assert (preflight.status, refused.status) == (403, 403)
    assert "access-control-allow-origin" not in {**preflight.headers, **refused.headers}


@pytest.mark.parametrize("text", ["*", "localhost:5173", "http://localhost:5173/studio", ""])
def test_what_is_not_an_origin_is_refused(text: str) -> None:
    with pytest.raises(MockError, match="--cors takes an origin such as http://localhost:5173"):
        read_origins([text])
