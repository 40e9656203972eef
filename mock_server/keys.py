"""Credentials: minted once, kept as digests, recognised in the forms a provider accepts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from screentest.specs.behaviour import Credential

from .ids import mint
from .instant import Instant
from .rows import Key

#: The name of keys that the control API hands out with an account.
CONTROL_NAME = "screentest"


def raw_key(here: Instant, credential: Credential, number: int) -> str:
    """The *number*-th key of a provider in a world. No two worlds share one."""
    return mint(credential.key_form, number, "key", here.world, here.seed, here.provider)


def mint_key(here: Instant, account: str, credential: Credential, name: str) -> tuple[Key, str]:
    """A new key of an account: what is kept of it, and the raw key, for this once."""
    number = here.rows.count(here.world, f"{here.provider}/key")
    raw = raw_key(here, credential, number)
    key = Key(
        digest=key_digest(raw),
        world=here.world,
        account=account,
        provider=here.provider,
        id=mint("{base36:12}", number, "key id", here.seed, here.provider),
        kind=credential.key_kind,
        name=name,
        prefix=raw[:12],
        is_active=True,
        created_ms=here.now_ms,
        last_used_ms=None,
        seq=number,
    )
    here.rows.add_key(key)
    return key, raw


def is_expired(credential: Credential, key: Key, now_ms: int) -> bool:
    """Whether *key* has outlived its kind. Keys from the control API never do."""
    if credential.lives_ms is None or key.name == CONTROL_NAME:
        return False
    return now_ms >= key.created_ms + credential.lives_ms


def key_digest(raw: str) -> str:
    """The SHA-256 under which a key is kept."""
    return sha256(raw.encode(errors="replace")).hexdigest()


def presented(credential: Credential, headers: Mapping[str, str]) -> str | None:
    """The raw key that a request presents for *credential*; None when it presents none.

    A bare form (no scheme word) in a header that also has scheme forms takes any single word.
    """
    for header, scheme in credential.forms:
        value = headers.get(header, "").strip()
        if not value:
            continue
        if not scheme:
            return value
        word, _, raw = value.partition(" ")
        if word.lower() == scheme.lower() and raw.strip():
            return raw.strip()
    return None
