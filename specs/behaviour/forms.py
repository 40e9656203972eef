"""The forms of ids, keys and secrets, such as `job_{base62:12}`, and the places of keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Before the name of a query parameter, or of a cookie, that has a key. No header begins so.
QUERY = "?"
COOKIE = ";"
#: The letters of each word that a form may use.
ALPHABETS: Mapping[str, str] = {
    "hex": "0123456789abcdef",
    "base36": "0123456789abcdefghijklmnopqrstuvwxyz",
    "base62": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "digits": "0123456789",
}
#: Every word; `number` counts what was minted.
WORDS = frozenset({*ALPHABETS, "number"})
#: A place in a form: its word and its length.
PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")
