"""Names for callers by the credentials that they send, without keeping a key."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from screentest.specs.behaviour.sent_keys import value_at
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.secret_shapes import pattern_of

from .trace import Raw


@dataclass(slots=True)
class Callers:
    """Gives each credential a name. *known* names some of them beforehand, by their key.

    Keys of one kind belong to different accounts, unless an answer to the one contained the other;
    the first key of each kind belongs to the first account. Tokens that name their account count by
    that name, because browsers renew them every hour.
    """

    contract: Contract
    known: dict[str, str] = field(default_factory=dict[str, str])
    _counts: Counter[str] = field(default_factory=Counter[str])
    _accepted: list[str] = field(default_factory=list[str])

    def label(self, headers: Mapping[str, str], query: str = "") -> str:
        """The caller's name; empty without a credential. *headers* have names in lower case."""
        for credential in self.contract.behaviour.credentials.values():
            for place, _ in credential.forms:
                sent = value_at(place, headers, query).split()
                if sent:
                    # The scheme word before a key may be one of several; the key is the same.
                    return self._name(sent[-1], credential.key_kind)
        return ""

    def _name(self, key: str, kind: str) -> str:
        if key not in self.known:
            account = _subject(key)
            if account not in self.known:
                self.known[account] = f"owner#{self._counts[kind]}"
                self._counts[kind] += 1
            self.known[key] = self.known[account]
        return self.known[key]

    def who_asked(self, raw: Raw) -> tuple[str, str]:
        """Actor and name of the caller of *raw*, by the server's answer to the key."""
        name = self.label(raw.request_headers, raw.query)
        if not name:
            return "anonymous", ""
        refused = self.contract.refusal_statuses("unknown_credential")
        if name not in self._accepted:
            if raw.status in refused:
                return "unknown", name
            self._accepted.append(name)
        if "json" in raw.headers.get("content-type", ""):
            self._learn(raw.body, name)
        return "owner" if name == self._accepted[0] else "stranger", name

    def _learn(self, body: bytes, name: str) -> None:
        """Give keys in an answer the name of the account that got the answer."""
        text = body.decode("utf-8", "replace")
        for found in re.finditer(pattern_of(self.contract.behaviour.key_forms), text):
            self.known.setdefault(found[0], name)


def _subject(key: str) -> str:
    """The account that a JSON Web Token names as its subject; any other key unchanged."""
    parts = key.split(".")
    if len(parts) != 3:
        return key
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return key
    if not isinstance(claims, dict) or "sub" not in claims:
        return key
    return json.dumps([claims.get("iss"), claims["sub"]])
