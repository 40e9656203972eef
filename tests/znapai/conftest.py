"""Fixtures of ZnapAI's tests."""

from __future__ import annotations

import pytest

from ..mock_client import Account, MockWorld
from . import steps


@pytest.fixture
def znapai(world: MockWorld) -> Account:
    """A new ZnapAI account."""
    return world.account("znapai")


@pytest.fixture
def neighbour(world: MockWorld) -> Account:
    """Another account of the same world, which owns nothing of the first."""
    return world.account("znapai")


@pytest.fixture
def video_id(znapai: Account) -> str:
    """A completed video of 4 seconds, 720 by 1280."""
    return str(steps.finished(znapai)["id"])
