"""Directives in texts and keys, for clients that cannot reach the control API.

`[[screentest:fail]]`, `[[screentest:fail=REASON]]`, `[[screentest:reject]]`,
`[[screentest:slow=60s]]` and `[[screentest:stall]]` work in any text of a request body. A suffix of
a key decides the outcome of the calls made with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from screentest.specs.json_types import Json

#: The suffixes of a key, and their effect on the calls made with it.
KEY_SUFFIXES = {
    "-no-credits": "every call that costs credits is refused, as with an empty balance",
    "-revoked": "every call is refused, as with a revoked key",
    "-rate-limited": "every call is refused as too frequent, if the provider limits calls",
}

VERBS = {
    "fail": "the job is accepted and fails",
    "reject": "the request is refused, as the provider refuses content",
    "slow": "the job takes longer by this time: 60s, 5m, 1h",
    "stall": "the job starts and never ends",
}
_DIRECTIVE = re.compile(r"\[\[screentest:(fail|reject|slow|stall)(?:=([^\[\]\n]{0,200}))?\]\]")
_LIKE_DIRECTIVE = re.compile(r"\[\[screentest:([^\[\]\n]{0,200})\]\]")
_DURATION = r"(\d{1,6})(ms|s|m|h)"
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
# Provider bodies nest texts two levels deep; base64 attachments are longer than any prompt.
_DEPTH_MAX = 3
_TEXT_MAX = 40_000


class Directive(Struct, frozen=True):
    """A directive. *text* is the part after the equals sign."""

    verb: str
    text: str

    @property
    def delay_ms(self) -> int:
        """The duration in *text*; one minute if it has none."""
        match = re.fullmatch(_DURATION, self.text)
        return int(match[1]) * _UNITS_MS[match[2]] if match else _UNITS_MS["m"]


def split_key(raw: str) -> tuple[str, str]:
    """(key without its suffix, suffix); the suffix is empty if the key has none."""
    # A suffix leaves the key valid for the look-up, so no account needs extra keys.
    for suffix in KEY_SUFFIXES:
        if raw.endswith(suffix):
            return raw.removesuffix(suffix), suffix
    return raw, ""


def directive_in(body: Json) -> Directive | None:
    """The first directive in the texts of *body*."""
    for text in _texts(body, 0):
        # Hardly any text has a directive, and looking for a fixed string is cheaper than a pattern.
        if "[[screentest:" in text and len(text) <= _TEXT_MAX:
            match = _DIRECTIVE.search(text)
            if match is not None:
                return Directive(match[1], match[2] or "")
    return None


def misspelt_directive(body: Json) -> str | None:
    """The first misspelt directive in *body*, as written."""
    for text in _texts(body, 0):
        if "[[screentest:" in text and len(text) <= _TEXT_MAX:
            for match in _LIKE_DIRECTIVE.finditer(text):
                verb, _, detail = match[1].partition("=")
                # `slow` without a readable duration takes a minute, which is hardly what was meant.
                is_timeless = verb == "slow" and detail and not re.fullmatch(_DURATION, detail)
                if verb not in VERBS or is_timeless:
                    return match[0]
    return None


def _texts(value: Json, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH_MAX and isinstance(value, dict):
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif depth < _DEPTH_MAX and isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
