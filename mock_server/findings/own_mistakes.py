"""Findings that are not about the client: mistakes of the mock, or of the user's own contract."""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.contracts.contract import Contract
from screentest.specs.openapi.validation import Violation

from ..kernel.finding import Finding

_REPORT = "please report it"
_OUR_MISTAKES = frozenset({"ours:crash", "ours:contract"})
_REPEAT = "remove the cause, which is on the machine of the mock, and repeat the call"


def findings_of_ours(
    contract: Contract, violations: Sequence[Violation], *, is_sent: bool = False
) -> list[Finding]:
    """The findings about a reply of the mock's own with *violations*.

    They are warnings if the reply *is_sent* nevertheless.
    """
    code, fix = ("SC500", _REPORT) if contract.is_shipped else ("SC503", _lint(contract))
    severity = "warning" if is_sent else "error"
    return [
        Finding(code, it.pointer, it.expected, it.actual, fix, "", severity) for it in violations
    ]


def finding_of_failure(contract: Contract, reason: str, detail: str) -> Finding:
    """The finding about an error of ours for which no reply can be blamed."""
    if reason.startswith("contract:"):
        return Finding("SC503", "", "a contract without mistakes", detail, _lint(contract), "")
    fix = _REPORT if reason in _OUR_MISTAKES else _REPEAT
    return Finding("SC501", "", "an answer", detail, fix, "")


def _lint(contract: Contract) -> str:
    return f"run `screentest spec lint {contract.folder}`"
