"""Credentials: accepted in the documented ways only, and limited in number."""

from __future__ import annotations

from collections.abc import Iterator

from screentest.specs.behaviour.credentials import Credential
from screentest.specs.behaviour.sent_keys import text_of
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.openapi.operations import Operation

from ..rules import rule_ids
from ..rules.known import names_needed, refused_keys
from ..sessions.session import Session
from ..targets.credentials import signed
from ..targets.needs import UnableError
from ..targets.request_builder import wire_of_plan
from ..targets.target import ANONYMOUS
from .scenario import STEERED, Scenario, bound

#: A scheme word that no contract has.
_OTHER_WORD = "X-Kit"
_OTHER_HEADER = "x-kit-key"


def credentials(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about how each kind of credential is sent, and how many keys can be active."""
    for scheme, rules in contract.behaviour.credentials.items():
        yield Scenario(
            f"ways to send {scheme}",
            "send the key in each documented way, and in others",
            bound(_ways, scheme),
            requests=len(rules.forms) + 2,
            is_read_only=True,
        )
        if rules.active_max is not None:
            yield Scenario(
                f"keys of {scheme}",
                "make one key too many",
                bound(_keys, scheme),
                requests=rules.active_max + 2,
                needs=STEERED,
            )


def _ways(session: Session, scheme: str) -> None:
    known = session.contract.behaviour.credentials[scheme]
    key = session.owner.keys.get(known.key_kind)
    if not key:
        raise UnableError(f"the owner has no {scheme}")
    operation = _read_with(session, scheme)
    for place, word in known.forms:
        _judge(session, scheme, operation, place, text_of(key, word), is_documented=True)
    for place, value in _others(known, key):
        _judge(session, scheme, operation, place, value, is_documented=False)


def _others(known: Credential, key: str) -> Iterator[tuple[str, str]]:
    """Undocumented ways to send a key: another scheme word, another header."""
    for place in sorted({place for place, word in known.forms if word}):
        yield place, f"{_OTHER_WORD} {key}"
    yield _OTHER_HEADER, key


def _judge(
    session: Session,
    scheme: str,
    operation: Operation,
    place: str,
    value: str,
    *,
    is_documented: bool,
) -> None:
    ids = dict.fromkeys(names_needed(operation, session.plan(operation.id)), "0")
    plan = session.plan(operation.id)
    wire = wire_of_plan(session.contract, operation, plan, ids, ANONYMOUS, {})
    who = session.owner if is_documented else ANONYMOUS
    answer = session.send(signed(wire, {place: value}), who)
    is_in = answer.status not in refused_keys(session.contract, operation.id)
    way = f"{place}: {value.rpartition(' ')[0]} KEY".replace("  ", " ")
    detail = f"{way} was answered {answer.status}"
    rule = rule_ids.scheme(scheme, "ways" if is_documented else "others")
    session.judge.check(rule, detail, answer, holds=is_in == is_documented)


def _read_with(session: Session, scheme: str) -> Operation:
    """An operation that only reads and that *scheme* opens."""
    rules = session.contract.behaviour.operations
    for operation in session.contract.operations.values():
        # Where a call without a key is accepted as well, a wrong one shows nothing.
        takes_it = operation.security and operation.security_sets[0] == (scheme,)
        if takes_it and rules[operation.id].effect == "read":
            return operation
    raise UnableError(f"nothing that only reads takes {scheme}")


def _keys(session: Session, scheme: str) -> None:
    """Make as many keys as are allowed, and one more."""
    credential = session.contract.behaviour.credentials[scheme]
    kind = next(
        (
            it
            for it in session.checks.makes
            if session.contract.behaviour.lifecycle_of(it) is not None and it.endswith("key")
        ),
        None,
    )
    if kind is None or credential.active_max is None:
        raise UnableError("nothing in the checks makes keys")
    operation, who = session.checks.makes[kind].by, session.wallet.rich("keeper")
    # An account begins with one key, which the mock gave it.
    answers = [session.call(operation, who=who) for _ in range(credential.active_max)]
    passed = sum(1 for answer in answers if answer.is_success)
    detail = f"{passed + 1} keys are active; at most {credential.active_max} may be"
    holds = passed == credential.active_max - 1
    session.judge.check(rule_ids.keys_max(scheme), detail, *answers[-2:], holds=holds)
