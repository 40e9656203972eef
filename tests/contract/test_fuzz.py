"""Made-up requests: the same for one seed, and no false alarm about a mock without a defect."""

from __future__ import annotations

import tomllib

import pytest
from tools.fuzz.run import exceptions

from screentest.contract_tests.runs.fuzz import fuzz, make_cases
from screentest.specs.contracts.registry import load_contract

from .hands import PROVIDERS, session_with


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_made_up_requests_find_nothing_in_a_clean_mock(provider: str) -> None:
    session = session_with(provider)

    fuzz(session, make_cases(load_contract(provider), seed=1, examples=8))

    assert [f"{it.rule.id}: {it.summary}" for it in session.judge.findings] == []


@pytest.mark.slow
def test_one_seed_makes_the_same_requests() -> None:
    contract = load_contract("ulazai")

    assert make_cases(contract, seed=3, examples=4) == make_cases(contract, seed=3, examples=4)


def test_the_fuzzer_takes_its_exceptions_from_the_checks() -> None:
    found = tomllib.loads(exceptions("ozor"))["operations"]

    assert [it["include-operation-id"] for it in found] == [
        "createApiKey",
        "updatePlan",
        "generatePlan",
        "exportVideo",
    ]
    assert found[3]["checks"] == {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "402", "403", "404", "409", "429", "500"]
        },
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "500"]},
    }
    assert exceptions("ulazai") == ""
