"""Cutting credentials out of everything that is told or kept.

A credential is known by its header, by its form (the contract's), or because somebody used it: a
server may repeat a key of any form in any place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from urllib.parse import quote, quote_plus

from screentest.specs.contract import Contract, load_contract

#: What is told instead of a credential.
REDACTED = "[redacted]"
#: Headers that carry secrets, beside those that a contract names.
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    }
)
#: A shorter text stands in too many words to be cut out of them, and protects nothing.
_KEY_LENGTH_MIN = 6


class Secrets:
    """Cuts out what has the form of a key of *provider*, and *keys* whatever their form."""

    def __init__(self, provider: str, keys: Iterable[str] = ()) -> None:
        self._provider = provider
        self._keys: set[str] = set()
        self._pattern = key_pattern(provider)
        self.learn(*keys)

    def learn(self, *keys: str) -> None:
        """Cut out *keys* too from now on."""
        new = {key for key in keys if len(key) >= _KEY_LENGTH_MIN and key != REDACTED} - self._keys
        if new:
            self._keys |= new
            # A key may begin as another one does; the longer must go as a whole.
            spellings = sorted({it for key in self._keys for it in _spellings(key)}, key=len)
            known = [_literal(it) for it in reversed(spellings)]
            self._pattern = re.compile("|".join([*known, key_pattern(self._provider).pattern]))

    def learn_from(self, headers: Mapping[str, str], contract: Contract) -> None:
        """Cut out the credentials in *headers* too; their names are in lower case."""
        self.learn(*credentials_in(headers, contract))

    def cut(self, text: str) -> str:
        """*text* without keys."""
        return self._pattern.sub(REDACTED, text)

    def cut_bytes(self, body: bytes) -> bytes:
        """*body* without keys; bytes that are no text stay as they are."""
        return self.cut(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


@cache
def key_pattern(provider: str) -> re.Pattern[str]:
    """What the keys of a provider look like, by the forms in its contract."""
    letters = {"hex": "[0-9a-f]", "base36": "[0-9a-z]", "base62": "[0-9A-Za-z]", "number": "[0-9]"}
    forms = [
        re.sub(
            r"\\\{(\w+)(?::(\d+))?\\\}",
            lambda it: f"{letters.get(it[1], '.')}{{{it[2] or '1,'}}}",
            re.escape(credential.key_form),
        )
        for credential in load_contract(provider).behaviour.credentials.values()
    ]
    return re.compile("|".join(forms))


def credential_headers(contract: Contract) -> frozenset[str]:
    """The headers in which a contract takes credentials, in lower case."""
    credentials = contract.behaviour.credentials.values()
    return frozenset(header.lower() for it in credentials for header, _ in it.forms)


def credentials_in(headers: Mapping[str, str], contract: Contract) -> Iterator[str]:
    """The keys in *headers*, without the words before them."""
    for name in credential_headers(contract) | SECRET_HEADERS - {"cookie", "set-cookie"}:
        words = headers.get(name, "").split()
        if words:
            yield words[-1]


def without_secrets(headers: Mapping[str, str], contract: Contract) -> dict[str, str]:
    """*headers* with every credential replaced."""
    secret = SECRET_HEADERS | credential_headers(contract)
    return {name: REDACTED if name in secret else value for name, value in headers.items()}


def _spellings(key: str) -> set[str]:
    """*key* as it may stand in texts, JSON, JSON in JSON, HTML, addresses and shell lines."""
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
    # Inside of a longer number digits are no key, and cut out they would break JSON.
    return rf"(?<![\d.]){spelling}(?!\d)" if spelling.isdigit() else re.escape(spelling)
