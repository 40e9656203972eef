"""How long keys work: those that a provider hands out may expire, the control API's never do."""

from __future__ import annotations

import pytest

from screentest.mock_server.engine.keys import CONTROL_NAME, is_expired
from screentest.mock_server.kernel.rows import Key
from screentest.specs.behaviour.credentials import Credential, KeyPlace

CREATED_MS = 5_000


def credential(lives_ms: int | None) -> Credential:
    return Credential(
        "bearer", (KeyPlace("Authorization", "Bearer"),), "token", "{hex:8}", None, lives_ms
    )


def key(name: str) -> Key:
    return Key("digest", "acct_1", "any", "k1", "token", name, "ab", True, CREATED_MS, 1)


@pytest.mark.parametrize(("age_ms", "expected"), [(0, False), (999, False), (1_000, True)])
def test_key_works_until_its_life_is_over(age_ms: int, expected: bool) -> None:  # noqa: FBT001  a table
    assert is_expired(credential(1_000), key("login"), CREATED_MS + age_ms) is expected


def test_key_without_a_documented_life_works_for_ever() -> None:
    assert not is_expired(credential(None), key("login"), 10**15)


def test_key_from_the_control_api_works_for_ever() -> None:
    assert not is_expired(credential(1_000), key(CONTROL_NAME), 10**15)
