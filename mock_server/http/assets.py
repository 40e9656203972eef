"""Files that the mock's own URLs serve: videos, thumbnails, pictures. Range, HEAD and ETag work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from screentest.specs.behaviour import UrlRules

from ..generic import film
from ..provider import Asset
from ..ranges import part_of
from ..signing import Verdict, check_query
from ..universe import World
from ..world import Worlds

PREFIX = "/_storage/"

#: Object stores answer in XML.
_PROBLEMS = {
    "NoSuchKey": (404, "The specified key does not exist."),
    "ExpiredToken": (403, "The provided token has expired."),
    "SignatureDoesNotMatch": (403, "The signature does not match this URL."),
    "MethodNotAllowed": (405, "Only GET and HEAD work here."),
}


def serve_asset(
    worlds: Worlds,
    world: World,
    provider: str,
    path: str,
    environ: WSGIEnvironment,
    start: StartResponse,
) -> Iterable[bytes]:
    """Answer a request for *path*, which follows the prefix."""
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return _refuse("MethodNotAllowed", environ, start, ("Allow", "GET, HEAD"))
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for rules in worlds.contracts[provider].behaviour.urls.values():
        match = re.fullmatch(_pattern(rules.path), path)
        if match is not None:
            found = _find(worlds, world, provider, rules, path, match.groupdict(), query)
            if isinstance(found, Asset):
                return _send(found, environ, start)
            return _refuse(found, environ, start)
    return _refuse("NoSuchKey", environ, start)


def _find(
    worlds: Worlds,
    world: World,
    provider: str,
    rules: UrlRules,
    path: str,
    parts: Mapping[str, str],
    query: Mapping[str, str],
) -> Asset | str:
    """The file, or the code of the problem."""
    with worlds.store.request():
        now_ms = worlds.now_ms(world)
        worlds.settle(world, now_ms)
        here = worlds.instant(world, provider, now_ms=now_ms)
        verdict = check_query(rules, path, here.url_secret, now_ms, query)
        if verdict is Verdict.EXPIRED:
            return "ExpiredToken"
        if verdict is Verdict.BAD:
            return "SignatureDoesNotMatch"
        serve = worlds.providers[provider].assets.get(rules.name)
        asset = serve(here, parts) if serve is not None else film(here, parts)
    return asset if asset is not None else "NoSuchKey"


def _send(asset: Asset, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    asked = {
        name: environ[f"HTTP_{name.upper().replace('-', '_')}"]
        for name in ("range", "if-range", "if-none-match")
        if f"HTTP_{name.upper().replace('-', '_')}" in environ
    }
    part = part_of(asset.content, asked)
    headers = [
        *part.headers.items(),
        ("Cache-Control", "private, max-age=0"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if part.status != 304:
        headers.append(("Content-Type", asset.content_type))
        headers.append(("Content-Length", str(len(part.content))))
    if asset.filename:
        headers.append(("Content-Disposition", f'attachment; filename="{asset.filename}"'))
    start(f"{part.status} {HTTPStatus(part.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [part.content]


def _refuse(
    code: str, environ: WSGIEnvironment, start: StartResponse, *extra: tuple[str, str]
) -> list[bytes]:
    status, message = _PROBLEMS[code]
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    ).encode()
    headers = [
        ("Content-Type", "application/xml; charset=UTF-8"),
        ("Content-Length", str(len(body))),
        *extra,
    ]
    start(f"{status} {HTTPStatus(status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _pattern(template: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[A-Za-z0-9_-]{1,64})", re.escape(template))
