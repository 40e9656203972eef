"""Checking the mock's own replies against the contract, and its replies to errors of its own."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Violation

from ..engine.provider import EventStream, Reply
from ..kernel.bodies import read_json
from ..kernel.errors import MockError

Answer = Reply | EventStream

#: Categories of replies that no provider would send: they are not checked against its contract.
_NOT_THE_PROVIDERS = ("fault:", "ours:", "contract:")


class BrokenReplyError(Exception):
    """A reply is not what the contract documents. *reply* is sent instead."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.reason)
        self.reply = reply


def reply_violations(operation: Operation, answer: Answer) -> Sequence[Violation]:
    """How *answer* differs from what the contract documents; empty when it does not."""
    # A departure is a reply that an interpretation allows and the schema does not describe.
    if isinstance(answer, EventStream) or answer.departure is not None:
        return ()
    if answer.reason is not None and answer.reason.startswith(_NOT_THE_PROVIDERS):
        return ()
    body = answer.body
    if isinstance(body, bytes) and answer.content_type == "application/json":
        body = read_json(body)
    elif isinstance(body, bytes):
        # The documented schema is that of a decoded value.
        return ()
    content_type = answer.content_type if body is not None else None
    return operation.reply_violations(answer.status, content_type, body)


def broken_reply(
    contract: Contract, operation: Operation, status: int, violations: Sequence[Violation]
) -> Reply:
    """The 500 that replaces a reply with *violations*."""
    listed = "; ".join(violation.message for violation in violations[:3])
    detail = f"{operation.id} {status}: {listed}"
    if contract.is_shipped:
        return _our_fault("contract", detail, violations)
    return contract_fault(
        contract, f"a reply that its OpenAPI file does not allow, {detail}", violations
    )


def crash(contract: Contract, error: Exception) -> Reply:
    """The 500 for an unexpected *error*."""
    # The line of the error without the traceback: answers carry no paths of this machine.
    last = traceback.format_exception_only(error)[-1].strip()
    if contract.is_shipped:
        return _our_fault("crash", last)
    # A contract of the user's may have caused it; the two cases look the same here.
    return contract_fault(contract, f"an error that may also be screentest's own, {last}")


def failure(contract: Contract, error: Exception) -> Reply:
    """The reply for any *error*: a limit of the mock, a mistake in the contract, or a crash."""
    if isinstance(error, BrokenReplyError):
        return error.reply
    # A limit of the mock is neither the client's mistake nor the contract's.
    if isinstance(error, MockError):
        return Reply(503, {"detail": str(error)}, reason="ours:limit")
    if isinstance(error, ContractError):
        return contract_fault(contract, str(error))
    return crash(contract, error)


def contract_fault(contract: Contract, detail: str, violations: Sequence[Violation] = ()) -> Reply:
    """The 500 for a mistake in a contract, which is the user's unless the contract is shipped."""
    if contract.is_shipped:
        return _our_fault("contract", detail, violations)
    body = {
        "detail": f"the contract of {contract.behaviour.name} is at fault: {detail}. "
        f"Check it with `screentest spec lint {contract.folder}`."
    }
    return Reply(500, body, reason="contract:mistake", violations=violations)


def _our_fault(what: str, detail: str, violations: Sequence[Violation] = ()) -> Reply:
    body = {"detail": f"screentest is wrong here ({what}): {detail}. Please report it."}
    return Reply(500, body, reason=f"ours:{what}", violations=violations)


def not_kept(error: MockError) -> Reply:
    """A 503 of ours: this machine cannot keep the call, which has changed nothing."""
    body = {
        "title": "Service Unavailable",
        "status": error.status,
        "code": error.code,
        "detail": str(error),
    }
    headers, reason = {"Retry-After": "1"}, f"ours:{error.code}"
    return Reply(error.status, body, headers, "application/problem+json", reason=reason)
