"""Ozor's API keys, managed with a Firebase token."""

from __future__ import annotations

from ...engine.keys import mint_key
from ...engine.provider import Call, Provider, Reply
from ...kernel.rows import Key

provider = Provider("ozor")


@provider.operation("createApiKey")
def create_api_key(call: Call) -> Reply:
    credential = call.ctx.behaviour.credentials["apiKey"]
    counts_revoked = call.ctx.reading("key_limit_counts") == "ever_made"
    counted = [key for key in _keys(call) if key.is_active or counts_revoked]
    limit = credential.active_max or 0
    if len(counted) >= limit:
        problem = f"This account already has {limit} active API keys; revoke one first."
        raise call.refuse("invalid", problem=problem)
    key, raw = mint_key(call.ctx, call.account_id, credential, call.body["name"])
    shown = {"keyId": key.id, "name": key.name, "prefix": key.prefix}
    return Reply(200, {**shown, "rawKey": raw, "createdAt": key.created_ms})


@provider.operation("listApiKeys")
def list_api_keys(call: Call) -> Reply:
    # Each call changes when its key was used last, so this answer is not reused.
    call.ctx.lasting.end_by(call.ctx.at_ms)
    return Reply(
        200,
        [
            {
                "keyId": key.id,
                "name": key.name,
                "prefix": key.prefix,
                "status": "active" if key.is_active else "revoked",
                "createdAt": key.created_ms,
                "lastUsedAt": call.ctx.rows.key_uses.last_ms(key.digest),
            }
            for key in _keys(call)
        ],
    )


@provider.operation("revokeApiKey")
def revoke_api_key(call: Call) -> Reply:
    key_id = call.path["keyId"]
    key = next((key for key in _keys(call) if key.id == key_id), None)
    is_gone = key is not None and not key.is_active and call.ctx.reading("revoke_twice") != "ok"
    if key is None or is_gone:
        raise call.refuse("not_found", resource="API key", id=key_id[:80])
    call.ctx.rows.keys.deactivate(key.digest)
    return Reply(200, {"message": f"API key {key.id} revoked"})


def _keys(call: Call) -> list[Key]:
    return call.ctx.rows.keys.of(call.account_id, "api_key")
