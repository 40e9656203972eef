"""What credentials look like in a text, whatever their name: patterns, and their replacement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

#: Returns what is written instead of a credential.
Mark = Callable[[str], str]

# Shapes of keys that people paste by accident, whatever field they paste them into.
SECRET_TEXT = (
    r"[a-z]{2,12}_(?:live|test)_[0-9A-Za-z_-]{6,}|sk-[0-9A-Za-z_-]{16,}"
    r"|whsec_[0-9A-Za-z+/=_-]{8,}|AIza[0-9A-Za-z_-]{20,}|AKIA[0-9A-Z]{12,}|gh[opsu]_[0-9A-Za-z]{20,}"
    r"|github_pat_[0-9A-Za-z_]{20,}|glpat-[0-9A-Za-z_-]{16,}|xox[abeprs]-[0-9A-Za-z-]{10,}"
    r"|(?<![0-9A-Za-z])(?:hf|npm|r8)_[0-9A-Za-z]{20,}"
    # Searched at the start of a word only, or a row of them would be read over and over.
    r"|(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"
    r"|firebase\.[0-9A-Za-z]{20,}\.[0-9A-Za-z]{20,}"
    # One that was cut short has no end; a form writes its spaces as plus signs.
    r"|-----BEGIN[A-Z +]*PRIVATE[ +]KEY-----"
    # Not beyond a quotation mark or its backslash: the text may be JSON.
    r"(?:[^-\"]*-----END[A-Z +]*PRIVATE[ +]KEY-----|(?:[0-9A-Za-z+/=\s]|\\[nr])*)"
    # Some programs write the slashes of JSON with a backslash before them.
    r"|(?:(?<=://)|(?<=:\\/\\/))[^/\s:@\"\\]+:[^/\s@\"\\]+(?=@)"
)
# Every match of the patterns above contains one of these. Most texts contain none, and searching
# for a plain word is many times as fast as a pattern.
MARKS = (
    "_live_",
    "_test_",
    "sk-",
    "aiza",
    "akia",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xox",
    "hf_",
    "npm_",
    "r8_",
    "eyj",
    "firebase.",
    "whsec_",
    "-----begin",
)
#: The same for fields with telling names.
NAME_MARKS = ("token", "secret", "passw", "pwd", "key", "auth", "bearer", "credential")
# A percent sign may itself be encoded: an address inside an address inside a form.
_ENCODINGS_MAX = 3
_ENCODED = r"%[0-9A-Fa-f]{2}"
_ALPHABETS = {"hex": "[0-9a-f]", "base36": "[0-9a-z]", "base62": "[0-9A-Za-z]", "digits": "[0-9]"}
#: A form with a shorter literal beginning is matched between word boundaries only.
_LITERAL_MIN = 3
_PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")


def literal_of(key_form: str) -> str:
    """The longest literal part of *key_form*, such as `sk_live_` of `sk_live_{hex:32}`."""
    return max(_PLACE.sub("\0", key_form).split("\0"), key=len)


def has_no_mark(key_form: str) -> bool:
    """Whether keys of *key_form* begin with nothing that would set them apart in a text."""
    first = _PLACE.search(key_form)
    return first is not None and first.start() < _LITERAL_MIN


def form_pattern(key_form: str) -> str:
    """A regular expression that matches the keys of *key_form*, such as `sk_live_{hex:32}`."""
    pattern, end = "", 0
    for place in _PLACE.finditer(key_form):
        pattern += re.escape(key_form[end : place.start()])
        # `{number}` counts up, so its length is open.
        letters = _ALPHABETS.get(place[1], "[0-9]")
        pattern += f"{letters}{{{place[2]}}}" if place[2] else f"{letters}+"
        end = place.end()
    pattern += re.escape(key_form[end:])
    if has_no_mark(key_form):
        return rf"(?<![0-9A-Za-z]){pattern}(?![0-9A-Za-z])"
    return pattern


def pattern_of(key_forms: Iterable[str]) -> str:
    """A regular expression for the keys of all *key_forms*; it matches nothing without any.

    A longer form goes first, because the shorter one may be its beginning.
    """
    return "|".join(map(form_pattern, sorted(key_forms, key=len, reverse=True))) or r"(?!)"


def replace_secrets(text: str, pattern: str, mark: Mark) -> str:
    """*text* with each match of *pattern* marked, even where it is percent-encoded."""
    text = re.sub(pattern, lambda found: mark(found[0]), text)
    if "%" not in text:
        return text
    # Only the secrets are replaced: the text around them keeps its encoding.
    characters, starts = list(text), list(range(len(text) + 1))
    spans: list[tuple[int, int]] = []
    for _ in range(_ENCODINGS_MAX):
        if not re.search(_ENCODED, "".join(characters)):
            break
        characters, starts = _decoded(characters, starts)
        found = re.finditer(pattern, "".join(characters))
        spans += [(starts[it.start()], starts[it.end()]) for it in found]
    return _marked(text, spans, mark)


def _decoded(characters: list[str], starts: list[int]) -> tuple[list[str], list[int]]:
    """The text without one layer of percent encoding, and where each character comes from."""
    text, kept, kept_starts, at = "".join(characters), list[str](), list[int](), 0
    for found in re.finditer(_ENCODED, text):
        kept += [*text[at : found.start()], chr(int(found[0][1:], 16))]
        kept_starts += starts[at : found.start() + 1]
        at = found.end()
    return [*kept, *text[at:]], kept_starts + starts[at:]


def _marked(text: str, spans: list[tuple[int, int]], mark: Mark) -> str:
    """*text* with each of *spans* marked; overlapping spans count as one."""
    pieces: list[str] = []
    at = 0
    for start, end in _joined(spans):
        pieces += [text[at:start], mark(text[start:end])]
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
