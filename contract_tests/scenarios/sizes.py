"""The documented sizes of requests: a request of that size passes, one byte more does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.known import json_operation, upload_operation
from ..rules.rule_ids import RuleId
from ..sessions.session import Session
from ..targets.plans import account_in
from ..traces.trace import Exchange
from .scenario import Scenario


def sizes(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about bodies and files of the largest size; only where they are free."""
    worst = sum(prices.values())
    if json_operation(contract, checks) is not None:
        yield Scenario(
            "largest body",
            "send a body of the largest size, and a larger one",
            _body,
            worst,
            2,
        )
    if upload_operation(contract, checks) is not None:
        yield Scenario(
            "largest file",
            "send a file of the largest size, and a larger one",
            _file,
            worst,
            2,
        )


def _body(session: Session) -> None:
    name = json_operation(session.contract, session.checks)
    assert name is not None
    who, most = session.wallet.rich("sender"), session.contract.behaviour.limits.json_bytes_max
    asked = account_in(session.plan(name).json, who.account)
    body = json.dumps(asked)
    for size in (most, most + 1):
        # Blanks after a JSON text belong to it.
        plan = RequestPlan(json=asked, raw=body.ljust(size), type="application/json")
        answer = session.call(name, plan, who=who)
        _judge(
            session,
            rule_ids.limits("body"),
            answer,
            size,
            holds=answer.is_success == (size == most),
        )


def _file(session: Session) -> None:
    found = upload_operation(session.contract, session.checks)
    assert found is not None
    name, field, plan = found
    who, most = session.wallet.rich("sender"), session.contract.behaviour.limits.upload_bytes_max
    for size in (most, most + 1):
        form = dict(plan.form or {})
        form[field] = {**form[field], "bytes": size}
        answer = session.call(name, replace(plan, form=form), who=who)
        _judge(
            session,
            rule_ids.limits("file"),
            answer,
            size,
            holds=answer.is_success == (size == most),
        )


def _judge(session: Session, rule: RuleId, answer: Exchange, size: int, *, holds: bool) -> None:
    detail = f"{size} bytes were answered {answer.status}"
    session.judge.check(rule, detail, answer, holds=holds)
