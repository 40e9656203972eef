"""What a request costs, and the worst where it does not say."""

from __future__ import annotations

from typing import Any

import pytest

from screentest.contract_tests.rules.prices import worst_price
from screentest.contract_tests.targets.guard import price_at_most
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract


def _price(body: bytes) -> int:
    contract = load_contract("ugc_copilot")
    headers = {"content-type": "application/json"}
    return price_at_most(
        contract, OutgoingRequest("POST", "/proxyStartVideoGeneration", "", headers, body)
    )


@pytest.mark.parametrize(
    ("body", "credits"),
    [
        (b'{"data": {"engine": "veo", "quality": "hq", "duration": 8}}', 130),
        (b'{"engine": "veo", "quality": "hq", "duration": 8}', 130),
        (b'{"data": {"engine": "seedance", "quality": "standard", "duration": 4}}', 18),
    ],
)
def test_a_request_is_priced_with_and_without_its_envelope(body: bytes, credits: int) -> None:
    assert _price(body) == credits


@pytest.mark.parametrize(
    "body",
    [
        b'{"quality": "hq", "data": {"engine": "veo", "quality": "standard"}}',
        b'{"data": {"engine": "another"}}',
        b"not JSON",
    ],
)
def test_a_request_that_does_not_say_is_set_aside_at_the_worst_price(body: bytes) -> None:
    contract = load_contract("ugc_copilot")
    checks = load_checks(contract)

    assert _price(body) == worst_price(contract, checks, "proxyStartVideoGeneration") >= 130


@pytest.mark.parametrize(
    ("provider", "operation", "credits"),
    [
        ("ozor", "generateVideo", 1),
        ("ozor", "generatePlan", 30),
        ("ulazai", "generateTextToVideo", 80),
        ("znapai", "createVideo", 0),
        ("ugc_copilot", "proxyFetchTopSellingProducts", 1),
    ],
)
def test_the_contract_has_the_worst_price(provider: str, operation: str, credits: int) -> None:
    contract: Any = load_contract(provider)

    assert worst_price(contract, load_checks(contract), operation) == credits
