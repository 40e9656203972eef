"""Where a request has its key: read from the place that a contract names, and put there."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode

from .behaviour import Behaviour
from .credentials import Credential
from .forms import COOKIE, QUERY


def presented(credential: Credential, headers: Mapping[str, str], query: str = "") -> str | None:
    """The raw key that a request presents for *credential*; None when it presents none.

    *headers* have names in lower case. A bare form (no scheme word) in a header that also has
    scheme forms takes any single word.
    """
    for place, scheme in credential.forms:
        value = value_at(place, headers, query)
        if not value:
            continue
        if not scheme:
            return value
        word, _, raw = value.partition(" ")
        if word.lower() == scheme.lower() and raw.strip():
            return _of_basic(raw.strip()) if scheme == "Basic" else raw.strip()
    return None


def value_at(place: str, headers: Mapping[str, str], query: str) -> str:
    """What a request has at *place*, a header, a query parameter or a cookie; empty if nothing."""
    if place.startswith(QUERY):
        return next((it for name, it in parse_qsl(query) if name == place[1:]), "")
    if place.startswith(COOKIE):
        parts = (it.strip().partition("=") for it in headers.get("cookie", "").split(";"))
        return next((it for name, _, it in parts if name == place[1:]), "")
    return headers.get(place, "").strip()


def credential_in(behaviour: Behaviour, headers: Mapping[str, str], query: str) -> dict[str, str]:
    """The credentials that a request carries, by their place."""
    places = {place for it in behaviour.credentials.values() for place, _ in it.forms}
    return {it: value for it in places if (value := value_at(it, headers, query))}


def carries(
    behaviour: Behaviour, schemes: Iterable[str], headers: Mapping[str, str], query: str
) -> bool:
    """Whether a request has something where one of *schemes* is read; any cookie counts."""
    places = {place for it in schemes for place, _ in behaviour.credentials[it].forms}
    return any(
        "cookie" in headers if it.startswith(COOKIE) else value_at(it, headers, query)
        for it in places
    )


def text_of(key: str, scheme: str) -> str:
    """*key* as a request writes it after the word *scheme*, which may be empty."""
    if scheme == "Basic":
        key = base64.b64encode(f"{key}:".encode()).decode()
    return f"{scheme} {key}".strip()


def with_value(
    place: str, value: str, headers: Mapping[str, str], query: str
) -> tuple[dict[str, str], str]:
    """*headers*, with names in lower case, and *query*, with *value* at *place*."""
    if place.startswith(QUERY):
        pairs = [it for it in parse_qsl(query, keep_blank_values=True) if it[0] != place[1:]]
        return dict(headers), urlencode([*pairs, (place[1:], value)])
    if place.startswith(COOKIE):
        before = headers.get("cookie")
        cookies = f"{before}; " if before else ""
        return {**headers, "cookie": f"{cookies}{place[1:]}={value}"}, query
    return {**headers, place.lower(): value}, query


def _of_basic(raw: str) -> str:
    """The key in `user:password`: the password, or the user where the password is empty."""
    try:
        # An invalid text is taken as a key as a whole, and refused as an unknown one.
        user, colon, password = base64.b64decode(raw, validate=True).decode().partition(":")
    except ValueError:
        return raw
    return (password or user) if colon else raw
