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
    # One that was cut short has no end; a form writes its spaces as plus signs.
    r"|-----BEGIN[A-Z +]*PRIVATE[ +]KEY-----"
    # Not beyond a quotation mark, nor its backslash: what is cut may stand in JSON.
    r"(?:[^-\"]*-----END[A-Z +]*PRIVATE[ +]KEY-----|(?:[0-9A-Za-z+/=\s]|\\[nr])*)"
    # Some programs write the slashes of JSON with a backslash before them.
    r"|(?:(?<=://)|(?<=:\\/\\/))[^/\s:@\"\\]+:[^/\s@\"\\]+(?=@)"
)
# A percent sign may itself be encoded: an address inside an address inside a form.
_ENCODINGS_MAX = 3
_ENCODED = r"%[0-9A-Fa-f]{2}"
# Whatever the patterns above and below find has one of these. Most texts have none, and looking for
# a plain word is many times as quick as a pattern.
_MARKS = (
    "_live_",
    "_test_",
    "sk-",
    "aiza",
    "akia",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "eyj",
    "firebase.",
    "token",
    "secret",
    "whsec",
    "password",
    "key",
)
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
    return re.sub(
        _SECRET_FIELD, lambda found: found[1] + cut(found[2]) + found[3], _cut_shapes(text)
    )


def cut_beginning(text: str, length: int) -> str:
    """The first *length* characters of *text* without secrets, also of one that goes on after."""
    return cut_text(text[: 2 * length])[:length]


def cut_shapes(text: str) -> str:
    """*text*, which may be JSON, without keys of a known shape; fields keep their values."""
    return _cut_shapes(text) if may_have_secret(text) else text


def _cut_shapes(text: str) -> str:
    text = re.sub(_SECRET_TEXT, lambda found: cut(found[0]), text)
    if "%" not in text:
        return text
    # Only the secrets themselves are replaced: what stands around them stays as it was written.
    characters, starts = list(text), list(range(len(text) + 1))
    spans: list[tuple[int, int]] = []
    for _ in range(_ENCODINGS_MAX):
        if not re.search(_ENCODED, "".join(characters)):
            break
        characters, starts = _decoded(characters, starts)
        found = re.finditer(_SECRET_TEXT, "".join(characters))
        spans += [(starts[it.start()], starts[it.end()]) for it in found]
    return _without(text, spans)


def _decoded(characters: list[str], starts: list[int]) -> tuple[list[str], list[int]]:
    """The text with one layer of percent encoding gone, and where each character comes from."""
    text, kept, kept_starts, at = "".join(characters), list[str](), list[int](), 0
    for found in re.finditer(_ENCODED, text):
        kept += [*text[at : found.start()], chr(int(found[0][1:], 16))]
        kept_starts += starts[at : found.start() + 1]
        at = found.end()
    return [*kept, *text[at:]], kept_starts + starts[at:]


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """*text* with each of *spans* cut; where they overlap, as one."""
    pieces: list[str] = []
    at = 0
    for start, end in _joined(spans):
        pieces += [text[at:start], cut(text[start:end])]
        at = end
    return "".join([*pieces, text[at:]])


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def may_have_secret(*texts: str) -> bool:
    """False if nothing that is cut can stand in *texts*."""
    lowered = "\n".join(texts).lower()
    if any(map(lowered.__contains__, _MARKS)):
        return True
    # Percent signs may hide any of the marks.
    return "%" in lowered or ("@" in lowered and ("://" in lowered or ":\\/\\/" in lowered))


def holds_key(name: str) -> bool:
    """Whether a word of *name* begins like a key: `sk-…` does, `disk-…` does not."""
    return re.search(rf"(?<![0-9A-Za-z])(?:{_SECRET_TEXT})", name) is not None


def excerpt(body: bytes) -> dict[str, object]:
    """What the journal keeps of a body: its size, digest, and its beginning without secrets."""
    kept = body[: 2 * BODY_EXCERPT_MAX].decode(errors="replace")
    text = cut_beginning(kept, BODY_EXCERPT_MAX)
    return {"size": len(body), "sha256": sha256(body).hexdigest(), "text": text}


def looks_live(key: str) -> bool:
    """Whether *key*, which the mock did not mint, has the shape of a real one."""
    return re.fullmatch(_SECRET_TEXT, key) is not None
