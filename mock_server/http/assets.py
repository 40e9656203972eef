"""The files behind the mock's own URLs: videos and pictures, with Range, HEAD and ETag."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from screentest.specs.behaviour.outputs import UrlRules
from screentest.specs.behaviour.reasons import REASONS
from screentest.specs.contracts.contract import Contract

from ..engine.instant import url_secret
from ..engine.provider import Refusal, Reply
from ..engine.views import served_file
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.signing import Verdict, check_query
from ..media.asset import Asset
from ..media.ranges import part_of
from .pieces import Outgoing


def find_asset(
    worlds: Worlds, world: World, provider: str, path: str, method: str, query: str
) -> Asset | Reply:
    """The file at *path*, which follows the prefix, or the store's refusal."""
    if method not in {"GET", "HEAD"}:
        return _refuse("wrong_method", path, {"Allow": "GET, HEAD"})
    fields = dict(parse_qsl(query, keep_blank_values=True))
    at = _rules_at(worlds.contracts[provider], path)
    if at is None:
        return _refuse("not_found", path)
    found = _find(worlds, world, provider, at[0], path, at[1], fields)
    return found if isinstance(found, Asset) else _refuse(found, path)


def kind_of(contract: Contract, path: str) -> str:
    """The kind of URL that the file at *path* has."""
    at = _rules_at(contract, path)
    assert at is not None, path
    return at[0].name


def _rules_at(contract: Contract, path: str) -> tuple[UrlRules, Mapping[str, str]] | None:
    """The kind of URL that *path* has, and its values."""
    for rules in contract.behaviour.urls.values():
        parts = rules.parts_of(path)
        if parts is not None:
            return rules, parts
    return None


def _find(
    worlds: Worlds,
    world: World,
    provider: str,
    rules: UrlRules,
    path: str,
    parts: Mapping[str, str],
    query: Mapping[str, str],
) -> Asset | str:
    """The file, or the reason of a refusal."""
    with world.rows.transaction():
        now_ms = worlds.clocks.now_ms(world)
        worlds.clocks.settle(world, now_ms)
        ctx = worlds.clocks.instant(world, provider, now_ms=now_ms)
        verdict = check_query(rules, path, url_secret(world), now_ms, query)
        if verdict is Verdict.EXPIRED:
            return "expired_address"
        if verdict is Verdict.BAD:
            return "changed_address"
        serve = worlds.providers[provider].assets.get(rules.name)
        asset = serve(ctx, parts) if serve is not None else served_file(ctx, rules, parts)
    return asset if asset is not None else "not_found"


def asset_answer(asset: Asset, asked: Mapping[str, str]) -> Outgoing:
    """*asset*, or the part of it that the request headers *asked* for."""
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
    return Outgoing(part.status, headers, part.content)


def _refuse(reason: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
    worded = REASONS[reason].file
    assert worded is not None, reason
    # Object stores answer in XML, whatever the provider's API speaks.
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{worded.code}</Code><Message>{worded.message}</Message></Error>"
    ).encode()
    facts = {"resource": "file", "id": path, "allow": "GET, HEAD"}
    return Reply(
        worded.status,
        body,
        dict(headers or {}),
        "application/xml; charset=UTF-8",
        reason="file",
        refusal=Refusal(reason, facts),
    )
