"""What is remembered of a request, with secrets cut before anything is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

#: Bodies are kept as an excerpt, with true size and digest beside it.
BODY_EXCERPT_MAX = 64 * 1024

# Patterns are left as text: `re` compiles them once, when there is something to look for.
_SECRET_HEADER = r"(?i)authorization|api-?key|cookie|token|secret|signature"
# Shapes of keys that people paste by accident, whatever field they paste them into.
_SECRET_TEXT = (
    r"[a-z]{2,12}_(?:live|test)_[0-9A-Za-z_-]{6,}|sk-[0-9A-Za-z_-]{16,}"
    r"|whsec_[0-9A-Za-z+/=_-]{8,}|AIza[0-9A-Za-z_-]{20,}|AKIA[0-9A-Z]{12,}|gh[opsu]_[0-9A-Za-z]{20,}"
    # Looked for at the start of a word only, or a row of them would be read over and over.
    r"|(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"
    r"|firebase\.[0-9A-Za-z]{20,}\.[0-9A-Za-z]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----"
    r"|(?<=://)[^/\s:@\"\\]+:[^/\s@\"\\]+(?=@)"
)
# Whatever the patterns above and below find has one of these. Most texts have none, and looking for
# a plain word is many times as quick as a pattern.
_MARKS = (
    "_live_", "_test_", "sk-", "aiza", "akia", "gho_", "ghp_", "ghs_", "ghu_", "eyj", "firebase.",
    "token", "secret", "whsec", "password", "key",
)  # fmt: skip
_SECRET_FIELD = (
    r'(?i)("(?:[^"\\]|\\.){0,40}(?:token|secret|password|api_?key|rawKey)"'
    r'\s*:\s*")((?:[^"\\]|\\.)*)(")'
)
_SECRET_QUERY = (
    r"(?i)((?:^|[?&])[^=&]{0,40}(?:key|token|secret|signature|password)[^=&]{0,20}=)([^&#\s]+)"
)


def cut(secret: str) -> str:
    """The first four characters and a short digest: enough to tell two apart, not to use one."""
    return f"{secret[:4]}…[{sha256(secret.encode(errors='replace')).hexdigest()[:8]}]"


def cut_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """*headers* without the secrets in them; the scheme word before a credential stays."""
    return _cut_headers(tuple(headers.items()))


# A client that polls sends the same headers every time.
@lru_cache(maxsize=16)
def _cut_headers(headers: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    kept = {name: _cut_secret(value) if _is_secret(name) else value for name, value in headers}
    # One look at all of them: a header that is no secret by its name hardly ever holds one.
    if not may_have_secret(*kept.values()):
        return kept
    return {name: cut_text(value) for name, value in kept.items()}


@lru_cache(maxsize=256)
def _is_secret(header: str) -> bool:
    return re.search(_SECRET_HEADER, header) is not None


def _cut_secret(value: str) -> str:
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {cut(secret)}" if space else cut(value)


def cut_query(query: str) -> str:
    """*query* without the secrets in it."""
    return cut_text(re.sub(_SECRET_QUERY, lambda found: found[1] + cut(found[2]), query))


def cut_text(text: str) -> str:
    """*text* without anything that has the shape of a key."""
    if not may_have_secret(text):
        return text
    text = re.sub(_SECRET_TEXT, lambda found: cut(found[0]), text)
    return re.sub(_SECRET_FIELD, lambda found: found[1] + cut(found[2]) + found[3], text)


def cut_shapes(text: str) -> str:
    """*text*, which may be JSON, without keys of a known shape; fields keep their values."""
    if not may_have_secret(text):
        return text
    return re.sub(_SECRET_TEXT, lambda found: cut(found[0]), text)


def may_have_secret(*texts: str) -> bool:
    """False if nothing that is cut can stand in *texts*."""
    lowered = "\n".join(texts).lower()
    return any(map(lowered.__contains__, _MARKS)) or ("://" in lowered and "@" in lowered)


def excerpt(body: bytes) -> dict[str, object]:
    """What the journal keeps of a body: its size, digest, and its beginning without secrets."""
    kept = body[:BODY_EXCERPT_MAX].decode(errors="replace")
    return {"size": len(body), "sha256": sha256(body).hexdigest(), "text": cut_text(kept)}


def looks_live(key: str) -> bool:
    """Whether *key*, which the mock did not mint, has the shape of a real one."""
    return re.fullmatch(_SECRET_TEXT, key) is not None
