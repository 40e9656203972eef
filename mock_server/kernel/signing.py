"""Signed URLs: an HMAC over path and expiry, checked without any stored state."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from urllib.parse import quote_plus

from screentest.specs.behaviour.outputs import UrlRules

_quoted = lru_cache(maxsize=256)(quote_plus)


class Verdict(Enum):
    """The result of checking a signed URL."""

    VALID = "valid"
    EXPIRED = "expired"
    BAD = "bad"


def signed_query(rules: UrlRules, path: str, secret: bytes, now_ms: int, nonce: int) -> str:
    """The query string that opens *path* until now + `lives_ms`; empty for unsigned URLs.

    *nonce* makes two signatures of the same instant differ.
    """
    # A provider may hand out URLs that need no signature and live for ever.
    if not rules.names:
        return ""
    assert rules.lives_ms is not None, rules.name
    values = {
        "algorithm": "SCREENTEST-HMAC-SHA256",
        "date": datetime.fromtimestamp(now_ms // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ"),
        "expires": str(rules.lives_ms // 1_000),
        "nonce": f"{nonce:x}.{now_ms % 1_000:03d}",
    }
    # The check reads the values from the query, so only values in the query can be signed.
    signed = {role: value for role, value in values.items() if role in rules.names}
    named = {rules.names[role]: value for role, value in signed.items()}
    named[rules.names["signature"]] = _signature(secret, path, signed)
    # Only the names need quoting: the values have none but unreserved characters.
    return "&".join(f"{_quoted(name)}={value}" for name, value in named.items())


def check_query(
    rules: UrlRules, path: str, secret: bytes, now_ms: int, query: Mapping[str, str]
) -> Verdict:
    """Whether *query* opens *path* at *now_ms*. A URL has expired at the instant that it names."""
    if not rules.names:
        return Verdict.VALID
    names = rules.names
    values = {role: query.get(names[role], "") for role in names if role != "signature"}
    expected = _signature(secret, path, values)
    given = query.get(names["signature"], "")
    # The signature comes first: an expiry that was changed in the URL proves nothing.
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        return Verdict.BAD
    # A URL with further fields is not one that the mock made.
    if len(query) != len(names) or not re.fullmatch(r"\d{8}T\d{6}Z", values["date"]):
        return Verdict.BAD
    signed_at = datetime.strptime(values["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    # The date of a signed URL has whole seconds; the nonce carries the milliseconds.
    rest_ms = int(values["nonce"].rpartition(".")[2])
    expires_ms = int(signed_at.timestamp()) * 1_000 + rest_ms + int(values["expires"]) * 1_000
    return Verdict.VALID if now_ms < expires_ms else Verdict.EXPIRED


def _signature(secret: bytes, path: str, values: Mapping[str, str]) -> str:
    signed = "\n".join([path, *(f"{role}={values[role]}" for role in sorted(values))])
    return hmac.new(secret, signed.encode(errors="replace"), hashlib.sha256).hexdigest()
