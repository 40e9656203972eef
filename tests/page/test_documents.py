"""The documentation in the mock: every page, offline, and no other file."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.guard import Guard
from tests.tree import ROOT

from .visitor import Page

DOCS = "/_screentest/docs/"
NAMES = sorted(it.relative_to(ROOT / "docs") for it in (ROOT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def wsgi() -> WsgiClient:
    """A client of a server that has a token, without the token."""
    return WsgiClient(create_app(guard=Guard(token="a token for this test alone")))


def _page(wsgi: WsgiClient, url: str) -> Page:
    answer = wsgi.get(url)
    assert answer.status_code == 200, url
    return Page(answer.get_data(as_text=True))


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_links_of_a_document_lead_to_documents_and_their_headings(
    wsgi: WsgiClient, name: object
) -> None:
    url = f"{DOCS}{name}".removesuffix(".md")
    found = _page(wsgi, url)

    for address in found.addresses:
        target, heading = urldefrag(urljoin(url, address))
        if target.startswith(DOCS) and "." not in target:
            ids = {it["id"] for _, it in _page(wsgi, target).tags if "id" in it}
            assert not heading or heading in ids, address
        elif not target.startswith("http"):
            assert wsgi.get(target, headers={"Accept": "text/html"}).status_code < 400, address


def test_first_document_leads_to_all_others(wsgi: WsgiClient) -> None:
    addresses = {urljoin(DOCS, it) for it in _page(wsgi, DOCS).addresses}

    assert {f"{DOCS}{name}".removesuffix(".md") for name in NAMES} - addresses == {f"{DOCS}index"}


def test_document_has_its_title_and_the_headers_of_the_page(wsgi: WsgiClient) -> None:
    answer = wsgi.get(f"{DOCS}limits")

    assert "<title>Limits · screentest</title>" in answer.get_data(as_text=True)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["nothing", "limits.txt", "../README", "%2e%2e/README", "images/../../README.md", "a\0b"],
)
def test_other_files_are_not_documents(wsgi: WsgiClient, path: str) -> None:
    answer = wsgi.get(f"{DOCS}{path}")

    assert answer.status_code in {302, 401, 404}
    assert b"make serve" not in answer.data
