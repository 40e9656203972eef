"""Oshara's tokens: signing in with an e-mail address and a password, and refreshing.

A helper for clients that insist on signing in: the mock's accounts have the address
`<account id>@anything` and one password for all. Bearer tokens from the control API do without.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..keys import is_expired, key_digest, mint_key
from ..provider import Call, Provider, Reply

provider = Provider("oshara")


@provider.operation("login")
def login(call: Call) -> Reply:
    here = call.here
    name, _, host = call.body["email"].partition("@")
    account = here.rows.account(here.world, name)
    is_known = account is not None and account.provider == here.provider and host
    if not is_known or call.body["password"] != here.behaviour.facts["password"]:
        raise call.refuse("unknown_login")
    credential = here.behaviour.credentials["bearer"]
    _, access = mint_key(here, name, credential, "login")
    _, refresh = mint_key(here, name, replace(credential, key_kind="refresh"), "login")
    return Reply(200, {"access": access, "refresh": refresh})


@provider.operation("refreshToken")
def refresh_token(call: Call) -> Reply:
    here = call.here
    credential = here.behaviour.credentials["bearer"]
    key = here.rows.key(key_digest(call.body["refresh"]))
    if key is None or key.world != here.world or key.kind != "refresh":
        raise call.refuse("unknown_refresh_token", problem="invalid")
    lives = replace(credential, lives_ms=here.behaviour.facts["refresh_lives_ms"])
    if is_expired(lives, key, here.now_ms):
        raise call.refuse("unknown_refresh_token", problem="expired")
    _, access = mint_key(here, key.account, credential, "login")
    return Reply(200, {"access": access})
