"""Findings about a receiver of webhooks are listed with the attempt that shows them."""

from __future__ import annotations

import pytest

from screentest.mock_server.kernel.receiver_findings import receiver_findings
from screentest.mock_server.kernel.webhooks import Outcome
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from ..lantern.lantern import Lantern, make_lantern

_DOCUMENT = "https://ugccopilot.ai/api/"


@pytest.fixture
def lantern() -> Lantern:
    return make_lantern()


def _found(lantern: Lantern) -> list[Json]:
    """The findings of the first attempt of the first delivery."""
    attempt = lantern.deliveries()[0]["attempts"][0]
    return [*attempt.get("findings", ())]


@pytest.mark.parametrize(
    ("outcome", "code", "actual", "clauses"),
    [
        (Outcome(500), "SC301", "500", "UG-049, UG-054"),
        (Outcome(404), "SC301", "404", "UG-049, UG-054"),
        (Outcome(307), "SC302", "307", "UG-049, UG-054"),
        (Outcome(None, "timed out"), "SC303", "no answer in time", "UG-049, UG-054"),
        (Outcome(None, "connection refused"), "SC304", "connection refused", "UG-049, UG-054"),
        (Outcome(401), "SC305", "401 to a correctly signed request", "UG-045, UG-046"),
    ],
)
def test_each_failed_outcome_has_its_own_code(
    outcome: Outcome, code: str, actual: str, clauses: str
) -> None:
    behaviour = load_contract("ugc_copilot").behaviour

    (finding,) = receiver_findings(behaviour, outcome, is_forged=False)

    assert (finding.code, finding.expected) == (code, "a status from 200 to 299")
    assert (finding.actual, finding.source) == (actual, f"{_DOCUMENT} {clauses}")
    assert finding.fix


def test_attempt_that_is_answered_well_has_no_finding(lantern: Lantern) -> None:
    lantern.receive()
    lantern.register()

    lantern.show()

    assert _found(lantern) == []


def test_attempt_that_is_answered_with_an_error_shows_what_to_do(lantern: Lantern) -> None:
    lantern.receive(500)
    lantern.register()

    lantern.show()

    (finding,) = _found(lantern)
    assert (finding["code"], finding["actual"], finding["severity"]) == ("SC301", "500", "error")
    assert finding["fix"] == (
        "answer 2xx as soon as the event is stored, and process it afterwards; `reply` shows"
        " the answer"
    )


def test_missing_receiver_is_reported_as_such(lantern: Lantern) -> None:
    lantern.receive()
    lantern.register()
    lantern.receivers.clear()

    lantern.show()

    assert [it["code"] for it in _found(lantern)] == ["SC304"]


@pytest.mark.parametrize(("status", "codes"), [(204, ["SC306"]), (401, [])])
def test_wrong_signature_has_to_be_refused(lantern: Lantern, status: int, codes: list[str]) -> None:
    lantern.receive(status)
    lantern.register()
    lantern.fault("webhook_bad_signature")

    lantern.show()

    assert [it["code"] for it in _found(lantern)] == codes
