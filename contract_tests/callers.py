"""Telling callers apart by what they send, without keeping a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from screentest.specs.contract import Contract


@dataclass(slots=True)
class Callers:
    """Gives each credential a name. *known* names some of them beforehand, by their key."""

    contract: Contract
    known: dict[str, str] = field(default_factory=dict[str, str])

    def label(self, headers: Mapping[str, str]) -> str:
        """The caller's name; empty for nobody. *headers* have names in lower case."""
        for credential in self.contract.behaviour.credentials.values():
            for header, _ in credential.forms:
                sent = headers.get(header.lower(), "").split()
                if sent:
                    # The word before a key may be one of several; the key is the same.
                    return self.known.setdefault(sent[-1], f"owner#{len(self.known)}")
        return ""
