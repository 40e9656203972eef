"""Fixtures of Oshara's tests."""

from __future__ import annotations

import pytest

from ..mock_client import Account, MockWorld


@pytest.fixture
def oshara(world: MockWorld) -> Account:
    """A new account without jobs."""
    return world.account("oshara")


@pytest.fixture
def neighbour(world: MockWorld) -> Account:
    """Another account of the same world, which owns nothing of the first."""
    return world.account("oshara")
