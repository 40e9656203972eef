"""Credentials: minted once, kept as digests, recognised in the forms a provider accepts."""

from __future__ import annotations

from hashlib import sha256

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.credentials import Credential

from ..kernel.errors import MockError
from ..kernel.ids import mint
from ..kernel.rows import Key
from .instant import Instant

#: The name of an account's first keys, which the control API hands out with it.
CONTROL_NAME = "screentest"
#: For providers without a limit. Bounds the memory that a loop which creates keys can take.
KEYS_MAX = 100


def raw_key(
    ctx: Instant, credential: Credential, number: int, *, world_id: str | None = None
) -> str:
    """The *number*-th key of a provider in a world. No two worlds share a key."""
    world_id = world_id if world_id is not None else ctx.world.id
    return mint(credential.key_form, number, "key", world_id, ctx.world.seed, ctx.provider)


def first_of_kind(behaviour: Behaviour) -> list[Credential]:
    """One credential for each kind of key."""
    found: dict[str, Credential] = {}
    for credential in behaviour.credentials.values():
        found.setdefault(credential.key_kind, credential)
    return list(found.values())


def first_keys(ctx: Instant) -> dict[str, str]:
    """The raw keys of the first account of a world, by kind."""
    return {
        credential.key_kind: raw_key(ctx, credential, number, world_id=ctx.world.home)
        for number, credential in enumerate(first_of_kind(ctx.behaviour), start=1)
    }


def mint_key(ctx: Instant, account: str, credential: Credential, name: str) -> tuple[Key, str]:
    """A new key of an account: its row, and the raw key, which is not stored."""
    number = ctx.rows.count(f"{ctx.provider}/key")
    raw = raw_key(ctx, credential, number)
    key = Key(
        digest=key_digest(raw),
        account=account,
        provider=ctx.provider,
        id=mint("{base36:12}", number, "key id", ctx.world.seed, ctx.provider),
        kind=credential.key_kind,
        name=name,
        # Shown to distinguish keys. Half of a short key at most, so never the whole key.
        prefix=raw[: min(12, len(raw) // 2)],
        is_active=True,
        created_ms=ctx.now_ms,
        seq=number,
    )
    ctx.rows.keys.put(key)
    return key, raw


def mint_further_keys(ctx: Instant, account: str) -> dict[str, str]:
    """One more raw key of each kind. They expire as keys from the provider do.

    Raises:
        MockError: the account has the most active keys that it may have.
    """
    raw: dict[str, str] = {}
    for credential in ctx.behaviour.credentials.values():
        kind, limit = credential.key_kind, credential.active_max or KEYS_MAX
        active = sum(1 for key in ctx.rows.keys.of(account, kind) if key.is_active)
        if active >= limit:
            raise MockError(
                f"account {account} has {active} active keys and may have {limit}; revoke one",
                code="too_many",
                status=409,
            )
        if kind not in raw:
            _, raw[kind] = mint_key(ctx, account, credential, "further")
    return raw


def is_expired(credential: Credential, key: Key, now_ms: int) -> bool:
    """Whether the lifetime of *key* is over. The first keys of an account never expire."""
    if credential.lives_ms is None or key.name == CONTROL_NAME:
        return False
    return now_ms >= key.created_ms + credential.lives_ms


def key_digest(raw: str) -> str:
    """The SHA-256 under which a key is kept."""
    return sha256(raw.encode(errors="replace")).hexdigest()
