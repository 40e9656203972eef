"""Requests to a WSGI application without a server."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from wsgiref.validate import validator

from screentest.specs.wsgi_environ import headers_of, wsgi_environ


def test_the_environment_is_one_that_the_standard_allows() -> None:
    environ = wsgi_environ("POST", b"/videos", "a=1", [("Content-Type", "text/plain")], b"lamp")

    pieces: Any = validator(_application)(environ, _start)
    with closing(pieces):
        assert b"".join(pieces) == b"done"


def _application(environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def _start(status: str, headers: object, _: object = None) -> Any:
    return lambda piece: None


def test_headers_of_one_name_are_joined_and_the_body_has_its_own_length() -> None:
    headers = [
        ("Accept", "text/html"),
        ("accept", "image/png"),
        ("Content-Length", "99"),
        ("Transfer-Encoding", "chunked"),
    ]

    environ = wsgi_environ("POST", "/é".encode(), "", headers, b"lamp")

    assert environ["HTTP_ACCEPT"] == "text/html, image/png"
    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("4", b"lamp")
    assert environ["PATH_INFO"] == "/Ã©"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_request_without_a_body_keeps_the_length_that_it_declares() -> None:
    environ = wsgi_environ("HEAD", b"/", "", [("Content-Length", "0")], b"")

    assert environ["CONTENT_LENGTH"] == "0"


def test_headers_are_read_back_by_their_names_in_lower_case() -> None:
    headers = [("X-API-Key", "k"), ("Content-Type", "text/plain")]
    environ = wsgi_environ("GET", b"/", "", headers, b"")

    assert headers_of(environ) == {"x-api-key": "k", "content-type": "text/plain"}
