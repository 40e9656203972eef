"""Made-up requests: the same for one seed, and no false alarm about a mock without a defect."""

from __future__ import annotations

import pytest

from screentest.contract_tests.fuzz import fuzz, make_cases
from screentest.specs.contract import load_contract

from .hands import PROVIDERS, session_with


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_made_up_requests_find_nothing_in_a_clean_mock(provider: str) -> None:
    session = session_with(provider)

    fuzz(session, make_cases(load_contract(provider), seed=1, examples=8))

    assert [f"{it.rule.id}: {it.told}" for it in session.judge.findings] == []


@pytest.mark.slow
def test_one_seed_makes_the_same_requests() -> None:
    contract = load_contract("ulazai")

    assert make_cases(contract, seed=3, examples=4) == make_cases(contract, seed=3, examples=4)
