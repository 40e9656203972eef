"""Credentials: which headers carry them, and how they are removed before anything is kept.

The mock's journal and logs, the kit's recordings and reports, and `record` all use this module. A
credential is known by its header, by its form (the contract's), by a shape that many vendors use,
or because a caller sent it. Nothing here reads a file or keeps a credential.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from urllib.parse import quote, quote_plus

from ..behaviour.behaviour import Behaviour
from ..behaviour.forms import QUERY
from ..behaviour.sent_keys import value_at, with_value
from .secret_shapes import (
    MARKS,
    NAME_MARKS,
    SECRET_TEXT,
    has_no_mark,
    literal_of,
    pattern_of,
    replace_secrets,
)

#: Written instead of a credential in everything that leaves the machine: recordings, reports.
REDACTED = "[redacted]"

# Patterns stay texts: `re` compiles them once, with the first search.
_SECRET_HEADER = (
    r"(?i)authorization|cookie|api-?key|token(?!s)|secret|signature|passw|credential"
    r"|(?:^|[-_])key$|(?:^|[-_])(?:auth|bearer|pass|pwd|private)(?:$|[-_])"
)
# Their names end like those of credentials, but they are not secret.
_PUBLIC_HEADERS = frozenset({"idempotency-key", "sec-websocket-key"})
#: The words before a credential that stay readable. The contract adds its own.
_SCHEMES = frozenset({"apikey", "api-key", "basic", "bearer", "digest", "key", "token"})
_SECRET_FIELD = (
    r'(?i)("(?:[^"\\]|\\.){0,40}(?:token|secret|passw(?:or)?d|credentials?|rawKey'
    r'|(?:api|access|private)[-_]?key|(?<=["_-])(?:auth|bearer|pwd))"'
    r'\s*:\s*")((?:[^"\\]|\\.)*)(")'
)
_SECRET_QUERY = (
    r"(?i)((?:^|[?&])(?:[^=&]{0,40}(?:key|token|secret|signature|passw|credential)[^=&]{0,20}"
    r"|(?:[^=&]{0,40}[-_])?(?:auth|bearer|pass|pwd|access))=)([^&#\s]+)"
)
#: A shorter text occurs in too many words to be cut out of them, and protects nothing.
_KEY_LENGTH_MIN = 6


def cut(secret: str) -> str:
    """Up to four characters and a short digest: enough to tell two apart, not to use one."""
    digest = sha256(secret.encode(errors="replace")).hexdigest()[:8]
    return f"{secret[: min(4, len(secret) // 4)]}…[{digest}]"


@lru_cache(maxsize=1_024)
def _is_secret_by_name(header: str) -> bool:
    return re.search(_SECRET_HEADER, header) is not None


def is_secret_header(header: str, behaviour: Behaviour | None = None) -> bool:
    """Whether *header* carries a credential: by its name, or because *behaviour* says so."""
    name = header.lower()
    if behaviour is not None:
        if name in behaviour.credential_headers:
            return True
        if behaviour.idempotency is not None and name == behaviour.idempotency.header.lower():
            return False
    return name not in _PUBLIC_HEADERS and _is_secret_by_name(name)


def header_name(name: str) -> str:
    """*name* as documents write it: `X-API-Key` for `x-api-key`."""
    return "-".join("API" if part == "api" else part.capitalize() for part in name.split("-"))


class Redactor:
    """Removes credentials from texts that the mock keeps or shows, and marks where they were.

    Keys of *behaviours* are known by their headers and forms. Without any, by names and shapes.
    """

    def __init__(self, behaviours: Iterable[Behaviour] = ()) -> None:
        self._behaviours = tuple(behaviours)
        forms = {form for it in self._behaviours for form in it.key_forms}
        self._schemes = _SCHEMES.union(
            scheme.lower()
            for it in self._behaviours
            for credential in it.credentials.values()
            for _, scheme in credential.forms
        )
        self._pattern = f"{pattern_of(forms)}|{SECRET_TEXT}"
        # Most forms have a beginning that is rare in texts; the others have to be searched for.
        bare = {form for form in forms if has_no_mark(form)}
        literals = {literal_of(form).lower() for form in forms - bare}
        self._marks = (*MARKS, *(it for it in literals if not any(map(it.__contains__, MARKS))))
        self._bare = tuple((literal_of(it).lower(), pattern_of([it])) for it in sorted(bare))
        # A client that polls sends the same headers every time.
        self._cut_headers = lru_cache(maxsize=16)(self._cut_all)

    def is_secret_header(self, name: str) -> bool:
        """Whether the header *name* carries a credential of any provider."""
        name = name.lower()
        if any(name in it.credential_headers for it in self._behaviours):
            return True
        return all(is_secret_header(name, it) for it in self._behaviours or (None,))

    def cut_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """*headers* without credentials; the scheme word before one stays."""
        return self._cut_headers(tuple(headers.items()))

    def _cut_all(self, headers: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
        kept = {
            name: self._cut_value(value) if self.is_secret_header(name) else value
            for name, value in headers
        }
        # Searched together first: other headers hardly ever hold a credential.
        if not self.may_have_secret(*kept.values()):
            return kept
        return {name: self.cut_text(value) for name, value in kept.items()}

    def _cut_value(self, value: str) -> str:
        scheme, space, secret = value.partition(" ")
        return f"{scheme} {cut(secret)}" if space and self._is_scheme(scheme) else cut(value)

    def _is_scheme(self, word: str) -> bool:
        return word.lower() in self._schemes

    def cut_query(self, query: str) -> str:
        """*query* without credentials."""
        return self.cut_text(re.sub(_SECRET_QUERY, lambda it: it[1] + cut(it[2]), query))

    def cut_url(self, url: str) -> str:
        """*url* without credentials."""
        path, mark, query = url.partition("?")
        return self.cut_text(path) + mark + self.cut_query(query)

    def cut_text(self, text: str) -> str:
        """*text* without keys of a known shape, and without JSON fields named like secrets."""
        if not self.may_have_secret(text):
            return text
        text = replace_secrets(text, self._pattern, cut)
        return re.sub(_SECRET_FIELD, lambda it: it[1] + cut(it[2]) + it[3], text)

    def cut_beginning(self, text: str, length: int) -> str:
        """The first *length* characters of *text* without credentials, even of one cut in two."""
        return self.cut_text(text[: 2 * length])[:length]

    def cut_shapes(self, text: str) -> str:
        """*text*, which may be JSON, without keys of a known shape; fields keep their values."""
        return replace_secrets(text, self._pattern, cut) if self.may_have_shape(text) else text

    def may_have_secret(self, *texts: str) -> bool:
        """False if *texts* contain nothing that `cut_text` would cut."""
        lowered = "\n".join(texts).lower()
        return any(map(lowered.__contains__, NAME_MARKS)) or self.may_have_shape(lowered)

    def may_have_shape(self, text: str) -> bool:
        """False if *text* contains nothing that `cut_shapes` would cut."""
        lowered = text.lower()
        if any(map(lowered.__contains__, self._marks)):
            return True
        if any(
            mark in lowered and re.search(form, lowered, re.IGNORECASE) for mark, form in self._bare
        ):
            return True
        # Percent signs may hide any of the marks.
        return "%" in lowered or ("@" in lowered and ("://" in lowered or ":\\/\\/" in lowered))


#: For texts without a contract: credentials are known by names and shapes only.
BY_SHAPE = Redactor()


def holds_key(name: str) -> bool:
    """Whether a word of *name* begins like a key: `sk-…` does, `disk-…` does not."""
    return re.search(rf"(?<![0-9A-Za-z])(?:{SECRET_TEXT})", name) is not None


def looks_live(key: str) -> bool:
    """Whether *key*, which the mock did not mint, has the shape of a real one."""
    return re.fullmatch(SECRET_TEXT, key) is not None


class Secrets:
    """Removes credentials from what the kit writes and prints: recordings, reports, findings.

    Keys of the provider are known by their form; *keys* are cut whatever their form.
    """

    def __init__(self, behaviour: Behaviour, keys: Iterable[str] = ()) -> None:
        self._behaviour = behaviour
        self._forms = pattern_of(behaviour.key_forms)
        self._keys: set[str] = set()
        self._pattern = re.compile(self._forms)
        self.learn(*keys)

    def learn(self, *keys: str) -> None:
        """Cut *keys* too from now on."""
        new = {key for key in keys if len(key) >= _KEY_LENGTH_MIN and key != REDACTED} - self._keys
        if new:
            self._keys |= new
            # One key may be the beginning of another; the longer one goes as a whole.
            spellings = sorted({it for key in self._keys for it in _spellings(key)}, key=len)
            known = [_literal(it) for it in reversed(spellings)]
            self._pattern = re.compile("|".join([*known, self._forms]))

    def learn_from(self, headers: Mapping[str, str]) -> None:
        """Cut the credentials in *headers* too from now on."""
        self.learn(*self._credentials_in(headers))

    def _credentials_in(self, headers: Mapping[str, str]) -> Iterator[str]:
        """The keys in *headers*, without the words before them."""
        for name, value in headers.items():
            # A cookie holds more than a credential, and words of its own.
            if is_secret_header(name, self._behaviour) and not name.lower().endswith("cookie"):
                yield from value.split()[-1:]

    def cut(self, text: str) -> str:
        """*text* without keys."""
        return self._pattern.sub(REDACTED, text)

    def cut_bytes(self, body: bytes) -> bytes:
        """*body* without keys; bytes that are not text stay as they are."""
        return self.cut(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def without_secrets(headers: Mapping[str, str], behaviour: Behaviour) -> dict[str, str]:
    """*headers* with every credential replaced."""
    return {
        name: REDACTED if is_secret_header(name, behaviour) else value
        for name, value in headers.items()
    }


def query_without_secrets(query: str, behaviour: Behaviour) -> str:
    """*query* with every credential replaced."""
    for place in {place for it in behaviour.credentials.values() for place, _ in it.forms}:
        if query and place.startswith(QUERY) and value_at(place, {}, query):
            _, query = with_value(place, REDACTED, {}, query)
    return query


def _spellings(key: str) -> set[str]:
    """*key* as written in texts, JSON, JSON in JSON, HTML, addresses and shell lines."""
    in_json = json.dumps(key)[1:-1]
    return {
        key,
        in_json,
        json.dumps(in_json)[1:-1],
        escape(key),
        escape(key, quote=False),
        escape(in_json),
        quote(key, safe=""),
        quote_plus(key),
        key.replace("'", "'\\''"),
    }


def _literal(spelling: str) -> str:
    # Digits inside of a longer number are not a key, and cut out they would break JSON.
    return rf"(?<![\d.]){spelling}(?!\d)" if spelling.isdigit() else re.escape(spelling)
