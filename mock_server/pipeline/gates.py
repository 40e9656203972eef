"""The gates of a request. Each gate fills in what it finds, or refuses.

Their order is the provider's, from its behaviour file. The idempotency gate may answer with a
stored reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from screentest.specs.behaviour.credentials import Credential
from screentest.specs.behaviour.forms import COOKIE, QUERY
from screentest.specs.behaviour.operations import Target
from screentest.specs.behaviour.sent_keys import presented
from screentest.specs.contracts.redaction import header_name
from screentest.specs.expressions.operators import look_up
from screentest.specs.json_types import Json

from ..engine.facts import resource_facts
from ..engine.jobs import Cost
from ..engine.keys import is_expired, key_digest
from ..engine.provider import Call, Reply
from ..kernel.magic import split_key
from ..kernel.rows import Key, Resource
from ..store.retention import dropped_words
from .idempotency import begin_replay, finish_replay
from .limits import respect_cap, respect_rate, window_facts
from .prices import price_of
from .remembered import note_use
from .validation import read_body, validate

Gate = Callable[[Call], Reply | None]


def _authenticate(call: Call) -> None:
    """Fill in the key and the account, by the first complete set of credentials in the request."""
    request, sets = call.request, call.operation.security_sets
    missing: list[Credential] = []
    for names in sets:
        schemes = [call.ctx.behaviour.credentials[it] for it in names]
        raw = [presented(it, request.headers, request.query) for it in schemes]
        absent = [it for it, key in zip(schemes, raw, strict=True) if key is None]
        # Only a missing credential tries the next set: a wrong one is refused at once.
        if schemes and not absent:
            for credential, key in zip(schemes, raw, strict=True):
                _accept(call, credential, key or "")
            return
        # Of several sets, the client meant the one of which it sent a part.
        if absent and (not missing or len(absent) < len(schemes)):
            missing = absent
    if missing and () not in sets:
        raise call.refuse("missing_credential", **_credential_facts(missing[0]))
    if call.rules.does is not None and (call.rules.starts or call.rules.targets):
        # Callers without a key share the first account.
        accounts = call.ctx.rows.accounts.of_world()
        call.account_id = next(it.id for it in accounts if it.provider == call.ctx.provider)


def _accept(call: Call, credential: Credential, raw: str) -> None:
    """Fill in the key that *raw* is.

    Raises:
        RefusedError: this world does not know it, or it has ended.
    """
    # The stored key does not have the directive that a client appends to it.
    if call.ctx.world.settings.has_magic:
        raw, call.key_suffix = split_key(raw)
    key = call.presented_key if raw == call.raw_key else _other_key(call, raw)
    if key is None or key.kind != credential.key_kind:
        facts = {**_credential_facts(credential), "whose": _whose_key(call, raw)}
        raise call.refuse("unknown_credential", **facts, provider=call.ctx.behaviour.name, sent=raw)
    if not key.is_active or call.key_suffix == "-revoked":
        raise call.refuse("revoked_credential", **_credential_facts(credential))
    if is_expired(credential, key, call.ctx.at_ms):
        raise call.refuse("expired_credential", **_credential_facts(credential))
    # A remembered answer must not outlive the key that it was given to.
    if credential.lives_ms is not None:
        call.ctx.lasting.end_by(key.created_ms + credential.lives_ms)
    call.key = key
    note_use(call)
    call.account_id = key.account


def _other_key(call: Call, raw: str) -> Key | None:
    """The key *raw* of this world and provider, where the request presents two kinds of key."""
    ctx = call.ctx
    key = ctx.rows.keys.get(key_digest(raw))
    return key if key is not None and key.provider == ctx.provider else None


def _whose_key(call: Call, raw: str) -> str:
    """What the mock knows about a key that is not accepted here."""
    found = call.ctx.rows.holder(key_digest(raw))
    if found is None:
        return "a key that this mock did not make"
    holder, key = found
    known = call.served.get(key.provider)
    name = known.behaviour.name if known is not None else key.provider
    if holder != call.ctx.rows.id:
        return f"a key of {name} in another world"
    if key.provider == call.ctx.provider:
        return "a key of this world, but of another kind"
    return f"a key of {name} in this world"


def _credential_facts(credential: Credential) -> dict[str, Json]:
    header, scheme = credential.forms[0]
    is_header = not header.startswith((QUERY, COOKIE))
    name = header_name(header) if is_header else header[1:]
    shown = "Bearer token" if credential.key_kind == "bearer" else name
    return {"credential": shown, "header": name, "scheme": scheme}


def _find_targets(call: Call) -> None:
    found: dict[str, Resource] = {}
    for target in call.rules.targets:
        id_ = str(
            look_up(target.id_from, {"path": call.path, "query": call.query, "body": call.body})
        )
        read = call.provider.id_readers.get(target.kind)
        kept_id = read(call.ctx, id_) if read is not None else id_
        resource = call.ctx.find(target.kind, kept_id)
        # Some providers answer 404 for a resource of another account, others 403.
        is_hidden = target.hidden or call.ctx.behaviour.foreign == "hide"
        if resource is not None and is_hidden and resource.account != call.account_id:
            resource = None
        if resource is not None and target.within is not None:
            resource = resource if resource.parent == found[target.within].id else None
        # A stranger must not learn which ids exist below a resource of another account.
        if resource is None and target.within is not None:
            _refuse_foreign(call, found[target.within])
        if resource is None:
            dropped = dropped_words(call.ctx.rows, call.ctx.provider, target.kind, kept_id)
            facts = _target_facts(call, target, id_)
            raise call.refuse("not_found", **facts, dropped=dropped)
        found[target.kind] = resource
    call.found = found


def _refuse_foreign(call: Call, resource: Resource) -> None:
    """Raises if the caller does not own *resource*: what is within it is then not looked for."""
    is_checked = "ownership" in call.ctx.behaviour.refusal_order
    if is_checked and resource.account != call.account_id:
        target = next(it for it in call.rules.targets if it.kind == resource.kind)
        raise call.refuse("foreign", **_target_facts(call, target, resource.id))


def _target_facts(call: Call, target: Target, id_: str) -> dict[str, Json]:
    return {"resource": call.ctx.behaviour.resources[target.kind].called, "id": id_[:80]}


def _check_owner(call: Call) -> None:
    for target in call.rules.targets:
        resource = call.found[target.kind]
        if resource.account != call.account_id:
            raise call.refuse("foreign", **_target_facts(call, target, resource.id))


def _check_state(call: Call) -> None:
    for target in call.rules.targets:
        if not target.states:
            continue
        resource = call.found[target.kind]
        state = resource_facts(call.ctx, resource)["state"]
        if state not in target.states:
            allowed = " or ".join(sorted(target.states))
            facts = _target_facts(call, target, resource.id)
            raise call.refuse("wrong_state", **facts, state=state, allowed=allowed)


def _respect_rate(call: Call) -> None:
    if call.key_suffix == "-rate-limited" and "rate_limited" in call.ctx.behaviour.refusals:
        windows = call.ctx.behaviour.rate_windows
        other = {"limit": 0, "action": call.operation.id, "period": "a minute"}
        raise call.refuse(
            "rate_limited", **(window_facts(windows[0]) if windows else other), wait_s=60
        )
    respect_rate(call)
    # The windows have counted the call, so a refusal by a later gate must not count it again.
    call.is_counted = True


def _check_balance(call: Call) -> None:
    price = call.rules.price
    if price is None:
        return
    amount = price_of(call)
    account = call.account
    available = 0 if call.key_suffix == "-no-credits" else account.available
    # A provider may ask for a higher balance than the call costs.
    needed = max(amount, price.balance_min)
    if needed > available and call.ctx.behaviour.initial_credits is not None:
        raise call.refuse("insufficient_credits", cost=amount, available=available)
    call.cost = Cost(amount, price.moment)


def _refuse_content(call: Call) -> None:
    """Refuse the content if a directive asks for it; the mock judges no content itself."""
    directive = call.directive
    if directive is not None and directive.verb == "reject":
        raise call.refuse("content_refused", problem=directive.text or "content policy violation")


def _replay(call: Call) -> Reply | None:
    rules = call.ctx.behaviour.idempotency
    if rules is None or call.operation.id not in rules.operations:
        return None
    begun = begin_replay(rules, call, call.ctx.world.unanswered)
    if isinstance(begun, str):
        # Saved at the end of the call, once its answer has passed the self-check.
        call.save_replay = lambda reply: finish_replay(rules, call, begun, reply)
        return None
    return begun


GATES: Mapping[str, Gate] = {
    "authentication": _authenticate,
    "body": read_body,
    "validation": validate,
    "idempotency": _replay,
    "rate_limit": _respect_rate,
    "existence": _find_targets,
    "ownership": _check_owner,
    "state": _check_state,
    "content": _refuse_content,
    "concurrency": respect_cap,
    "credits": _check_balance,
}
