"""Oshara's tokens: signing in with an e-mail address and a password, and refreshing.

For clients that cannot skip signing in: the mock's accounts have the address
`<account id>@anything` and one password for all. Bearer tokens from the control API need none.
"""

from __future__ import annotations

from msgspec.structs import replace

from ...engine.keys import is_expired, key_digest, mint_key
from ...engine.provider import Call, Provider, Reply

provider = Provider("oshara")


@provider.operation("login")
def login(call: Call) -> Reply:
    ctx = call.ctx
    name, _, host = call.body["email"].partition("@")
    account = ctx.rows.accounts.get(name)
    is_known = account is not None and account.provider == ctx.provider and host
    if not is_known or call.body["password"] != ctx.behaviour.facts["password"]:
        raise call.refuse("unknown_login")
    credential = ctx.behaviour.credentials["bearer"]
    _, access = mint_key(ctx, name, credential, "login")
    _, refresh = mint_key(ctx, name, replace(credential, key_kind="refresh"), "login")
    return Reply(200, {"access": access, "refresh": refresh})


@provider.operation("refreshToken")
def refresh_token(call: Call) -> Reply:
    ctx = call.ctx
    credential = ctx.behaviour.credentials["bearer"]
    key = ctx.rows.keys.get(key_digest(call.body["refresh"]))
    if key is None or key.kind != "refresh":
        raise call.refuse("unknown_refresh_token", problem="invalid")
    lives = replace(credential, lives_ms=ctx.behaviour.facts["refresh_lives_ms"])
    if is_expired(lives, key, ctx.now_ms):
        raise call.refuse("unknown_refresh_token", problem="expired")
    _, access = mint_key(ctx, key.account, credential, "login")
    return Reply(200, {"access": access})
